"""libcurl's sockets and its clock, watched for it by the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import select
from collections.abc import Callable
from math import inf
from typing import Any, Final

import pycurl

Ended = Callable[[pycurl.Curl, int, str], None]  # a handle, libcurl's code for how it went, and its words

AT_ONCE: Final = 256  # sockets looked after before the loop goes on
_EVENTS: Final = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


class Sockets:
    """Drives a multi handle, and says which of its exchanges have ended.

    The sockets have an epoll of their own, which is all that the loop watches: many that are ready are one event
    to it. A socket stays there between two requests; the kernel takes it out when it is closed.
    """

    def __init__(self, multi: pycurl.CurlMulti, *, on_ended: Ended) -> None:
        self._multi = multi
        self._on_ended = on_ended
        self._loop = asyncio.get_running_loop()
        self._wanted: set[int] = set()  # descriptors of which libcurl wants to hear
        self._due_at = inf  # by the loop's clock: when libcurl wants to be called
        self._timer: asyncio.TimerHandle | None = None
        self._is_called = False  # it wants to be called at once, and will be
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._look)
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._schedule)

    def close(self) -> None:
        """Watch no more; the multi handle is closed before."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        if self._timer:
            self._timer.cancel()

    def _watch(self, wanted: int, descriptor: int, *_: Any) -> None:
        """libcurl asks to be told when this socket can be read or written."""
        if wanted not in _EVENTS:
            self._wanted.discard(descriptor)
            return
        self._wanted.add(descriptor)
        # Whether it is still the socket that had this number, only the kernel knows.
        try:
            self._epoll.modify(descriptor, _EVENTS[wanted])
        except FileNotFoundError:
            self._epoll.register(descriptor, _EVENTS[wanted])

    def _look(self) -> None:
        for descriptor, events in self._epoll.poll(0, AT_ONCE):
            if descriptor in self._wanted:
                is_writable = events & select.EPOLLOUT and pycurl.CSELECT_OUT
                is_readable = (
                    events & ~select.EPOLLOUT and pycurl.CSELECT_IN
                )  # or broken, as reading will tell
                self._multi.socket_action(descriptor, is_readable | is_writable)
            else:  # closed by the other side while it is idle; libcurl finds out when it wants to use it
                with contextlib.suppress(OSError):
                    self._epoll.unregister(descriptor)
        self._collect()

    def _schedule(self, milliseconds: int) -> None:
        """libcurl asks to be called after this time; -1: no more."""
        self._due_at = self._loop.time() + milliseconds / 1000 if milliseconds > 0 else inf
        if milliseconds > 0 and (self._timer is None or self._timer.when() > self._due_at):
            self._set_timer()
        if milliseconds == 0 and not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._call)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due_at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._due_at <= self._loop.time():
            self._call()
        elif (
            self._due_at < inf
        ):  # put off meanwhile: nearly every request does that, and sets no timer for it
            self._set_timer()

    def _call(self) -> None:
        self._is_called = False
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()

    def _collect(self) -> None:
        waiting = True
        while waiting:
            waiting, answered, failed = self._multi.info_read()
            for curl in answered:
                self._on_ended(curl, pycurl.E_OK, "")
            for curl, code, detail in failed:
                self._on_ended(curl, code, detail)
