from __future__ import annotations

from collections.abc import Callable
from functools import partial

from outbox.dispatching.slots import Slots


def test_those_who_wait_get_a_slot_in_the_order_of_asking():
    slots, seen = Slots(2), list[int]()
    for number in range(7):
        slots.take(partial(seen.append, number))
    assert seen == [0, 1]

    for _ in range(5):
        slots.give_back()

    assert seen == list(range(7))


def test_never_more_are_inside_than_there_are_slots():
    slots, inside, most = Slots(3), list[Callable[[], None]](), 0
    for _ in range(20):
        slots.take(lambda: inside.append(slots.give_back))

    while inside:
        most = max(most, len(inside))
        inside.pop()()

    assert most == 3


def test_thousands_who_wait_and_need_it_no_longer_give_it_back_at_once():
    slots, seen = Slots(1), list[int]()

    def look_in(number: int) -> None:
        seen.append(number)
        slots.give_back()

    slots.take(lambda: None)
    for number in range(5000):
        slots.take(partial(look_in, number))
    slots.give_back()

    assert seen == list(range(5000))


def test_a_slot_that_nobody_waits_for_is_there_for_the_next():
    slots, seen = Slots(1), list[str]()
    slots.take(partial(seen.append, "first"))
    slots.give_back()

    slots.take(partial(seen.append, "second"))

    assert seen == ["first", "second"]
