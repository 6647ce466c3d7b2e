"""One exchange at a time over libcurl: how a request is put to it, and what its end means."""

from __future__ import annotations

import functools
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pycurl

from gateway.addresses import Guard, ascii_url, literal_address
from gateway.exchange import Request, Response, Timings
from gateway.names import Addresses

DRAINED_BYTES = 65_536  # read beyond those kept, so that the connection can be kept too; then it is cut
KEPT_SECONDS = 118  # of idleness in which a connection can be used again: libcurl's own choice
FRESH_SECONDS = 3  # the same, where a request must not come twice; servers wait for 5 at least
CONNECT_SECONDS = 10.0  # for the name, the connection and TLS together


class Transfer:
    """One easy handle, used again and again, and what it has received of the present answer."""

    def __init__(self, *, guard: Guard, proxy: str, ca_file: str) -> None:
        self._guard = guard
        self._proxy = proxy
        self.is_under_way = False  # libcurl has it
        self.name = ""  # to be looked up before; empty for an address, and where a proxy decides about names
        self._head: list[bytes] = []  # the lines of the answer's head
        # What libcurl need not be told again.
        self._url, self._timeout, self._method, self._is_repeatable = "", 0.0, ("", False), True
        self.curl = curl = pycurl.Curl()
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        curl.setopt(pycurl.CAINFO, ca_file)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(_QUICK_EXIT, 1)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_SECONDS * 1000))
        curl.setopt(pycurl.USERAGENT, "conversation-api")
        # Both are set, empty or not, so that libcurl does not look for them in the environment.
        curl.setopt(pycurl.PROXY, proxy)
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(pycurl.WRITEFUNCTION, self._take_body)
        curl.setopt(pycurl.HEADERFUNCTION, self._head.append)
        if not proxy:
            curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    def aim(self, request: Request) -> Response | None:
        """Make ready for this request, or answer it with why it cannot be sent."""
        self._head.clear()
        self._body = bytearray()
        self._received = 0
        self._max_body = request.max_body
        self._refusal = ""
        self._has_dialled = False
        try:
            url, self._is_encrypted, literal, name, self._port = _target(request.url)
            lines = _header_lines(request.headers)
        except ValueError as error:
            return Response(0, error="bad_url", detail=str(error))
        self.name = "" if self._proxy else name
        if self._proxy and literal and (refusal := self.refusal_of((literal,))):
            return refusal
        self.curl.setopt(pycurl.HTTPHEADER, lines)
        if url != self._url:
            self._url = url
            self.curl.setopt(pycurl.URL, url)
        if request.timeout != self._timeout:
            self._timeout = request.timeout
            self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(request.timeout * 1000)))
        self._set_method(request)
        self._set_repeatable(request.is_repeatable)
        return None

    def refusal_of(self, addresses: Addresses) -> Response | None:
        """The answer to this request if its name has these addresses and may not be called; None: it may."""
        if not addresses:
            return Response(0, error="dns", detail=f"Nobody knows {self.name}.")
        refusal = self._guard.refusal_of_any(addresses, port=self._port, is_encrypted=self._is_encrypted)
        return Response(0, error="forbidden", detail=refusal) if refusal else None

    def _set_repeatable(self, is_repeatable: bool) -> None:
        self._departures = 0
        if is_repeatable != self._is_repeatable:
            self._is_repeatable = is_repeatable
            # So that hardly ever one is used that the other side is about to close.
            self.curl.setopt(pycurl.MAXAGE_CONN, KEPT_SECONDS if is_repeatable else FRESH_SECONDS)
            self.curl.setopt(pycurl.PREREQFUNCTION, None if is_repeatable else self._depart)

    def _depart(self, *_addresses: Any) -> int:
        """Connected, about to send; the second time because libcurl would send it again."""
        self._departures += 1
        return int(pycurl.PREREQFUNC_OK if self._departures == 1 else pycurl.PREREQFUNC_ABORT)

    def _set_method(self, request: Request) -> None:
        method = request.method.upper()
        has_body = bool(request.body) or method in _WITH_BODY
        if (method, has_body) != self._method:
            self._method = (method, has_body)
            self.curl.setopt(pycurl.NOBODY, method == "HEAD")
            if has_body:
                self.curl.setopt(pycurl.POST, 1)
            elif method != "HEAD":
                self.curl.setopt(pycurl.HTTPGET, 1)
            self.curl.setopt(pycurl.CUSTOMREQUEST, method)
        if has_body:
            self.curl.setopt(pycurl.POSTFIELDS, request.body)

    def response(self, code: int, detail: str) -> Response:
        """What the finished transfer brought; `code` is libcurl's."""
        ask = self.curl.getinfo
        timings = Timings._make(map(ask, _STEPS))
        peer = ask(pycurl.PRIMARY_IP)
        was_cut = code == pycurl.E_WRITE_ERROR and self._received > self._max_body
        if code == pycurl.E_OK or was_cut:
            headers = _headers(b"".join(self._head))
            return Response(ask(pycurl.RESPONSE_CODE), headers, bytes(self._body), peer=peer, timings=timings)
        if self._refusal and not self._has_dialled:
            return Response(0, error="forbidden", detail=self._refusal, timings=timings)
        return Response(0, error=_ERRORS.get(code, "protocol"), detail=detail, peer=peer, timings=timings)

    def _open(self, _purpose: int, address: Any) -> _Lent | int:
        """The guard's place: libcurl gives the very address that it is about to dial."""
        family, kind, protocol, (host, port, *_) = address
        refusal = self._guard.refusal(host, port=port, is_encrypted=self._is_encrypted)
        if refusal:
            self._refusal = refusal
            return int(pycurl.SOCKET_BAD)
        self._has_dialled = True
        return _Lent(socket.socket(family, kind, protocol))

    def _take_body(self, chunk: bytes) -> int:
        """Any other number than the chunk's length makes libcurl cut the connection."""
        self._body += chunk[: max(0, self._max_body - len(self._body))]
        self._received += len(chunk)
        return len(chunk) if self._received <= self._max_body + DRAINED_BYTES else 0


class _Lent:
    """A socket for pycurl, which keeps a duplicate of it: ours closes as soon as it is let go."""

    def __init__(self, lent: socket.socket) -> None:
        self._lent = lent

    def fileno(self) -> int:
        return self._lent.fileno()

    def __del__(self) -> None:
        self._lent.close()


@functools.lru_cache(maxsize=4096)  # the same few targets all day
def _target(url: str) -> tuple[str, bool, str, str, int]:
    """The URL for libcurl, whether it is encrypted, the literal address or else the name in it, its port."""
    url = ascii_url(url)
    parts = urlsplit(url)
    is_encrypted = parts.scheme == "https"
    host = parts.hostname or ""
    literal = literal_address(host)
    port = parts.port or (443 if is_encrypted else 80)
    return url, is_encrypted, literal, "" if literal else host, port


@functools.lru_cache(maxsize=1024)  # of a receiver's answers within one second nearly all have the same
def _headers(head: bytes) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        elif name.startswith("HTTP/"):  # another answer begins: the one before was a 1xx, or the proxy's
            headers.clear()
    return MappingProxyType(headers)


def _header_lines(headers: Mapping[str, str]) -> list[bytes]:
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    # libcurl would add these two by itself; without a value they are left out.
    lines.append("Expect:")
    if "Content-Type" not in headers and not any(name.lower() == "content-type" for name in headers):
        lines.append("Content-Type:")
    block = "\n".join(lines)
    if block.count("\n") >= len(lines) or "\r" in block or "\0" in block:
        raise ValueError("A header may not hold a line break.")
    return block.encode().split(b"\n")


# libcurl's CURLOPT_QUICK_EXIT, which pycurl does not name: a hanging name server holds up one request only.
_QUICK_EXIT = 322
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_STEPS = (  # in the order of Timings
    pycurl.NAMELOOKUP_TIME,
    pycurl.CONNECT_TIME,
    pycurl.APPCONNECT_TIME,
    pycurl.STARTTRANSFER_TIME,
    pycurl.TOTAL_TIME,
)
_ERRORS = {
    pycurl.E_OPERATION_TIMEDOUT: "timeout",
    pycurl.E_COULDNT_RESOLVE_HOST: "dns",
    pycurl.E_COULDNT_RESOLVE_PROXY: "connect",
    pycurl.E_COULDNT_CONNECT: "connect",
    pycurl.E_SSL_CONNECT_ERROR: "tls",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls",
    pycurl.E_SSL_CACERT_BADFILE: "tls",
    pycurl.E_URL_MALFORMAT: "bad_url",
}
