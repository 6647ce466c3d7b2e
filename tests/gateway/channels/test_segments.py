from __future__ import annotations

import pytest

from gateway.channels.segments import BASIC, EXTENDED, Segments, count


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("åÄñß£¥Ωé@\n", "GSM-7", 10, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 134, "UCS-2", 134, 2),
        ("ж" * 135, "UCS-2", 135, 3),
        ("ç", "UCS-2", 1, 1),  # only its capital is in GSM-7
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
    ],
)
def test_a_text_is_counted_in_its_alphabet(text, encoding, units, parts):
    assert count(text) == Segments(encoding, units, parts)


def test_one_emoji_turns_all_to_ucs_2():
    assert count("a" * 159).parts == 1
    assert count("a" * 159 + "😀") == Segments("UCS-2", 161, 3)


def test_no_character_is_cut_in_two():
    # 153 septets leave one for an escape: its second half has no room, so both go to the next part.
    assert count("a" * 152 + "€" + "a" * 152).parts == 3
    assert count("ж" * 66 + "😀" + "ж" * 66).parts == 3


def test_the_basic_alphabet_has_all_but_the_escape():
    assert len(BASIC) == 127
    assert not BASIC & EXTENDED
