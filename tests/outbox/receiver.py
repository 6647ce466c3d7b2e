"""The other side: an HTTP server on loopback that answers as told and remembers what it got, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[str], int]  # path → status; it may take its time


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.paths: list[str] = []  # in the order of arrival
        self.arrived_at: dict[str, float] = {}
        self.is_closing = threading.Event()
        self.in_hand = 0
        self.most_in_hand = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A dispatcher that was killed leaves its connections behind: no news."""

    def waits_for(self, count: int, *, seconds: float) -> bool:
        """Whether so many requests arrive in time."""
        end = time.monotonic() + seconds
        while len(self.paths) < count and time.monotonic() < end:
            time.sleep(0.005)
        return len(self.paths) >= count

    def hang(self, _: str = "") -> int:
        """An answer that does not come before the test is over."""
        self.is_closing.wait(60)
        return 200


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        receiver = self.server
        with receiver.lock:
            receiver.paths.append(self.path)
            receiver.arrived_at.setdefault(self.path, time.monotonic())
            receiver.in_hand += 1
            receiver.most_in_hand = max(receiver.most_in_hand, receiver.in_hand)
        try:
            status = receiver.answer(self.path)
        finally:
            with receiver.lock:
                receiver.in_hand -= 1
        try:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:  # the dispatcher was killed meanwhile
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def receiving(answer: Answer = lambda _: 200) -> Iterator[Receiver]:
    with Receiver(answer) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_closing.set()
            receiver.shutdown()
            thread.join()
