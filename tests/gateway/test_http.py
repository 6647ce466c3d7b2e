from __future__ import annotations

import asyncio

import pytest

from gateway.addresses import Guard
from gateway.http import Client, Request, Response
from tests.gateway.loopback import LOOPBACK, Received, answering, hang, serving


def test_a_post_arrives_as_it_was_sent(run):
    async def body():
        async with serving() as server, Client(guard=LOOPBACK) as client:
            headers = {"Content-Type": "application/json", "X-Blank": "", "X-Text": "grüße"}
            response = await client.send(Request("POST", server.url("/hook?a=1"), headers, b'{"a":1}'))

        received = server.requests[0]
        assert (response.status, response.body, response.error) == (200, b"ok", "")
        assert response.headers["content-length"] == "2"
        assert response.peer == "127.0.0.1"
        assert 0 < response.timings.connect <= response.timings.first_byte <= response.timings.total
        assert received.head.startswith("POST /hook?a=1 HTTP/1.1\r\n")
        assert received.body == b'{"a":1}'
        assert received.header("content-type") == "application/json"
        assert received.header("x-blank") == ""
        assert received.header("expect") is None
        assert received.header("cookie") is None

    run(body)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
def test_every_method_is_sent_after_any_other(run, method):
    async def body():
        async with (
            serving(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as server,
            Client(guard=LOOPBACK) as client,
        ):
            for each in ["POST", method, "HEAD", method, "POST"]:
                sent = b"x" if each in {"POST", "PUT", "PATCH"} else b""
                response = await client.send(Request(each, server.url(), body=sent))
                assert response.status == 204
                assert server.requests[-1].head.startswith(f"{each} / ")
                assert server.requests[-1].body == sent
                assert server.requests[-1].header("content-type") is None

    run(body)


def test_an_answer_that_is_known_needs_no_network(run):
    async def body():
        async with Client(guard=Guard()) as client:
            answer = Response(200, body=b"{}")
            assert await client.send(Request("POST", "sandbox:messages", answer=answer)) is answer

    run(body)


def test_a_server_that_hangs_ends_in_a_timeout(run):
    async def body():
        async with serving(hang) as server, Client(guard=LOOPBACK) as client:
            response = await client.send(Request("POST", server.url(), body=b"{}", timeout=0.2))

        assert (response.status, response.error) == (0, "timeout")
        assert 0.15 < response.timings.total < 2

    run(body)


def test_a_closed_port_is_a_failed_connection(run):
    async def body():
        async with serving() as server:
            url = server.url()
        async with Client(guard=LOOPBACK) as client:
            assert (await client.send(Request("GET", url))).error == "connect"

    run(body)


def test_a_connection_that_breaks_off_is_no_answer(run):
    async def body():
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal"

        async def break_off(_: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(cut)
            writer.close()

        async with serving(break_off) as server, Client(guard=LOOPBACK) as client:
            response = await client.send(Request("GET", server.url()))

        assert (response.status, response.error) == (0, "protocol")

    run(body)


def test_a_name_that_nobody_knows_is_a_dns_failure(run):
    async def body():
        async with Client(guard=LOOPBACK) as client:
            response = await client.send(Request("GET", "https://nobody.invalid/", timeout=20))

        assert response.error == "dns"

    run(body)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://exa mple/",
        "http://127.0.0.1/\r\nX-Injected: 1",
    ],
)
def test_what_is_no_address_of_a_web_server_is_not_sent(run, url):
    async def body():
        async with Client(guard=LOOPBACK) as client:
            assert (await client.send(Request("GET", url))).error == "bad_url"

    run(body)


def test_a_header_with_a_line_break_is_not_sent(run):
    async def body():
        async with serving() as server, Client(guard=LOOPBACK) as client:
            response = await client.send(Request("GET", server.url(), {"X-A": "b\r\nX-C: d"}))
            assert response.error == "bad_url"
            assert not server.connections

    run(body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_returned_and_never_followed(run, status):
    async def body():
        async with serving() as canary:
            moved = f"HTTP/1.1 {status} Moved\r\nLocation: {canary.url()}\r\nContent-Length: 0\r\n\r\n"
            async with serving(answering(moved.encode())) as server, Client(guard=LOOPBACK) as client:
                response = await client.send(Request("POST", server.url(), body=b"{}"))

            assert response.status == status
            assert response.headers["location"] == canary.url()
            assert not canary.connections

    run(body)


def test_of_a_long_body_only_its_beginning_is_kept(run):
    async def body():
        long = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
        async with serving(answering(long)) as server, Client(guard=LOOPBACK) as client:
            short = await client.send(Request("GET", server.url()))
            longer = await client.send(Request("GET", server.url(), max_body=10_000))

        assert (short.status, len(short.body)) == (200, 4096)
        assert (longer.status, len(longer.body)) == (200, 10_000)
        assert server.connections == 1

    run(body)


def test_a_body_without_end_is_cut(run):
    async def pour(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def body():
        async with serving(pour) as server, Client(guard=LOOPBACK) as client:
            response = await client.send(Request("GET", server.url()))

        assert (response.status, response.error, len(response.body)) == (200, "", 4096)

    run(body)


def test_the_headers_of_an_interim_answer_are_not_the_answers(run):
    async def body():
        interim = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        final = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n"
        async with serving(answering(interim + final)) as server, Client(guard=LOOPBACK) as client:
            response = await client.send(Request("GET", server.url()))

        assert response.headers == {"x-a": "1, 2", "content-length": "0"}

    run(body)


def test_a_cookie_is_not_given_back(run):
    async def body():
        raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        async with serving(answering(raw)) as server, Client(guard=LOOPBACK) as client:
            for _ in range(2):
                await client.send(Request("GET", server.url()))

        assert server.requests[1].header("cookie") is None

    run(body)
