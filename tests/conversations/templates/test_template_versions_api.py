"""Versions of templates over the API: all that were ever written are kept."""

from conversations.models import TemplateTranslation
from tests.conversations.templates.bodies import translation, versions


def test_a_version_that_is_written_again_says_when(create, change):
    before = create().json()

    after = change(before["id"], translation("Hi"), version=1).json()

    (told,) = after["translations"]
    assert told["text_message"] == {"text": "Hi"}
    assert (told["create_time"], told["update_time"]) == (before["create_time"], after["update_time"])


def test_translations_that_are_no_longer_listed_are_kept(api, at, create, change):
    template_id = create(translation(), translation("Hallo", language_code="de")).json()["id"]
    change(template_id, translation("Hi", version="2"), version=1)

    def listed(**query):
        return versions(api.get(at(f"/{template_id}/translations"), query).json()["translations"])

    assert listed() == [("en-US", "2"), ("en-US", "1"), ("de", "1")]
    assert listed(language_code="en_us") == [("en-US", "2"), ("en-US", "1")]
    assert listed(translation_version="1") == [("en-US", "1"), ("de", "1")]
    assert listed(translation_version="latest") == [("en-US", "latest")]
    assert listed(language_code="de", translation_version="latest") == []
    assert listed(language_code="fr") == []


def test_a_kept_version_can_be_listed_again(create, change):
    template_id = create().json()["id"]
    change(template_id, translation("Hi", version="2"), version=1)

    again = change(template_id, translation(), version=2).json()

    assert versions(again["translations"]) == [("en-US", "1")]
    assert TemplateTranslation.objects.count() == 2
