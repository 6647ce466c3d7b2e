"""The web's entry: a body is read whole, whether its length was announced or not, and whoever refuses it early."""

from io import BytesIO
from typing import Any

from portal.wsgi import heard_out, measured


def _started(*_: Any) -> Any:
    """What begins an answer; nobody listens here."""


def received(**environ):
    """What an application gets that reads, as Django does, as much as was announced."""

    def announced(environ, start_response):
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    return b"".join(measured(announced)(environ, _started))


def test_a_body_in_chunks_is_read():
    assert received(**{"wsgi.input": BytesIO(b"in chunks")}) == b"in chunks"


def test_of_an_endless_body_no_more_is_read_than_shows_that_it_is_too_large(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert received(**{"wsgi.input": BytesIO(b"x" * 30)}) == b"x" * 11


def test_a_body_of_announced_length_is_left_to_the_view():
    assert received(**{"wsgi.input": BytesIO(b"announced"), "CONTENT_LENGTH": "3"}) == b"ann"


class Refusal(list):
    """An answer as the server closes it."""

    def close(self):
        self.clear()


def refused(body, **environ):
    """What is left of the body after the client has been told something by who has not looked at it."""

    def refuse(_environ, _start_response):
        return Refusal([b"no"])

    given: Any = heard_out(refuse)({"wsgi.input": body, **environ}, _started)
    assert list(given) == [b"no"]
    given.close()
    return body.read()


def test_what_was_left_unread_is_read_after_the_answer():
    assert refused(BytesIO(b"unread"), CONTENT_LENGTH="6") == b""


def test_nothing_is_waited_for_where_no_body_was_announced():
    assert refused(BytesIO(b"the next request")) == b"the next request"


def test_the_end_of_a_body_that_is_too_large_is_waited_for_by_one_thread_alone(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 3

    class Endless(BytesIO):
        def read(self, size=-1):
            others.append(refused(BytesIO(b"too large"), CONTENT_LENGTH="9"))
            return b""

    others = []
    refused(Endless(), CONTENT_LENGTH="9")

    assert others[0] == b"too large"
    assert refused(BytesIO(b"too large"), CONTENT_LENGTH="9") == b""
