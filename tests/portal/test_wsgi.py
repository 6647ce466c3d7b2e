"""The web's entry: a body is read whole, whether its length was announced or it comes in chunks."""

from io import BytesIO
from typing import Any

from portal.wsgi import measured


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
