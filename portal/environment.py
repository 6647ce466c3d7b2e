"""What the environment and `.env` say: for `settings`, and for what runs before them."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED_START_SECONDS = env.float("EMBEDDED_START_SECONDS", default=60.0)
