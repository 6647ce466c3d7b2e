import base64
import json
import re

import pytest
from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from projects.requests.paging import Page
from tests.factories import make_contact, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


def page(**parameters):
    return Page.asked(parameters, largest=20)


def walk(rows, by, size):
    """Every row that a client sees who follows the tokens."""
    seen, token = [], ""
    while True:
        found, token = page(page_size=str(size), page_token=token).cut(rows, by=by)
        seen += [row.pk for row in found]
        if not token:
            return seen


@pytest.mark.parametrize("by", [("id",), ("-id",), ("display_name", "id"), ("-created_at", "-id")])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_show_every_row_once_in_order(project, by, size):
    for number in range(7):
        make_contact(project, display_name=f"{number % 3}")
    expected = list(Contact.objects.order_by(*by).values_list("pk", flat=True))

    assert walk(Contact.objects.all(), by, size) == expected


def test_a_page_that_is_just_full_is_the_last_one(project):
    make_contact(project)
    make_contact(project)

    rows, token = page(page_size="2").cut(Contact.objects.all(), by=("id",))

    assert len(rows) == 2
    assert token == ""


def test_rows_that_come_or_go_between_two_pages_move_no_other(project):
    contacts = sorted([make_contact(project) for _ in range(6)], key=lambda contact: contact.pk)
    newest_first = [contact.pk for contact in reversed(contacts)]
    first, token = page(page_size="3").cut(Contact.objects.all(), by=("-id",))
    make_contact(project)
    contacts[4].delete()

    second, _ = page(page_size="3", page_token=token).cut(Contact.objects.all(), by=("-id",))

    assert [row.pk for row in first] == newest_first[:3]
    assert [row.pk for row in second] == newest_first[3:]


def test_a_token_is_safe_in_any_url(project):
    for number in range(40):
        make_contact(project, display_name="ÿþ?>~" * (number % 5))

    by = ("display_name", "id")
    tokens = [page(page_size=str(size)).cut(Contact.objects.all(), by=by)[1] for size in range(1, 20)]

    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", token) for token in tokens)


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def assert_refused(token):
    with pytest.raises(ValidationError) as refusal:
        page(page_token=token).cut(Contact.objects.all(), by=("-created_at", "-id"))
    assert list(refusal.value.detail) == ["page_token"]


@pytest.mark.parametrize(
    "token",
    ["nonsense", "%%%", "ü", "a", "AAAA", "a b", encoded([]), encoded({}), encoded("x"), encoded([1]), encoded(["x"]),
     ["a"], 7, "=" * 9],
)  # fmt: skip
def test_a_token_that_is_none_of_ours_is_refused(project, token):
    assert_refused(token)


@pytest.mark.parametrize(
    "key",
    [[], ["x"], ["x", "y", "z"], [None, None], ["2026-01-01", "0" * 26], ["a\0", "0" * 26],
     ["2026-13-01T00:00:00Z", "0" * 26]],
)  # fmt: skip
def test_a_token_of_ours_that_was_altered_is_refused(project, key):
    make_contact(project)
    make_contact(project)
    _, token = page(page_size="1").cut(Contact.objects.all(), by=("-created_at", "-id"))
    mark = json.loads(base64.urlsafe_b64decode(token + "=="))[0]

    assert_refused(encoded([mark, *key]))


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "1e3", "9" * 5000, "٣", " ", True, 2.0, [1], "1_0"])
def test_a_page_size_that_is_no_positive_number_is_refused(size):
    with pytest.raises(ValidationError) as refusal:
        page(page_size=size)

    assert list(refusal.value.detail) == ["page_size"]


@pytest.mark.parametrize(
    ("given", "size"), [(None, 10), ("", 10), ("1", 1), ("20", 20), ("21", 20), ("9" * 4000, 20), (7, 7)]
)
def test_a_page_size_above_the_largest_is_capped(given, size):
    assert page(page_size=given).size == size


def test_the_default_never_exceeds_the_largest():
    assert Page.asked({}, default=10, largest=5).size == 5
