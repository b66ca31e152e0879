"""`make ui` leaves nothing behind: what a server started ends with it, even where it will not listen."""

from __future__ import annotations

import os
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
