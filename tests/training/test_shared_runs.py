"""Runs over the same working folder take turns."""

from __future__ import annotations

import os
import time

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


def test_what_killed_runs_left_is_kept_for_weeks_and_no_longer(tmp_path):
    """Each night's corpus has a folder of checkpoints of its own, as large as the adapter and its optimizer's state."""
    old = time.time() - 15 * 86_400
    for name in ("work-old", "work-new", "adapter", "adapter.77", "adapter.78"):
        (tmp_path / name / "checkpoint-4").mkdir(parents=True)
    for name in ("work-old", "adapter", "adapter.77"):
        os.utime(tmp_path / name, (old, old))
    with pytest.raises(RuntimeError), turn_in(tmp_path):
        raise RuntimeError
    assert (tmp_path / "work-old").exists()  # a run that fails clears nothing away
    with turn_in(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["adapter", "adapter.78", "work-new"]
