"""Runs over the same working folder take turns."""

from __future__ import annotations

import pytest
from filelock import FileLock, Timeout

from training.shared_runs import turn_in


def test_a_second_run_waits_for_the_first(tmp_path):
    lock = tmp_path / "new" / "training.lock"
    with turn_in(lock.parent), pytest.raises(Timeout):
        FileLock(lock).acquire(timeout=0.1)
    with FileLock(lock).acquire(timeout=0.1):
        pass


def test_processes_of_one_run_do_not_wait_for_each_other(tmp_path, monkeypatch):
    with turn_in(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with turn_in(tmp_path):
            pass
