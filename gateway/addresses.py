"""Where requests may go: which addresses are dialled, and which URLs may be saved.

ValueError
└── ForbiddenTarget   show its sentence to whoever typed the URL, save nothing
"""

from __future__ import annotations

import contextlib
import functools
import re
import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from gateway.names import resolved

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 742  # characters: wire contract, "Webhook"
RESOLVE_SECONDS = 2.0
HTTPS_PORT = 443
FIRST_FREE_PORT = 1024  # below it live other services: mail, shells, directories

# IANA's special-purpose registries, and the clouds' metadata addresses that are not in them.
_SPECIAL = {
    ip_network(network): what
    for network, what in {
        "0.0.0.0/8": "this host",
        "10.0.0.0/8": "a private network",
        "100.64.0.0/10": "a carrier's private network",
        "127.0.0.0/8": "this machine",
        "168.63.129.16/32": "a cloud's metadata service",
        "169.254.0.0/16": "a link-local address",
        "172.16.0.0/12": "a private network",
        "192.0.0.0/24": "a reserved network",
        "192.0.2.0/24": "a documentation network",
        "192.31.196.0/24": "a reserved network",
        "192.52.193.0/24": "a reserved network",
        "192.88.99.0/24": "a relay",
        "192.168.0.0/16": "a private network",
        "192.175.48.0/24": "a reserved network",
        "198.18.0.0/15": "a benchmarking network",
        "198.51.100.0/24": "a documentation network",
        "203.0.113.0/24": "a documentation network",
        "224.0.0.0/4": "a multicast address",
        "240.0.0.0/4": "a reserved network",
        "2001::/23": "a reserved network",  # Teredo, ORCHID, ORCHIDv2, benchmarking, …
        "2001:db8::/32": "a documentation network",
        "2002::/16": "a relay",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48": "a reserved network",
        "3ffe::/16": "a reserved network",
        "3fff::/20": "a documentation network",
    }.items()
}
_PUBLIC_IPV6 = IPv6Network("2000::/3")  # nothing else is routed on the internet
_NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address as a DNS64 resolver spells it
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")


class ForbiddenTarget(ValueError):
    """A URL that may not be saved; its text is a sentence for whoever typed it."""


class Guard:
    """Says which addresses may be dialled: public ones over TLS, and all of the `allowed` networks."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def lists(self, address: str) -> bool:
        """Whether an operator opened this very address."""
        return self._is_listed(_unmapped(address))

    def refuses(self, address: str) -> bool:
        """Whether nothing may be sent to this address, whatever the scheme and the port."""
        return self.refusal(address) != ""

    def refusal(self, address: str, *, port: int = HTTPS_PORT, is_encrypted: bool = True) -> str:
        """Why this address may not be dialled; empty when it may."""
        dialled = _unmapped(address)
        if self._is_listed(dialled):
            return ""
        if what := _special(dialled):
            return f"{address} is {what}"
        if not is_encrypted:
            return f"{address} is outside the allowed networks, so it needs https"
        if port != HTTPS_PORT and port < FIRST_FREE_PORT:
            return f"{address} is outside the allowed networks, so port {port} is closed"
        return ""

    def refusal_of_any(
        self, addresses: Sequence[str], *, port: int = HTTPS_PORT, is_encrypted: bool = True
    ) -> str:
        """Why a name that has these addresses is not called; empty when it is.

        One that may not be dialled is enough, or whoever answers for the name could try which comes through. Unless
        an operator opened another of them: then that is the one that is meant.
        """
        return _refusal_of_any(self, tuple(addresses), port, is_encrypted)

    def _is_listed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)


@functools.lru_cache(maxsize=4096)  # the same few names all day
def _refusal_of_any(guard: Guard, addresses: tuple[str, ...], port: int, is_encrypted: bool) -> str:
    if any(guard.lists(address) for address in addresses):
        return ""
    refusals = (guard.refusal(each, port=port, is_encrypted=is_encrypted) for each in addresses)
    return next(filter(None, refusals), "")


def default_guard() -> Guard:
    """The guard that this installation's settings ask for."""
    return Guard(settings.OUTBOUND_ALLOWED_NETWORKS)


def check_url(url: str, guard: Guard) -> None:
    """Refuse early what the guard would refuse to dial later.

    A name that nobody can resolve now is accepted. Raises ForbiddenTarget.
    """
    if len(url) > LONGEST_URL:
        raise ForbiddenTarget(f"The URL is longer than {LONGEST_URL} characters.")
    parts = urlsplit(ascii_url(url))
    host, port = parts.hostname or "", _port(parts)
    literal = literal_address(host)
    addresses = [literal] if literal else _resolve(host)
    if any(guard.lists(address) for address in addresses):
        return
    if parts.scheme != "https":
        raise ForbiddenTarget("The URL must start with https://: plain http is for allowed networks only.")
    if port != HTTPS_PORT and port < FIRST_FREE_PORT:
        raise ForbiddenTarget(f"The URL may use port {HTTPS_PORT} or one from {FIRST_FREE_PORT} up.")
    if refusal := guard.refusal_of_any(addresses, port=port):
        raise ForbiddenTarget(f"The URL leads where requests may not go: {refusal}.")


def ascii_url(url: str) -> str:
    """The same URL in ASCII: the host by IDNA, the rest percent-encoded. Raises ForbiddenTarget."""
    if _NOT_IN_A_URL.search(url):
        raise ForbiddenTarget("The URL may not hold blanks, backslashes or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenTarget("The URL is malformed.") from error
    if parts.scheme not in {"http", "https"}:
        raise ForbiddenTarget("The URL must start with https://.")
    if "@" in parts.netloc:
        raise ForbiddenTarget("The URL may not hold a user name or a password.")
    host = _ascii_host(parts.hostname or "")
    netloc = host if port is None else f"{host}:{port}"
    path, query = (quote(part, safe="!$%&'()*+,/:;=?@[]~") for part in (parts.path, parts.query))
    return SplitResult(parts.scheme, netloc, path, query, "").geturl()


def literal_address(host: str) -> str:
    """The address that a host spells out, in any spelling the C library takes; empty for a name."""
    bare = host.rstrip(".")
    with contextlib.suppress(ValueError):
        return str(ip_address(bare.strip("[]")))
    with contextlib.suppress(OSError):
        return str(IPv4Address(socket.inet_aton(bare)))
    return ""


def _port(parts: SplitResult) -> int:
    if parts.port is not None:
        return parts.port
    return HTTPS_PORT if parts.scheme == "https" else 80


def _ascii_host(host: str) -> str:
    if not host:
        raise ForbiddenTarget("The URL has no host.")
    if ":" in host:
        return f"[{_ipv6(host)}]"
    try:
        # Full-width digits and ideographic full stops become plain ones here.
        name = host.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError as error:
        raise ForbiddenTarget("The URL's host is no valid name.") from error
    if not _HOST_NAME.fullmatch(name):
        raise ForbiddenTarget("The URL's host is no valid name.")
    return name


def _ipv6(host: str) -> IPv6Address:
    try:
        address = IPv6Address(host)
    except ValueError as error:
        raise ForbiddenTarget("The URL's host is no valid address.") from error
    if address.scope_id:
        raise ForbiddenTarget("The URL's host is an address of one link only.")
    return address


def _unmapped(address: str) -> Address:
    """The address that the kernel dials: `::ffff:a.b.c.d` is IPv4."""
    parsed = ip_address(address.partition("%")[0])
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _special(address: Address) -> str:
    """What an address is when it is not public; empty when it is."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return _special(IPv4Address(address.packed[-4:]))
        if address not in _PUBLIC_IPV6:
            return "not a public address"
    return next((what for network, what in _SPECIAL.items() if address in network), "")


def _resolve(host: str) -> list[str]:
    """The addresses of a name; none when nobody knows them in `RESOLVE_SECONDS`."""
    found: list[str] = []
    # A late answer is nobody's.
    looking = threading.Thread(target=lambda: found.extend(resolved(host)), daemon=True)
    looking.start()
    looking.join(RESOLVE_SECONDS)
    return list(found)
