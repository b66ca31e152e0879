"""`make ui` leaves nothing behind: what a server started ends with it, even where it will not listen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.ui import commands, stop

LAUNCHER = """
import signal, subprocess, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) > 2:
    child = subprocess.Popen([sys.executable, __file__, sys.argv[1]])
    Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""


STARTED = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests themselves shall not mind their terminal
from orchestration import ui
ui.commands = lambda *_: [[sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]]
sys.argv = ["ui"]
sys.exit(ui.main())
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_what_was_started_ends_with_the_terminal(told: signal.Signals, tmp_path: Path) -> None:
    """The servers have sessions of their own, so nothing else would end them, and their ports would stay taken."""
    there = {**os.environ, "CAUSALSMITH_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", STARTED], stdout=subprocess.PIPE, text=True, env=there) as page:
        assert page.stdout is not None
        child = next(int(line) for line in page.stdout if line.strip().isdigit())
        page.send_signal(told)
        assert page.wait(timeout=30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_who_shall_not_mind_the_terminal_does_not() -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from orchestration.ending import when_told_to_end; when_told_to_end(lambda: os._exit(3))\n"
        "os.kill(os.getpid(), signal.SIGHUP)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_server_that_ignores_signals_ends_with_its_children(tmp_path: Path) -> None:
    script, note = tmp_path / "launcher.py", tmp_path / "child"
    script.write_text(LAUNCHER)
    server = subprocess.Popen([sys.executable, str(script), str(note), "first"], start_new_session=True)
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    child = int(note.read_text())
    stop(server, patience=0.5)
    assert server.poll() is not None
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{child}/stat").exists():
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":  # ended, not yet collected by init
            return
        time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_tracking_server_that_is_there_already_is_not_started(monkeypatch) -> None:
    """MLflow refuses to serve another server, and its end would stop Dagster too."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    (only,) = commands(3000, 5000)
    assert "dagster" in only[0]


def test_no_password_stands_on_a_command_line(monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://mlflow:s3cret@db/mlflow")
    lines = commands(3000, 5000)
    assert len(lines) == 2
    assert "s3cret" not in str(lines)
