from __future__ import annotations

import asyncio

from outbox.dispatching.slots import Slots


async def _pass_through(slots: Slots, seen: list[int], number: int) -> None:
    async with slots:
        seen.append(number)
        await asyncio.sleep(0)


def test_those_who_wait_get_a_slot_in_the_order_of_asking():
    seen: list[int] = []

    async def ask() -> None:
        slots = Slots(2)
        await asyncio.gather(*(_pass_through(slots, seen, number) for number in range(7)))

    asyncio.run(ask())

    assert seen == list(range(7))


def test_never_more_are_inside_than_there_are_slots():
    inside, most = 0, 0

    async def enter(slots: Slots) -> None:
        nonlocal inside, most
        async with slots:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def ask() -> None:
        slots = Slots(3)
        await asyncio.gather(*(enter(slots) for _ in range(20)))

    asyncio.run(ask())

    assert (inside, most) == (0, 3)


def test_one_who_is_interrupted_takes_no_slot_along_even_when_the_turn_had_just_come():
    seen: list[int] = []

    async def ask() -> None:
        slots = Slots(1)
        async with slots:
            waiting, called, last = (
                asyncio.create_task(_pass_through(slots, seen, number)) for number in range(3)
            )
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        called.cancel()  # its turn came with the end of the block, but it has not run yet
        await asyncio.wait_for(last, 5)

    asyncio.run(ask())

    assert seen == [2]
