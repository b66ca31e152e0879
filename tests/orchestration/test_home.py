"""The Dagster instance of a home."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest

from orchestration.home import open_instance


def test_of_two_that_open_a_new_instance_at_once_one_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would make Dagster's tables, and the second failed."""
    inside, met = threading.Lock(), []

    def get() -> None:
        met.append(not inside.acquire(blocking=False))
        time.sleep(0.2)
        if not met[-1]:
            inside.release()

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(dg.DagsterInstance, "get", get)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: open_instance(), range(2)))
    assert met == [False, False]
