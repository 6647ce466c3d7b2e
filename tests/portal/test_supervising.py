"""Programs that run together: who falls is started again, unless it falls again and again."""

import signal
import sys

import pytest

from portal.running.falling import GivenUp
from portal.running.supervising import Program, Supervisor

# Ends the first time; the second time it asks its parent to stop, as Ctrl-C does.
FALLS_ONCE = """
import os, pathlib, signal, sys, time
times = pathlib.Path("times")
times.open("a").write("x")
print(f"time {len(times.read_text())}", flush=True)
if len(times.read_text()) == 1:
    sys.exit(3)
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    def run(*programs: Program, delays: tuple[float, ...]) -> list[str]:
        told: list[str] = []
        with Supervisor(list(programs), environment={}, cwd=tmp_path) as supervisor:
            supervisor.wait(delays=delays, tell=told.append)
        return told

    return run


def python(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", code])


def test_who_falls_is_started_again_and_said_to_be(run, capsys):
    told = run(python("web", FALLS_ONCE), python("outbox", "import time; time.sleep(60)"), delays=(0.01,))

    assert told == ["web ended with 3: it starts again in 0.01 s."]
    assert capsys.readouterr().out == "   web | time 1\n   web | time 2\n"


def test_who_falls_again_and_again_is_given_up(run):
    with pytest.raises(GivenUp, match=r"web was killed by SIGKILL"):
        run(python("web", "import os; os.kill(os.getpid(), 9)"), delays=(0.0, 0.0))


def test_a_line_without_an_end_is_passed_on_too(run, capsys):
    with pytest.raises(GivenUp):
        run(python("web", r"import os; os.write(1, b'caf\xc3\xa9\nno end \xff')"), delays=())

    assert capsys.readouterr().out == "web | café\nweb | no end \N{REPLACEMENT CHARACTER}\n"


def test_afterwards_signals_do_what_they_did(run):
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(GivenUp):
        run(python("web", ""), delays=())

    assert signal.getsignal(signal.SIGTERM) == before
