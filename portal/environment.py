"""What the environment and `.env` say: for `settings`, and for what runs before them.

A reader ends the program with one clear sentence where a value makes no sense; it shows no value that may hold a
password. An empty variable counts as unset.
"""

import ipaddress
import os
import sys
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

_WEB = ("http", "https")
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class Environment(environ.Env):  # type: ignore[misc]  # environ is not typed
    """The variables as they are written."""

    def get_value(self, var: str, *arguments: Any, **options: Any) -> Any:
        if os.environ.get(var) == "" and "default" in options:
            return options["default"]
        try:
            return super().get_value(var, *arguments, **options)
        except ValueError:
            sys.exit(f"{var} is {os.environ.get(var)!r}: docs/settings.md says what it may be.")


env = Environment()
env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()


def required(name: str, *, otherwise: str) -> str:
    """The variable, else what `manage.py up` once made and keeps in `DATA_DIR`."""
    value: str = env.str(name, default="") or otherwise
    if not value:
        sys.exit(f"{name} is not set: set it in the environment, or start with `make run`, which makes one.")
    return value


def one_of(name: str, *options: str) -> str:
    """One of the options however it is capitalised, by default the first."""
    value: str = env.str(name, default=options[0])
    named = {option.lower(): option for option in options}
    return named.get(value.lower()) or _refuse(name, " or ".join(options))


def some_of(name: str, options: Collection[str]) -> frozenset[str]:
    """Any of the options, by default none."""
    values = frozenset(several(name, default=[]))
    return values if values <= set(options) else _refuse(name, f"some of {', '.join(options)}")


def flag(name: str, *, default: bool) -> bool:
    """Yes or no."""
    value: str = env.str(name, default=str(default)).lower()
    if value not in _YES + _NO:
        _refuse(name, "true or false")
    return value in _YES


def whole(name: str, *, default: int, least: int, most: int | None = None) -> int:
    """A whole number within bounds."""
    value: int = env.int(name, default=default)
    if value < least or (most is not None and value > most):
        _refuse(name, f"{least} or more" if most is None else f"{least} to {most}")
    return value


def seconds(name: str, *, default: float, most: float = float("inf")) -> float:
    """A span of time, fractions allowed."""
    value: float = env.float(name, default=default)
    if not 0 < value <= most:
        _refuse(name, "more than 0 seconds" + (f", at most {most:.0f}" if most < float("inf") else ""))
    return value


def several(name: str, *, default: list[str]) -> list[str]:
    """A comma list, without the blanks around its parts."""
    parts = [part.strip() for part in env.list(name, default=default)]
    return [part for part in parts if part]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma list of CIDRs, by default empty."""
    try:
        return [ipaddress.ip_network(cidr) for cidr in several(name, default=[])]
    except ValueError:
        _refuse(name, "networks such as 10.1.0.0/16, without bits of a host")


def address(name: str, value: str, *, schemes: Collection[str] = _WEB, such_as: str) -> str:
    """The value, once it is empty or an address of one of these schemes."""
    if value and not _is_address(value, schemes):
        sys.exit(f"{name} is no address that can be used: set it to one such as {such_as}.")
    return value


def addresses(name: str, options: Collection[str]) -> dict[str, str]:
    """`NAME=http://…,…`: a web address for some of the options."""
    given: dict[str, str] = env.dict(name, default={})
    if not all(option in options and _is_address(value, _WEB) for option, value in given.items()):
        _refuse(name, f"NAME=http://host:port, separated by commas, with names among {', '.join(options)}")
    return given


def mail_server(name: str) -> dict[str, Any]:
    """What the address of a mail server says, as Django's settings; nothing where none is set."""
    value: str = env.str(name, default="")
    if not value:
        return {}
    try:
        told: dict[str, Any] = env.email_url_config(value)
    except (ValueError, ImproperlyConfigured):
        told = {}
    if not told or (value.startswith("smtp") and not told["EMAIL_HOST"]):
        sys.exit(
            f"{name} is no address of a mail server: set it to one such as smtp+tls://user:password@host:587."
        )
    return told


def _is_address(value: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 -- asked because it raises
    except ValueError:
        return False
    return parts.scheme in schemes and (parts.scheme not in _WEB or bool(parts.hostname))


def _refuse(name: str, wanted: str) -> NoReturn:
    sys.exit(f"{name} is {os.environ.get(name)!r}: set it to {wanted}.")


EMBEDDED_START_SECONDS = seconds("EMBEDDED_START_SECONDS", default=60.0)
