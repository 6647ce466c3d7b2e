"""What a channel gets of a message that refers to a template, and how wordings get their versions."""

import pytest

from conversations.composing.templates import numbered
from conversations.composing.templating import LATEST, Known, Unfilled, Wording, filled
from gateway.channels.base import Channel


def text(words):
    return {"text_message": {"text": words}}


def sent(version="1", language="", beside=None, **parameters):
    reference = {"template_id": "t", "version": version, "language_code": language, "parameters": parameters}
    return {"template_message": {"omni_template": reference}} | (beside or {})


WHATSAPP_TEMPLATE = {"template_id": "greeting", "language_code": "en", "parameters": {"header": "Hi"}}
OVERRIDDEN = Wording(
    "de", "1", text("Hallo ${name}"),
    {"WHATSAPP": {"template_reference": WHATSAPP_TEMPLATE, "parameter_mappings": {"body[1]text": "name"}}},
)  # fmt: skip
OF_THE_CHANNEL = Wording(
    "sv", "1", {"template_message": {"channel_template": {"WHATSAPP": {"template_id": "w", "parameters": {"1": "${name}"}}}}}
)  # fmt: skip
TEMPLATE = Known(
    "en-US",
    current=[
        Wording("en-US", "2", text("Hi ${name}")),
        Wording("en-US", "3", text("Hey ${name}")),
        OVERRIDDEN,
        OF_THE_CHANNEL,
        Wording("fr", "1", text("Bonjour")),
    ],
    kept=[Wording("en-US", "1", text("Hello ${name}"))],
)


@pytest.mark.parametrize(
    ("content", "channel", "becomes"),
    [
        (text("${name}"), Channel.SMS, text("${name}")),
        (sent("2", name="Ada"), Channel.SMS, text("Hi Ada")),
        (sent("1", name="Ada"), Channel.SMS, text("Hello Ada")),
        (sent(LATEST, name="Ada"), Channel.SMS, text("Hey Ada")),
        (sent("2", "en_us", name="Ada"), Channel.SMS, text("Hi Ada")),
        (sent("1", "fr"), Channel.SMS, text("Bonjour")),
        (sent("1", "fr", unused="x"), Channel.SMS, text("Bonjour")),
        (sent("1", "fr", beside={"agent": {"type": "BOT"}}), Channel.SMS, text("Bonjour") | {"agent": {"type": "BOT"}}),
        # A parameter is not looked through for more.
        (sent("2", name="${name}"), Channel.SMS, text("Hi ${name}")),
        (sent("2", name=""), Channel.SMS, text("Hi ")),
        (sent("1", "de", name="Ada"), Channel.SMS, text("Hallo Ada")),
        (
            sent("1", "de", name="Ada"),
            Channel.WHATSAPP,
            {
                "template_message": {
                    "channel_template": {
                        "WHATSAPP": WHATSAPP_TEMPLATE | {"parameters": {"header": "Hi", "body[1]text": "Ada"}}
                    }
                }
            },
        ),
        (
            sent("1", "sv", name="Ada"),
            Channel.WHATSAPP,
            {"template_message": {"channel_template": {"WHATSAPP": {"template_id": "w", "parameters": {"1": "Ada"}}}}},
        ),
    ],
)  # fmt: skip
def test_a_template_is_filled_in(content, channel, becomes):
    assert filled(content, channel, TEMPLATE) == becomes


@pytest.mark.parametrize(
    ("content", "channel", "code"),
    [
        (sent("2"), Channel.SMS, "TEMPLATE_INSUFFICIENT_PARAMETERS"),
        (sent("2", Name="Ada"), Channel.SMS, "TEMPLATE_INSUFFICIENT_PARAMETERS"),
        (sent("1", "de"), Channel.WHATSAPP, "TEMPLATE_INSUFFICIENT_PARAMETERS"),
        (sent("4", name="Ada"), Channel.SMS, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        (sent("2", "fr"), Channel.SMS, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        (sent("1", "ja"), Channel.SMS, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        (sent(LATEST, "ja"), Channel.SMS, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        (sent("1", "sv", name="Ada"), Channel.SMS, "TEMPLATE_NOT_FOUND"),
        ({"template_message": {"channel_template": {"WHATSAPP": {"template_id": "w"}}}}, Channel.SMS, "TEMPLATE_NOT_FOUND"),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in_says_why(content, channel, code):
    with pytest.raises(Unfilled) as refusal:
        filled(content, channel, TEMPLATE)

    assert refusal.value.reason.code == code


def test_a_template_that_is_not_there_is_not_found():
    with pytest.raises(Unfilled) as refusal:
        filled(sent("1"), Channel.SMS, None)

    assert refusal.value.reason.code == "TEMPLATE_NOT_FOUND"


def test_a_channels_own_template_goes_before_ours_and_comes_without_the_others():
    own = {"template_id": "w", "language_code": "en", "parameters": {"1": "${name}"}}
    content = sent("1", "nowhere")
    content["template_message"]["channel_template"] = {"WHATSAPP": own, "KAKAOTALK": {"template_id": "k"}}

    assert filled(content, Channel.WHATSAPP, None) == {
        "template_message": {"channel_template": {"WHATSAPP": own}}
    }


@pytest.mark.parametrize(
    "key", ["explicit_channel_message", "explicit_channel_omni_message", "channel_specific_message"]
)
def test_content_for_the_channel_alone_needs_no_template(key):
    content = sent("no such version", beside={key: {"SMS": {}}})

    assert filled(content, Channel.SMS, None) == content


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
@pytest.mark.parametrize("language", ["en-US", "de"])
def test_a_template_for_one_channel_is_filled_in_there_as_anywhere_and_for_no_other(language, channel):
    everywhere = sent("1", language, name="Ada")
    own = {"template_reference": everywhere["template_message"]["omni_template"]}
    content = text("others") | {"explicit_channel_omni_message": {channel: own}}

    assert filled(content, channel, TEMPLATE) == text("others") | {
        "explicit_channel_omni_message": {channel: filled(everywhere, channel, TEMPLATE)}
    }
    assert filled(content, Channel.RCS, None) == content


def test_every_text_in_a_message_is_filled_in_and_nothing_else():
    card = {
        "card_message": {
            "title": "${a} and ${b}",
            "media_message": {"url": "https://example.com/${a}"},
            "choices": [
                {"location_message": {"coordinates": {"latitude": 1, "longitude": 2}, "title": "${b}"}}
            ],
            "height": None,
        }
    }
    template = Known("en", [Wording("en", "1", card)])

    assert filled(sent("1", a="A", b="B"), Channel.SMS, template) == {
        "card_message": {
            "title": "A and B",
            "media_message": {"url": "https://example.com/A"},
            "choices": [{"location_message": {"coordinates": {"latitude": 1, "longitude": 2}, "title": "B"}}],
            "height": None,
        }
    }


BEFORE = Known("en", [Wording("en", "1", text("a"))], kept=[Wording("en", "7", text("old"))])
NOTHING = Known("en", [])


@pytest.mark.parametrize(
    ("before", "given", "listed"),
    [
        (NOTHING, [("", "a")], [("1", "a")]),
        (NOTHING, [(LATEST, "a")], [("1", "a")]),
        (NOTHING, [("3", "a"), ("", "b")], [("3", "a"), ("4", "b")]),
        (NOTHING, [("spring", "a"), ("", "b")], [("spring", "a"), ("1", "b")]),
        (NOTHING, [("1", "a"), (LATEST, "a")], [("1", "a")]),  # copied from a template that was read
        (BEFORE, [("1", "a"), (LATEST, "a")], [("1", "a")]),  # read and sent back
        (BEFORE, [("1", "b"), (LATEST, "a")], [("1", "b")]),  # ... with the version edited
        (BEFORE, [("1", "a"), (LATEST, "b")], [("1", "a"), ("8", "b")]),  # ... with the latest edited
        (BEFORE, [("1", "b"), (LATEST, "b")], [("1", "b")]),  # ... with both edited alike
        (BEFORE, [("", "a")], [("1", "a")]),
        (BEFORE, [("", "b")], [("8", "b")]),
        (BEFORE, [("2", "b")], [("2", "b")]),
        (NOTHING, [("9" * 64, "a"), ("", "b")], [("9" * 64, "a"), ("1", "b")]),
    ],
)
def test_a_wording_without_a_version_gets_the_next_unless_it_says_nothing_new(before, given, listed):
    wordings = [Wording("en", version, text(words)) for version, words in given]

    result = numbered(wordings, before=before)

    assert result == [Wording("en", version, text(words)) for version, words in listed]


def test_versions_are_counted_in_each_language():
    result = numbered([Wording("en", "", text("b")), Wording("de", "", text("b"))], before=BEFORE)

    assert [(one.language_code, one.version) for one in result] == [("en", "8"), ("de", "1")]
