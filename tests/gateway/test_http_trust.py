from __future__ import annotations

import ssl
from ipaddress import ip_network

import pytest
import trustme

from gateway.addresses import Guard
from gateway.http import Client, Request
from tests.gateway.loopback import LOOPBACK, serving


def test_no_proxy_is_taken_from_the_environment(run, monkeypatch):
    async def body():
        async with serving() as proxy, serving() as server:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url())
            async with Client(guard=LOOPBACK) as client:
                assert (await client.send(Request("GET", server.url()))).status == 200

            assert (proxy.connections, server.connections) == (0, 1)

    run(body)


def test_an_egress_proxy_gets_every_request_but_those_to_forbidden_addresses(run, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")

    async def body():
        async with serving() as proxy, Client(guard=Guard(), proxy=proxy.url()) as client:
            assert (await client.send(Request("GET", "http://hooks.example/a"))).status == 200
            assert (await client.send(Request("GET", "https://0x7f.1/a"))).error == "forbidden"

        assert [received.head.split("\r\n")[0] for received in proxy.requests] == [
            "GET http://hooks.example/a HTTP/1.1"
        ]

    run(body)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_tls_is_spoken_with_a_server_whose_authority_is_trusted(run, authority):
    async def body():
        with authority.cert_pem.tempfile() as ca_file:
            async with (
                serving(tls=server_tls(authority, "localhost")) as server,
                Client(guard=LOOPBACK, ca_file=ca_file) as client,
            ):
                for _ in range(10):
                    response = await client.send(Request("GET", server.url(host="localhost")))
                    assert response.status == 200

                assert server.connections == 1

    run(body)


def test_a_certificate_of_a_stranger_or_for_another_name_is_refused(run, authority):
    async def body():
        tls = server_tls(authority, "another.example")
        with authority.cert_pem.tempfile() as ca_file:
            async with (
                serving(tls=tls) as server,
                Client(guard=LOOPBACK) as public,
                Client(guard=LOOPBACK, ca_file=ca_file) as trusting,
            ):
                for client in (public, trusting):
                    response = await client.send(Request("GET", server.url(host="localhost")))
                    assert (response.status, response.error) == (0, "tls")

        assert not server.requests

    run(body)


def test_a_listed_network_of_one_address_opens_that_address_only(run):
    async def body():
        async with serving(host="0.0.0.0") as server:  # noqa: S104 - so that both addresses would answer
            async with Client(guard=Guard([ip_network("127.0.0.2/32")])) as client:
                assert (await client.send(Request("GET", server.url(host="127.0.0.2")))).status == 200
                refused = await client.send(Request("GET", server.url(host="127.0.0.3")))

            assert (refused.status, refused.error) == (0, "forbidden")
            assert server.connections == 1

    run(body)
