"""The held-out sets, frozen: a digest beside each file says that nobody has touched it since.

``unseen``: generated questions over topics and phrasing families that no training question has, 100 a task.
``written``: questions written by hand over the column headers of public data sets, 30 a task.
``development``: written likewise over other data sets, for choosing between models; never trained on either.
``tuning``: written likewise over yet other data sets, 40 a task, for fitting what no training fits; never trained on.
``fresh``: written later, over yet other data sets, 40 a task; nothing has been chosen on it before 2026-11-27.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from training.queries import QueryItem
from training.written import read_written

TestSet = Literal["unseen", "written", "development", "tuning", "fresh"]
FOLDER = Path(__file__).parent / "test_sets"
FILES: dict[TestSet, str] = {
    "unseen": "unseen.jsonl",
    "written": "written.yaml",
    "development": "development.yaml",
    "tuning": "tuning.yaml",
    "fresh": "fresh.yaml",
}


class TestSetChanged(ValueError):
    """A frozen set is not what it was; scores on it would not compare with earlier ones."""

    __test__ = False  # no class of tests, whatever its name


@lru_cache(maxsize=len(FILES))
def load_test_set(name: TestSet) -> tuple[QueryItem, ...]:
    """The questions of a frozen set.

    Raises:
        TestSetChanged: the file does not have the digest that was noted when it was frozen.
        ValueError: no such set.
    """
    if name not in FILES:
        raise ValueError(f"no test set {name!r}; there are: {', '.join(get_args(TestSet))}")
    path = FOLDER / FILES[name]
    noted, found = digests()[name], file_digest(path)
    if noted != found:
        raise TestSetChanged(f"{path.name} has digest {found}, not {noted} as when it was frozen: restore it")
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(QueryItem.model_validate_json(line) for line in lines)
    return read_written(path)


def unseen_topics() -> frozenset[str]:
    """Names of the topics that ``unseen`` is about; no profile trains on them, however many others the library gains."""
    return frozenset(item.topic for item in load_test_set("unseen"))


def digests() -> dict[str, str]:
    """The digests that were noted when the sets were frozen."""
    return dict(json.loads((FOLDER / "digests.json").read_text()))


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
