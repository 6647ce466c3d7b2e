"""A mail server on loopback that takes what it is sent, or answers as told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.refusals: list[bytes] = []  # answers to the next mails, before any is taken
        self.taken: list[Message] = []
        self.recipients: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            self.wfile.write(self.answer(line.strip()) + b"\r\n")

    def answer(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"MAIL" if self.server.refusals:
                return self.server.refusals.pop(0)
            case b"RCPT":
                self.server.recipients.append(line.split(b"<")[1].rstrip(b">").decode())
            case b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.taken.append(message_from_bytes(b"".join(lines)))
            case b"QUIT":
                return b"221 bye"
        return b"250 fine"


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
