"""What happens before Django does: secrets and defaults for `up`, a database for every other command."""

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator

from portal import embedded
from portal.embedded import serving
from portal.embedded.places import EmbeddedError
from portal.environment import DATA_DIR, env
from portal.running import lifetime

# These ask neither the database nor Redis.
_SELF_SUFFICIENT = {"check", "collectstatic", "diffsettings", "findstatic", "help", "spectacular", "version"}
_STOPPING_SECONDS = 8.0  # how long a previous `make run` may take to stop before it counts as running


class CannotStart(Exception):
    """The message is one sentence for the person at the terminal."""


@contextlib.contextmanager
def prepared(arguments: list[str]) -> Iterator[None]:
    """What `manage.py` needs around a command before it loads the settings. Raises CannotStart."""
    command = next((argument for argument in arguments if not argument.startswith("-")), "help")
    asks_for_help = bool({"-h", "--help", "--version"} & set(arguments))
    try:
        with contextlib.ExitStack() as stack:
            if command == "up" and not asks_for_help:
                stack.enter_context(_alone())
                _make_secrets()
                _set_defaults()
            elif command not in _SELF_SUFFICIENT and not asks_for_help:
                stack.enter_context(serving.available(DATA_DIR, serving.missing()))
            yield
    except EmbeddedError as error:
        raise CannotStart(str(error)) from error


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Be the only `up` on this data."""
    with contextlib.ExitStack() as stack:
        try:
            DATA_DIR.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lifetime.exclusive(DATA_DIR / "up.lock", patience=_STOPPING_SECONDS))
        except OSError as error:
            raise CannotStart(
                f"{DATA_DIR} cannot be written ({error.strerror}): set DATA_DIR to a folder of yours."
            ) from error
        except lifetime.Busy as error:
            raise CannotStart(
                f"`make run` already runs on {DATA_DIR}: stop it first, or set DATA_DIR and PORT."
            ) from error
        yield


def _make_secrets() -> None:
    """What the settings ask for and nobody has set; the password of a database yet to be made among it."""
    settable = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    made = {name: value for name, value in settable.items() if not env.str(name, default="")}
    # The embedded server's own: a variable of this name belongs to another server.
    made["POSTGRES_PASSWORD"] = secrets.token_urlsafe(24)
    for name, value in made.items():
        if not embedded.kept_secret(DATA_DIR, name):
            embedded.keep_secret(DATA_DIR, name, value)


def _set_defaults() -> None:
    """A checkout that runs for the first time may call its own machine, and sends nothing anywhere else."""
    os.environ.setdefault("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
    os.environ.setdefault("CHANNELS_SANDBOXED", "*")
    os.environ["RUNS_UNDER_UP"] = "1"
    os.environ["DATA_DIR"] = str(DATA_DIR)  # the programs run elsewhere, where a relative path leads astray
