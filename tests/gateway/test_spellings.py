# ruff: noqa: S104 - look-alike digits and the address of every interface are what is tested here
from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest

from gateway.addresses import ForbiddenTarget, Guard, check_url
from gateway.http import Client, Request
from tests.gateway.loopback import LOOPBACK, serving

# Every one of them is 127.0.0.1 or another door to this machine for some parser, resolver or kernel.
SPELLINGS_OF_THIS_MACHINE = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.1.1.1",
    "127.255.255.254",
    "2130706433",
    "2130706434",
    "017700000001",
    "00000017700000001",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7F.0.0x0.1",
    "0177.0.0.1",
    "0177.1",
    "0177.0.0.01",
    "00177.0x0.0.1",
    "0177.0x00.0x0.0001",
    "127.0x0.1",
    "127.0.0x1",
    "127.00.00.01",
    "0x0000007f.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127.0.0。1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "０ｘ７ｆ．１",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "ＬＯＣＡＬＨＯＳＴ",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "0",
    "0.",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0",
    "0.1.2.3",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:0.0.0.0]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[::1%25lo]",
    "[fe80::1%25lo]",
]


def test_no_spelling_of_this_machine_is_ever_connected():
    async def knock() -> None:
        async with (
            serving(host="0.0.0.0") as canary,  # every address of this machine would reach it
            serving(host="::1") as canary_6,
            Client(guard=Guard()) as client,
        ):
            for spelling in SPELLINGS_OF_THIS_MACHINE:
                for port in (canary.port, canary_6.port):
                    for scheme in ("http", "https"):
                        request = Request("GET", f"{scheme}://{spelling}:{port}/", timeout=2)
                        response = await client.send(request)
                        assert response.error in {"forbidden", "bad_url", "dns"}, (spelling, response)
            assert canary.connections + canary_6.connections == 0

    assert len(SPELLINGS_OF_THIS_MACHINE) >= 60
    asyncio.run(knock())


def test_the_same_spellings_do_reach_a_machine_that_is_listed():
    async def knock() -> int:
        async with serving(host="0.0.0.0") as server, Client(guard=LOOPBACK) as client:
            for spelling in SPELLINGS_OF_THIS_MACHINE:
                await client.send(Request("GET", f"http://{spelling}:{server.port}/", timeout=2))
            return len(server.requests)

    assert asyncio.run(knock()) >= 30  # so the canary above was no deaf one


def test_of_a_name_with_several_addresses_only_the_listed_ones_are_dialled():
    async def knock() -> None:
        async with (
            serving(host="127.0.0.1") as server,
            Client(guard=Guard([ip_network("127.0.0.1/32")])) as client,
        ):
            assert (await client.send(Request("GET", server.url(host="localhost")))).status == 200

    asyncio.run(knock())


@pytest.mark.parametrize("spelling", SPELLINGS_OF_THIS_MACHINE)
def test_no_spelling_of_this_machine_may_be_saved(spelling):
    with pytest.raises(ForbiddenTarget):
        check_url(f"https://{spelling}/hook", Guard())
