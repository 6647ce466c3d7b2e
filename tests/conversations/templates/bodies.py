"""What tests of templates send, and what they look for in the answers."""


def translation(text="Hello ${name}", **fields):
    return {"language_code": "en-US", "version": "1", "text_message": {"text": text}} | fields


def body(*translations, **fields):
    return {"default_translation": "en-US", "translations": list(translations) or [translation()]} | fields


def versions(translations):
    return [(one["language_code"], one["version"]) for one in translations]
