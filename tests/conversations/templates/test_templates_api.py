"""Templates over the API: written, read, changed from the version seen, kept in every version."""

import pytest

from conversations.composing.templating import Wording
from conversations.models import Template, TemplateTranslation
from projects.ids import is_ulid, ulid
from tests.conversations.templates.bodies import body, translation, versions
from tests.factories import api_client, make_project, make_template, path


def test_a_template_is_created_with_all_its_fields(create):
    override = {
        "template_reference": {"template_id": "hello", "language_code": "en", "parameters": {"header": "x"}},
        "parameter_mappings": {"body[1]text": "name"},
    }
    given = translation(
        channel_template_overrides={"WHATSAPP": override},
        variables=[{"key": "name", "preview_value": "Professor Jones"}],
    )

    answer = create(given, description="A greeting", version=9).json()

    assert is_ulid(answer["id"])
    assert (answer["description"], answer["version"], answer["default_translation"]) == (
        "A greeting",
        1,
        "en-US",
    )
    (told,) = answer["translations"]
    assert told == given | {"create_time": answer["create_time"], "update_time": answer["update_time"]}


def test_what_a_client_leaves_out_is_spelt_out(create):
    answer = create({"language_code": "en-US", "text_message": {"text": "Hi"}}).json()

    assert answer["description"] == ""
    (told,) = answer["translations"]
    assert (told["version"], told["channel_template_overrides"], told["variables"]) == ("1", {}, [])


def test_a_client_may_choose_the_id_once_in_its_project(create):
    chosen = ulid()
    make_template(make_project(), public_id=chosen)

    first, second = create(id=chosen), create(id=chosen)

    assert (first.status_code, first.json()["id"]) == (200, chosen)
    assert (second.status_code, second.json()["error"]["status"]) == (409, "ALREADY_EXISTS")


def test_a_template_is_read_with_the_newest_of_each_language_once_more_as_latest(api, at, create):
    german = translation("Hallo", language_code="de")
    template_id = create(translation(), german).json()["id"]

    one = api.get(at(f"/{template_id}")).json()
    (listed,) = api.get(at()).json()["templates"]

    assert one == listed
    assert versions(one["translations"]) == [
        ("en-US", "1"), ("de", "1"), ("en-US", "latest"), ("de", "latest"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"default_translation": None}, "default_translation"),
        ({"default_translation": "fr"}, "default_translation"),
        ({"default_translation": "no language"}, "default_translation"),
        ({"translations": None}, "translations"),
        ({"translations": []}, "translations"),
        ({"translations": {}}, "translations"),
        ({"translations": [translation()] * 101}, "translations"),
        ({"translations": [translation(), translation()]}, "translations[1]"),
        ({"translations": [translation(), translation(language_code="en_US")]}, "translations[1]"),
        ({"translations": [translation(version=None), translation(version="latest")]}, "translations[1]"),
        ({"translations": [translation(language_code=None)]}, "translations[0].language_code"),
        ({"translations": [translation(language_code="e")]}, "translations[0].language_code"),
        ({"translations": [translation(version=1)]}, "translations[0].version"),
        ({"translations": [translation(version="1" * 65)]}, "translations[0].version"),
        ({"translations": [translation(text_message=None)]}, "translations[0]"),
        ({"translations": [translation(text_message={})]}, "translations[0].text_message.text"),
        ({"translations": [translation(media_message={"url": "https://example.com"})]}, "translations[0]"),
        (
            {
                "translations": [
                    translation(
                        text_message=None,
                        template_message={"omni_template": {"template_id": "t", "version": "1"}},
                    )
                ]
            },
            "translations[0].template_message.omni_template",
        ),
        ({"translations": [translation(variables=[{}])]}, "translations[0].variables[0].key"),
        (
            {"translations": [translation(channel_template_overrides={"PIGEON": {}})]},
            "translations[0].channel_template_overrides.PIGEON",
        ),
        (
            {"translations": [translation(channel_template_overrides={"WHATSAPP": {}})]},
            "translations[0].channel_template_overrides.WHATSAPP.template_reference",
        ),
        ({"id": "a/b"}, "id"),
        ({"id": "."}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"description": "x" * 1025}, "description"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(api, at, changes, field):
    answer = api.post(at(), body() | changes, format="json")

    assert answer.status_code == 400
    (violations,) = (detail["fieldViolations"] for detail in answer.json()["error"]["details"])
    assert any(violation["field"].startswith(field) for violation in violations), violations
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a-Name_of.mine~1"},
        {"id": "x" * 64},
        {"description": "𝄞" * 1024},
        {"default_translation": "en_us"},
        {"translations": [translation(version="v" * 64), translation("Hi", language_code="sr-Latn-RS")]},
        {"translations": [translation(version=str(number)) for number in range(100)]},
    ],
)
def test_what_is_just_within_a_limit_is_taken(api, at, changes):
    assert api.post(at(), body() | changes, format="json").status_code == 200


def test_a_change_replaces_the_template_and_counts_its_version(create, change):
    before = create(description="Old").json()

    after = change(before["id"], translation("Hi", version="2"), version=1, description="New").json()

    assert (after["id"], after["version"], after["description"]) == (before["id"], 2, "New")
    assert (after["create_time"], after["update_time"] > before["update_time"]) == (
        before["create_time"],
        True,
    )
    assert versions(after["translations"]) == [("en-US", "2")]


@pytest.mark.parametrize("seen", [1, 3])
def test_a_change_from_another_version_than_the_present_one_is_refused(create, change, seen):
    template_id = create().json()["id"]
    change(template_id, version=1)

    answer = change(template_id, translation("Lost"), version=seen)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert TemplateTranslation.objects.get().message == {"text_message": {"text": "Hello ${name}"}}


@pytest.mark.parametrize("seen", [None, "1", 0, 1.0])
def test_a_change_names_the_version_that_it_starts_from(create, change, seen):
    answer = change(create().json()["id"], version=seen)

    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert answer.json()["error"]["message"].startswith("version: ")


def test_what_was_read_can_be_sent_back_as_it_is(api, at, create):
    template_id = create(translation(), translation("Hallo", language_code="de")).json()["id"]
    read = api.get(at(f"/{template_id}")).json()

    written = api.put(at(f"/{template_id}"), read, format="json").json()

    assert versions(written["translations"]) == [("en-US", "1"), ("de", "1")]
    assert [one["update_time"] for one in written["translations"]] == [read["create_time"]] * 2


def test_a_template_with_as_many_languages_as_it_may_have_can_be_sent_back_too(api, at, create):
    languages = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    many = [translation(language_code=language) for language in languages]
    template_id = create(*many, default_translation="ak").json()["id"]

    written = api.put(at(f"/{template_id}"), api.get(at(f"/{template_id}")).json(), format="json")

    assert len(written.json()["translations"]) == 100


def test_a_deleted_template_is_gone_with_all_its_versions(api, at, create):
    template_id = create().json()["id"]

    answer = api.delete(at(f"/{template_id}"))

    assert (answer.status_code, answer.json()) == (200, {})
    assert api.get(at(f"/{template_id}")).status_code == 404
    assert not TemplateTranslation.objects.exists()


def test_a_template_of_another_project_is_one_that_does_not_exist(api, at, change):
    theirs, missing = make_template(), ulid()

    for call in (
        lambda id_: api.get(at(f"/{id_}")),
        lambda id_: api.get(at(f"/{id_}/translations")),
        lambda id_: change(id_, version=1),
        lambda id_: api.delete(at(f"/{id_}")),
    ):
        stranger, nobody = call(theirs.public_id), call(missing)
        assert (stranger.status_code, nobody.status_code) == (404, 404)
        assert stranger.content.decode().replace(theirs.public_id, missing) == nobody.content.decode()
    assert api.get(at()).json() == {"templates": []}
    assert Template.objects.get(pk=theirs.pk).version == 1


def test_a_token_on_another_projects_path_is_refused(project):
    answer = api_client(make_project()).get(path(project, "templates", version=2))

    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_the_list_costs_the_same_queries_however_long(api, at, project, django_assert_num_queries):
    for number in range(12):
        make_template(
            project, *[Wording("en-US", str(n), {"text_message": {"text": "x"}}) for n in range(number + 1)]
        )
    api.get(at())

    with django_assert_num_queries(2):  # the templates, and all their translations
        assert len(api.get(at()).json()["templates"]) == 12


def test_a_change_costs_the_same_queries_however_many_translations(
    create, change, django_assert_max_num_queries
):
    many = [translation(version=str(number)) for number in range(50)]
    template_id = create(*many).json()["id"]

    with django_assert_max_num_queries(9):
        change(template_id, *[one | {"text_message": {"text": "new"}} for one in many], version=1)
