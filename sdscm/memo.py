"""Scores of levels after contexts, kept in memory and, where a file is given, on disk: no context is asked of a model twice.

What is kept is the sum of the level's token log-probabilities and their number, so one entry serves every rule and temperature,
every seed, arm, data set and run. The file is an SQLite database; several processes may read and write it at once.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import warnings
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sdscm.errors import ScenarioError

MOST_IN_MEMORY = 200_000  # contexts, where they are on disk too
_WAIT = 60.0  # seconds to wait for another process's write
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (
    model TEXT NOT NULL, context BLOB NOT NULL, level TEXT NOT NULL, nats REAL NOT NULL, tokens REAL,
    PRIMARY KEY (model, context, level)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Scores:
    """What a model says of one context's levels.

    Attributes:
        nats: (levels,) chain-rule log-probabilities, not normalised over the levels.
        tokens: (levels,) token counts; NaN where the scorer does not tell.
    """

    nats: np.ndarray
    tokens: np.ndarray


class ScoreMemo:
    """Scores by model, context and level.

    Args:
        path: of the database; its folder is made if need be. None keeps scores in memory only, and so does, with a warning, a
            place that cannot be written (a full disk, no permission) or stays locked.

    Raises:
        ScenarioError: the file is no database.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._known: dict[tuple[str, bytes], dict[str, tuple[float, float]]] = {}
        self._scorers: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._database = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
                self._database.execute("PRAGMA journal_mode=WAL")
                self._database.execute("PRAGMA synchronous=NORMAL")
                self._database.execute(_SCHEMA)
            except (OSError, sqlite3.OperationalError) as error:
                self._give_up(error)
            except sqlite3.Error as error:
                raise ScenarioError(f"{path} cannot be used as a database of scores ({error}); move it away") from None

    def name_of(self, scorer: object) -> str:
        """The name of a scorer that need not tell its digest, since nothing outlives this memo: another for each object."""
        with self._lock:
            for place, known in enumerate(self._scorers):
                if known() is scorer:
                    return f"scorer {place}"
            try:
                self._scorers.append(weakref.ref(scorer))  # a memo should not keep a language model in memory
            except TypeError:
                self._scorers.append(lambda: scorer)
            return f"scorer {len(self._scorers) - 1}"

    def get(self, model: str, contexts: Sequence[str], levels: Sequence[str]) -> list[Scores | None]:
        """Scores of the levels after each context; None where any of them is not known."""
        with self._lock:
            keys = [(model, _key(context)) for context in contexts]
            self._read([key for key in keys if self._of(self._known.get(key, {}), levels) is None])
            found = [self._of(self._known.get(key, {}), levels) for key in keys]
            self._forget()
            return found

    def put(self, model: str, contexts: Sequence[str], levels: Sequence[str], scores: Sequence[Scores]) -> None:
        """Keep scores; where another process has written the same meanwhile, its entry stays.

        A disk that is full, or a database that is damaged or stays locked, costs the file and not the run: a warning says so.
        """
        with self._lock:
            lines = []
            for context, row in zip(contexts, scores, strict=True):
                key = _key(context)
                known = self._known.setdefault((model, key), {})
                for level, nats, tokens in zip(levels, row.nats, row.tokens, strict=True):
                    known[level] = (float(nats), float(tokens))
                    lines.append((model, key, level, float(nats), float(tokens)))
            if self._database is None:
                return
            try:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.executemany("INSERT OR IGNORE INTO scores VALUES (?, ?, ?, ?, ?)", lines)
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                self._give_up(error)
            self._forget()

    def _read(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if self._database is None:
            return
        try:
            for key in keys:
                lines = self._database.execute(
                    "SELECT level, nats, tokens FROM scores WHERE model = ? AND context = ?", key
                )
                found = {level: (nats, np.nan if tokens is None else tokens) for level, nats, tokens in lines}
                if found:
                    self._known[key] = found | self._known.get(key, {})
        except sqlite3.Error as error:
            self._give_up(error)

    def _forget(self) -> None:
        """Drop the oldest contexts beyond the most in memory, where they are on disk."""
        while self._database is not None and len(self._known) > MOST_IN_MEMORY:
            del self._known[next(iter(self._known))]

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        """Go on without the file, and say so."""
        if self._database is not None and self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._database = None
        warnings.warn(f"scores are kept in memory only, {self.path} cannot be used: {error}", stacklevel=3)

    @staticmethod
    def _of(known: dict[str, tuple[float, float]], levels: Sequence[str]) -> Scores | None:
        if any(level not in known for level in levels):
            return None
        nats, tokens = zip(*(known[level] for level in levels), strict=True)
        return Scores(np.array(nats), np.array(tokens))


def _key(context: str) -> bytes:
    return hashlib.sha256(context.encode()).digest()[:16]
