from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from gateway.addresses import (
    ForbiddenTarget,
    Guard,
    ascii_url,
    check_url,
    default_guard,
    literal_address,
)
from tests.gateway.loopback import LOOPBACK

FORBIDDEN = [
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::10.0.0.1",
    "::8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:2f:ffff::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3ffe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address):
    assert Guard().refuses(address)
    assert address in Guard().refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_open_over_tls_only(address):
    assert not Guard().refuses(address)
    assert "https" in Guard().refusal(address, is_encrypted=False)


@pytest.mark.parametrize(
    "network",
    ["0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "fc00::/7", "2001:db8::/32"],
)
def test_a_forbidden_network_is_forbidden_from_its_first_to_its_last_address(network):
    edges = ip_network(network)

    assert Guard().refuses(str(edges[0]))
    assert Guard().refuses(str(edges[-1]))


def test_a_listed_network_is_open_to_any_port_and_scheme_and_nothing_beside_it_is():
    guard = Guard([ip_network("10.1.0.0/16")])

    assert guard.refusal("10.1.2.3", port=22, is_encrypted=False) == ""
    assert guard.refusal("::ffff:10.1.2.3", port=22, is_encrypted=False) == ""
    assert guard.refuses("10.2.0.1")
    assert guard.refuses("64:ff9b::10.1.2.3")


def test_a_listed_network_of_one_address_opens_no_other():
    guard = Guard([ip_network("127.0.0.1/32")])

    assert not guard.refuses("127.0.0.1")
    assert guard.refuses("127.0.0.2")
    assert guard.refuses("::1")


@pytest.mark.parametrize(("port", "is_open"), [(443, True), (8443, True), (22, False), (25, False)])
def test_towards_public_addresses_the_ports_of_other_services_are_closed(port, is_open):
    assert (Guard().refusal("8.8.8.8", port=port) == "") is is_open


def test_the_default_guard_knows_the_networks_of_the_settings(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("10.0.0.0/8")]

    assert not default_guard().refuses("10.0.0.1")
    assert default_guard().refuses("127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "https://example.com./hook",
        "https://EXAMPLE.com:8443/hook?a=b#c",
        "https://bücher.example/hook",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]:443/hook",
        "https://nobody.invalid/hook",
        "https://my_hooks.example.com/",
        "https://example.com/" + "a" * 722,
    ],
)
def test_a_public_url_may_be_saved(url):
    check_url(url, Guard())


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "https"),
        ("example.com/hook", "https"),
        ("//example.com/hook", "https"),
        ("ftp://example.com/", "https"),
        ("javascript:alert(1)", "https"),
        ("http://example.com/hook", "plain http"),
        ("http://8.8.8.8/hook", "plain http"),
        ("https://8.8.8.8:25/hook", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:99999/", "malformed"),
        ("https://example.com:a/", "malformed"),
        ("https://user@example.com/", "user name"),
        ("https://user:password@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https:///hook", "host"),
        ("https://:443/", "host"),
        ("https://[::1/", "malformed"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://a..example/", "host"),
        ("https://exa%6dple.com/", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
        ("https://example.com/a b", "blanks"),
        ("https://example.com\\@127.0.0.1/", "backslashes"),
        ("https://example.com/\r\nX: y", "control"),
        ("https://example.com/" + "a" * 723, "742"),
        ("https://169.254.169.254/latest/meta-data/", "link-local"),
    ],
)
def test_a_url_that_may_not_be_saved_is_refused_with_a_sentence(url, word):
    with pytest.raises(ForbiddenTarget, match=word) as refusal:
        check_url(url, Guard())

    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "url",
    ["http://localhost:9000/hook", "http://127.0.0.1/", "https://127.0.0.1:25/", "http://[::1]:1/"],
)
def test_towards_listed_networks_plain_http_and_any_port_may_be_saved(url):
    check_url(url, LOOPBACK)


def test_a_url_is_put_into_ascii_as_browsers_do():
    assert ascii_url("https://Bücher.example:8443/straße?q=ü%20#top") == (
        "https://xn--bcher-kva.example:8443/stra%C3%9Fe?q=%C3%BC%20"
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0x7f.1", "127.0.0.1"),
        ("127.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("example.com", ""),
        ("1.2.3.4.5", ""),
    ],
)
def test_a_literal_address_is_read_as_the_c_library_reads_it(host, address):
    assert literal_address(host) == address
    assert not address or ip_address(address)
