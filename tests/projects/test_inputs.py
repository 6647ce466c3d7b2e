from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from gateway.channels.base import Channel
from portal import errors
from projects.models import App
from projects.requests.inputs import Day, Flag, Input, Inputs, Listing, Moment, OneOf, Pairs, Text, Whole


class Fox(Input):
    name = Text()
    tail = Whole(required=False, min_value=1, max_value=9)


class Den(Input):
    name = Text(max_length=5)
    note = Text(default="")
    depth = Whole(default=3)
    is_warm = Flag(default=False)
    channel = OneOf(Channel, default=Channel.SMS)
    dug_on = Day(required=False)
    seen_at = Moment(required=False)
    tags = Listing(child=Text(), default=list)
    signs = Pairs(child=Text(), required=False)
    owner = Fox(required=False)
    cubs = Inputs(child=Fox(), default=list)


def read(**fields):
    return Den.read({"name": "Earth"} | fields)


def refused(read_it, *arguments, **fields):
    with pytest.raises(ValidationError) as refusal:
        read_it(*arguments, **fields)
    details = errors.body(refusal.value)["error"]["details"][0]["fieldViolations"]
    return {violation["field"]: violation["description"] for violation in details}


def test_what_a_client_leaves_out_has_its_default_or_is_not_there():
    assert read() == {
        "name": "Earth", "note": "", "depth": 3, "is_warm": False, "channel": Channel.SMS, "tags": [], "cubs": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", 7, "must be a string"),
        ("name", True, "must be a string"),
        ("name", ["Earth"], "must be a string"),
        ("name", " ", "must not be empty"),
        ("name", "Earths", "must have at most 5 characters"),
        ("depth", "3", "must be a whole number"),
        ("depth", 3.0, "must be a whole number"),
        ("depth", True, "must be a whole number"),
        ("is_warm", "true", "must be true or false"),
        ("is_warm", 1, "must be true or false"),
        ("channel", "FAX", "must be one of WHATSAPP, RCS, SMS"),
        ("channel", ["SMS"], "must be one of"),
        ("channel", "", "must be one of"),
        ("dug_on", "soon", "must be a day, e.g. 2027-12-31"),
        ("dug_on", 20271231, "must be a day"),
        ("dug_on", "2027-12-31T00:00:00Z", "must be a day"),
        ("tags", "a,b", "must be a list"),
        ("tags", {}, "must be a list"),
        ("signs", [], "must be an object"),
        ("owner", "Reynard", "must be an object"),
        ("owner", [], "must be an object"),
        ("cubs", {}, "must be a list"),
    ],
)
def test_nothing_is_guessed(field, value, says):
    assert refused(read, **{field: value})[field].startswith(says)


def test_null_is_absence():
    assert read(note=None, depth=None, is_warm=None, channel=None, owner=None, cubs=None) == read()
    assert refused(Den.read, {"name": None}) == {"name": "is required"}
    assert refused(Den.read, {}) == {"name": "is required"}


def test_an_absent_choice_is_refused_with_all_there_are():
    class Line(Input):
        channel = OneOf(Channel)

    assert refused(Line.read, {})["channel"].startswith("must be one of WHATSAPP, RCS")


def test_unknown_keys_are_ignored():
    assert read(colour="red", owner={"name": "Reynard", "colour": "red"})["owner"] == {"name": "Reynard"}


def test_a_text_keeps_its_blanks_and_may_be_empty_where_it_may_be_absent():
    assert read(name=" a ", note="")["name"] == " a "
    assert read(note="")["note"] == ""


def test_a_choice_is_a_member_of_its_enumeration():
    assert read(channel="RCS")["channel"] is Channel.RCS


def test_every_fault_is_told_by_its_path():
    given = {
        "owner": {"name": "Reynard", "tail": 10},
        "cubs": [{"name": "a"}, {"name": 7}, "c", {}],
        "tags": ["a", 7, None],
        "signs": {"door": 7},
    }

    assert refused(read, **given) == {
        "owner.tail": "must be at most 9",
        "cubs[1].name": "must be a string",
        "cubs[2]": "must be an object",
        "cubs[3].name": "is required",
        "tags[1]": "must be a string",
        "tags[2]": "is required",
        "signs.door": "must be a string",
    }


@pytest.mark.parametrize(("field", "entry"), [("tags", "a"), ("cubs", {"name": "a"})])
def test_a_list_has_at_most_100_entries(field, entry):
    assert len(read(**{field: [entry] * 100})[field]) == 100
    assert refused(read, **{field: [entry] * 101}) == {field: "must have at most 100 entries"}


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_is_an_object(body):
    with pytest.raises(ValidationError):
        Den.read(body)


def test_of_a_change_the_named_fields_alone_are_read_and_null_is_their_default():
    assert Den.read_named({}) == {}
    assert Den.read_named({"depth": None, "note": "new"}) == {"depth": 3, "note": "new"}
    assert refused(Den.read_named, {"name": None}) == {"name": "is required"}


def test_an_object_inside_a_change_is_whole():
    assert refused(Den.read_named, {"owner": {"tail": 2}}) == {"owner.name": "is required"}


def test_every_field_can_be_reset_with_the_fields_of_inner_objects():
    assert Den.empty() == dict.fromkeys(Den().fields) | {"owner": {"name": None, "tail": None}}


def test_an_empty_query_parameter_was_not_given():
    class Filter(Input):
        channel = OneOf(Channel, required=False)
        name = Text(required=False)

    assert Filter.read_query(QueryDict("channel=&name=x&colour=red")) == {"name": "x"}


class OfModels(Input):
    email = Text.of(Contact, "email")
    language = OneOf.of(Contact, "language")
    display_name = Text.of(App, "display_name")
    retry_duration = Whole.of(App, "retry_duration")
    smart_conversation = Flag.of(App, "smart_conversation")
    processing_mode = OneOf.of(App, "processing_mode")


def test_a_default_is_that_of_the_models_field(settings):
    settings.DEFAULT_PROCESSING_MODE = "DISPATCH"

    assert OfModels.read({"display_name": "Shop"}) == {
        "email": "", "language": "UNSPECIFIED", "display_name": "Shop", "retry_duration": 3600,
        "smart_conversation": False, "processing_mode": "DISPATCH",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("email", "x" * 321, "must have at most 320 characters"),
        ("display_name", "x" * 256, "must have at most 255 characters"),
        ("display_name", "", "must not be empty"),
        ("display_name", None, "is required"),
        ("language", "KLINGON", "must be one of UNSPECIFIED, AF, SQ"),
        ("retry_duration", 29, "must be at least 30"),
        ("retry_duration", 3601, "must be at most 3600"),
    ],
)
def test_bounds_are_those_of_the_models_field(field, value, says):
    assert refused(OfModels.read, {"display_name": "Shop", field: value})[field].startswith(says)


@pytest.mark.parametrize(
    "written",
    [
        "2027-12-31T23:59:59.5Z",
        "2027-12-31T23:59:59.500000000Z",
        "2028-01-01T01:59:59.5+02:00",
        "2028-01-01T01:59:59.5 02:00",
    ],
)
def test_a_time_is_read_with_any_fraction_and_offset_even_one_that_a_query_has_lost_the_plus_of(written):
    assert read(seen_at=written)["seen_at"] == datetime(2027, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("written", ["noon", "", 1, "2027-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_refused(written):
    assert refused(read, seen_at=written) == {"seen_at": "must be a time, e.g. 2027-12-31T23:59:59Z"}


def test_a_field_in_camel_case_is_refused_and_what_means_no_field_is_passed_over():
    assert refused(read, isWarm=True) == {"isWarm": "is written is_warm"}
    assert refused(read, cubs=[{"name": "Kit"}, {"name": "Kat", "Tail": 1}]) == {
        "cubs[1].Tail": "is written tail"
    }
    assert read(tailLength=2)["name"] == "Earth"
