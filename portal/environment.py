"""What the environment and `.env` say: for `settings`, and for what runs before them."""

import os
import sys
from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(environ.Env):  # type: ignore[misc]  # environ is not typed
    """The variables; one whose value makes no sense ends the program with one clear sentence."""

    def get_value(self, var: str, *arguments: Any, **options: Any) -> Any:
        try:
            return super().get_value(var, *arguments, **options)
        except ValueError:
            sys.exit(f"{var} is {os.environ.get(var)!r}: docs/settings.md says what it may be.")


env = Environment()
env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED_START_SECONDS = env.float("EMBEDDED_START_SECONDS", default=60.0)
