import time
import uuid

import pytest

from projects import ids


def test_an_id_has_26_characters_of_crockfords_alphabet():
    assert all(ids.is_ulid(ids.ulid()) for _ in range(100))
    assert len(ids.ulid()) == 26


def test_a_later_id_sorts_after_an_earlier_one_inside_and_outside():
    earlier = ids.ulid()
    time.sleep(0.002)
    later = ids.ulid()

    assert earlier < later
    assert ids.to_uuid(earlier) < ids.to_uuid(later)


def test_an_id_and_its_uuid_are_the_same_128_bits():
    value = uuid.uuid4()

    assert ids.to_uuid(ids.from_uuid(value)) == value
    assert ids.from_uuid(uuid.UUID(int=0)) == "0" * 26
    assert ids.from_uuid(uuid.UUID(int=2**128 - 1)) == "7" + "Z" * 25


@pytest.mark.parametrize(
    "text", ["", "0" * 25, "0" * 27, "8" + "0" * 25, "I" * 26, "0" * 25 + "l", "0" * 25 + "\n"]
)
def test_what_is_no_id_is_not_taken_for_one(text):
    assert not ids.is_ulid(text)
    with pytest.raises(ValueError, match="not a ULID"):
        ids.to_uuid(text)
