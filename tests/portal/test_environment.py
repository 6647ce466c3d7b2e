"""What a setting may be: one clear sentence for everything else, and no password in it."""

import pytest

from portal import environment

CHANNELS = ["SMS", "TELEGRAM"]
SMTP = "smtp+tls://user:password@host:587"
REFUSED = {
    "0": lambda: environment.whole("X", default=2, least=1),
    "65536": lambda: environment.whole("X", default=2, least=1, most=65_535),
    "two": lambda: environment.whole("X", default=2, least=1),
    "-3": lambda: environment.seconds("X", default=15),
    "nan": lambda: environment.seconds("X", default=15),
    "11": lambda: environment.seconds("X", default=5, most=10),
    "perhaps": lambda: environment.flag("X", default=True),
    "LOUD": lambda: environment.one_of("X", "INFO", "DEBUG"),
    "SMS,SMOKE": lambda: environment.some_of("X", CHANNELS),
    "10.0.0.1/8": lambda: environment.networks("X"),
    "SMOKE=http://127.0.0.1": lambda: environment.addresses("X", CHANNELS),
    "SMS=somewhere": lambda: environment.addresses("X", CHANNELS),
}
READ = {
    " SMS, TELEGRAM": (lambda: environment.some_of("X", CHANNELS), {"SMS", "TELEGRAM"}),
    "debug": (lambda: environment.one_of("X", "INFO", "DEBUG"), "DEBUG"),
    "off": (lambda: environment.flag("X", default=True), False),
    "0.05": (lambda: environment.seconds("X", default=5), 0.05),
    "SMS=http://127.0.0.1:1": (lambda: environment.addresses("X", CHANNELS), {"SMS": "http://127.0.0.1:1"}),
    SMTP: (lambda: environment.mail_server("X")["EMAIL_HOST"], "host"),
}


@pytest.mark.parametrize("value", REFUSED)
def test_a_value_that_makes_no_sense_is_named_with_its_setting(monkeypatch, value):
    monkeypatch.setenv("X", value)

    with pytest.raises(SystemExit, match=f"^X is '{value}': "):
        REFUSED[value]()


@pytest.mark.parametrize("value", READ)
def test_a_value_that_makes_sense_is_read(monkeypatch, value):
    monkeypatch.setenv("X", value)
    read, meant = READ[value]

    assert read() == meant


@pytest.mark.parametrize(
    "value", ["nonsense", "fax://user:secret@host", "smtp://user:secret@", "smtp://a:secret@b:c"]
)
def test_a_mail_server_that_is_none_is_refused_without_showing_its_password(monkeypatch, value):
    monkeypatch.setenv("X", value)

    with pytest.raises(SystemExit, match=r"^X is no address of a mail server") as refusal:
        environment.mail_server("X")

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["nonsense", "mysql://user:secret@host/name", "http://", "http://host:port"]
)
def test_an_address_that_is_none_is_refused_without_showing_its_password(value):
    with pytest.raises(SystemExit, match=r"^X is no address that can be used") as refusal:
        environment.address("X", value, schemes=["http", "postgres"], such_as="postgres://host/name")

    assert "secret" not in str(refusal.value)


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("X", "")

    assert environment.whole("X", default=8000, least=1) == 8000
    assert environment.several("X", default=["localhost"]) == ["localhost"]
