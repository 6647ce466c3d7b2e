from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from gateway.http import Client, Request, Response
from tests.gateway.loopback import LOOPBACK, OK, Received, hang, serving


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.005)


def test_a_hundred_requests_in_a_row_share_one_connection(run):
    async def body():
        async with serving() as server, Client(guard=LOOPBACK) as client:
            for _ in range(100):
                assert (await client.send(Request("POST", server.url(), body=b"{}"))).status == 200

        assert (server.connections, len(server.requests)) == (1, 100)

    run(body)


async def answer_once(received: Received, writer: asyncio.StreamWriter) -> None:
    """The first request; the others are taken, and the connection breaks."""
    if received.body == b"first":
        writer.write(OK)
    else:
        writer.close()


def test_what_must_not_come_twice_is_not_sent_again_when_a_kept_connection_breaks(run):
    async def body():
        async with serving(answer_once) as server, Client(guard=LOOPBACK) as client:
            await client.send(Request("POST", server.url(), body=b"first"))
            sent = Request("POST", server.url(), body=b"second", is_repeatable=False)
            response = await client.send(sent)
            await until(lambda: server.connections == 2 and not server.tasks)

        assert (response.error, response.peer) == ("protocol", "127.0.0.1")
        assert [request.body for request in server.requests] == [b"first", b"second"]

    run(body)


def test_what_may_come_twice_is_sent_again_at_once_when_a_kept_connection_breaks(run):
    async def body():
        async with serving(answer_once) as server, Client(guard=LOOPBACK) as client:
            await client.send(Request("POST", server.url(), body=b"first"))
            await client.send(Request("POST", server.url(), body=b"second"))

        assert [request.body for request in server.requests] == [b"first", b"second", b"second"]

    run(body)


def test_a_handle_that_sent_what_must_not_come_twice_sends_again_what_may(run):
    async def body():
        async with serving(answer_once) as server, Client(guard=LOOPBACK) as client:
            for is_repeatable in (False, True):
                await client.send(Request("POST", server.url(), body=b"first", is_repeatable=is_repeatable))
            await client.send(Request("POST", server.url(), body=b"second"))

        assert len(server.requests) == 4

    run(body)


def test_a_hundred_requests_at_once_do_not_wait_for_each_other(run):
    async def slowly(_: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def body():
        async with serving(slowly) as server, Client(guard=LOOPBACK) as client:
            started = time.monotonic()
            responses = await asyncio.gather(
                *(client.send(Request("POST", server.url(), body=b"{}")) for _ in range(100))
            )

        assert [response.status for response in responses] == [200] * 100
        assert time.monotonic() - started < 5

    run(body)


def test_many_senders_that_go_on_sending_all_get_their_own_answers(run):
    async def repeat(received: Received, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(received.body)}\r\n\r\n"
        writer.write(head.encode() + received.body)

    async def body():
        async with serving(repeat) as server, Client(guard=LOOPBACK) as client:

            async def go_on(sender: int) -> None:
                for turn in range(30):
                    said = f"{sender}-{turn}".encode()
                    response = await client.send(Request("POST", server.url(), body=said, timeout=5))
                    assert response.body == said

            await asyncio.wait_for(asyncio.gather(*(go_on(sender) for sender in range(32))), 20)

        assert server.connections <= 32

    run(body)


def test_a_hanging_server_does_not_delay_the_others(run):
    async def body():
        async with serving(hang) as hanging, serving() as server, Client(guard=LOOPBACK) as client:
            stuck = [
                asyncio.ensure_future(client.send(Request("GET", hanging.url(), timeout=1)))
                for _ in range(20)
            ]
            response = await asyncio.wait_for(client.send(Request("GET", server.url())), 0.8)
            assert response.status == 200
            assert {(await each).error for each in stuck} == {"timeout"}

    run(body)


def test_a_kept_connection_that_the_server_closed_is_opened_again(run):
    async def close_after(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def body():
        async with serving(close_after) as server, Client(guard=LOOPBACK) as client:
            for _ in range(5):
                assert (await client.send(Request("POST", server.url(), body=b"{}"))).status == 200
                await asyncio.sleep(0.01)

        assert server.connections == 5

    run(body)


def test_a_cancelled_request_leaves_the_client_usable(run):
    async def body():
        async with serving(hang) as hanging, serving() as server, Client(guard=LOOPBACK) as client:
            for _ in range(20):
                task = asyncio.ensure_future(client.send(Request("GET", hanging.url())))
                await asyncio.sleep(0.005)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert (await client.send(Request("GET", server.url()))).status == 200

    run(body)


def test_closing_the_client_cancels_what_is_on_its_way(run):
    async def body():
        async with serving(hang) as server:
            async with Client(guard=LOOPBACK) as client:
                task = asyncio.ensure_future(client.send(Request("GET", server.url())))
                await asyncio.sleep(0.05)
            with pytest.raises(asyncio.CancelledError):
                await task

    run(body)


def test_who_is_called_back_is_called_once_and_not_before_starting_has_ended(run):
    async def body():
        async with serving() as server, Client(guard=LOOPBACK) as client:
            answers: list[Response] = []
            for url in [server.url(), "ftp://nobody.example/", server.url()]:
                client.start(Request("POST", url, body=b"{}"), then=answers.append)
            assert answers == []
            await until(lambda: len(answers) == 3)
            await asyncio.sleep(0.05)

        assert sorted((answer.status, answer.error) for answer in answers) == [
            (0, "bad_url"),
            (200, ""),
            (200, ""),
        ]

    run(body)


def test_of_what_was_given_up_nothing_is_told_and_others_go_on(run):
    async def body():
        async with serving(hang) as hanging, serving() as server, Client(guard=LOOPBACK) as client:
            told: list[Response] = []
            for target in [hanging.url(), "ftp://nobody.example/"]:
                client.start(Request("POST", target), then=told.append)()
            ended: list[Response] = []
            give_up = client.start(Request("POST", server.url()), then=ended.append)
            await until(lambda: bool(ended))
            again = asyncio.ensure_future(client.send(Request("POST", server.url())))
            await asyncio.sleep(0)
            give_up()  # too late: by now another has the handle

            assert (await asyncio.wait_for(again, 5)).status == 200
        assert told == []

    run(body)


def test_a_connection_that_is_closed_while_it_is_idle_keeps_nobody_busy(run):
    async def close_soon(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        asyncio.get_running_loop().call_later(0.02, writer.close)

    async def body():
        async with serving(close_soon) as server, Client(guard=LOOPBACK) as client:
            assert (await client.send(Request("POST", server.url()))).status == 200
            await asyncio.sleep(0.05)
            worked = time.thread_time()
            await asyncio.sleep(0.3)
            assert time.thread_time() - worked < 0.1

            assert (await client.send(Request("POST", server.url()))).status == 200

    run(body)
