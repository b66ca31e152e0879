"""What came of a finished run, kept beside what it made: what comes after it may fail, and the run is not made again for that."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FINISHED = "finished.json"


def outcome_of(folder: Path, run: str) -> dict[str, Any] | None:
    """The outcome of a run that has finished in a working folder; None where the last one there was another."""
    path = folder / FINISHED
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found: dict[str, Any] | None = told["outcome"] if told.get("run") == run else None
    return found


def forget_outcome(folder: Path) -> None:
    """To be called before what the last run has made is replaced."""
    (folder / FINISHED).unlink(missing_ok=True)


def keep_outcome(folder: Path, run: str, outcome: Mapping[str, Any]) -> None:
    """Note that a run has finished, once all that it made is in its place; whole or not at all."""
    scratch = folder / f".{FINISHED}.{os.getpid()}"
    with scratch.open("w", encoding="utf-8") as file:
        json.dump({"run": run, "outcome": dict(outcome)}, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(folder / FINISHED)
