"""The four official clients each have their own way to say what a PATCH changes."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from projects.requests import masks
from projects.requests.wire import AlwaysJSON, StrictJSONParser

EMPTY: dict[str, Any] = {
    "name": "",
    "tags": [],
    "policy": {"kind": "A", "days": 180},
    "note": {"on": False},
    "read_only": False,
}
CURRENT: dict[str, Any] = {
    "id": "1",
    "name": "old",
    "tags": ["x"],
    "policy": {"kind": "B", "days": 30},
    "note": {"on": True},
    "read_only": False,
}


def changes(body, query="", **options):
    raw = RequestFactory().generic("PATCH", f"/?{query}", json.dumps(body), content_type="application/json")
    request = Request(raw, parsers=[StrictJSONParser()], negotiator=AlwaysJSON())
    return masks.changes(request, current=CURRENT, empty=EMPTY, fixed=("id",), **options)


def test_without_a_mask_the_keys_of_the_body_replace_their_fields_whole():
    assert changes({"name": "new", "policy": {"days": 7}}) == {"name": "new", "policy": {"days": 7}}


def test_without_a_mask_null_resets():
    assert changes({"name": None, "tags": None}) == {"name": "", "tags": []}


def test_without_a_mask_what_nobody_may_change_and_what_nobody_knows_is_passed_over():
    assert changes({"id": "2", "unknown": 1, "name": "new"}) == {"name": "new"}


@pytest.mark.parametrize("query", ["", "update_mask=read_only"])
def test_a_field_in_camel_case_is_refused_masked_or_not(query):
    with pytest.raises(ValidationError, match="is written read_only"):
        changes({"readOnly": True}, query)


def test_a_mask_leaves_out_what_it_does_not_name():
    assert changes({"name": "new", "tags": ["y"]}, "update_mask=name") == {"name": "new"}


def test_a_masked_field_that_is_absent_or_null_is_reset():
    assert changes({"name": None}, "update_mask=name,tags") == {"name": "", "tags": []}


@pytest.mark.parametrize(
    "query",
    [
        "update_mask=name%2Ctags",  # Python
        "update_mask=name,tags",  # Node
        "update_mask.paths=name&update_mask.paths=tags",  # .NET, apps
        "update_mask=name&update_mask=tags",
        "update_mask=name, tags,",
    ],
)
def test_every_clients_mask_is_understood(query):
    assert changes({"name": "new", "tags": ["y"], "note": {}}, query) == {"name": "new", "tags": ["y"]}


@pytest.mark.parametrize("query", ["", "update_mask=", "update_mask=,"])  # Java never sends one
def test_an_empty_mask_is_no_mask(query):
    assert changes({"name": "new"}, query) == {"name": "new"}


def test_a_dotted_path_changes_one_key_and_keeps_the_rest():
    assert changes({"policy": {"days": 7, "kind": "C"}}, "update_mask=policy.days") == {
        "policy": {"kind": "B", "days": 7}
    }


def test_two_dotted_paths_meet_in_one_object():
    assert changes({"policy": {"days": 7, "kind": "C"}}, "update_mask=policy.days,policy.kind") == {
        "policy": {"kind": "C", "days": 7}
    }


@pytest.mark.parametrize(
    "body", [{}, {"policy": None}, {"policy": {}}, {"policy": {"days": None}}, {"policy": 7}]
)
def test_a_dotted_path_that_the_body_leaves_out_is_reset(body):
    assert changes(body, "update_mask=policy.days") == {"policy": {"kind": "B", "days": 180}}


@pytest.mark.parametrize("mask", ["policy,policy.days", "policy.days,policy"])
@pytest.mark.parametrize("value", [{"days": 7}, "nonsense"])
def test_a_whole_field_beside_its_own_part_is_replaced_whole(mask, value):
    assert changes({"policy": value}, f"update_mask={mask}") == {"policy": value}


@pytest.mark.parametrize(
    "mask", ["unknown", "policy.unknown", "name.x", "tags.x", "policy.days.x", "*", "name,nope"]
)
def test_an_unknown_path_is_refused_by_its_name(mask):
    with pytest.raises(ValidationError) as refusal:
        changes({"name": "new"}, urlencode({"update_mask": mask}))

    assert mask.split(",")[-1] in str(refusal.value.detail["update_mask"][0])


def test_a_masked_field_that_nobody_may_change_stays():
    assert changes({"id": "2", "name": "new"}, "update_mask=id,name") == {"name": "new"}


def test_a_mask_never_alters_what_is_stored_now():
    before = dict(CURRENT["policy"])

    changes({"policy": {"days": 7}}, "update_mask=policy.days")

    assert CURRENT["policy"] == before
