"""Requests as plain values."""

from gateway.exchange import Request


def test_a_request_in_a_log_gives_no_secret_away():
    request = Request(
        "POST",
        "https://provider.example/bot-s3cret/send",
        headers={"Authorization": "Bearer s3cret"},
        body=b"s3cret",
    )

    assert "s3cret" not in repr(request)
