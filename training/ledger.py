"""What is known of items so far, each line kept as soon as it is: a killed evaluation goes on where it was.

An SQLite database, so that two runs at once may write; a line is keyed by all that it depends on, so it never goes stale.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from training.digests import digest_of

_TABLE = "create table if not exists lines (key text primary key, line text not null, times integer not null default 1)"
Item = TypeVar("Item")


@dataclass(frozen=True)
class Ledger:
    """Lines by key.

    Attributes:
        path: of the database; its folder is made where it is missing.
    """

    path: Path

    def known(self, keys: Sequence[str]) -> dict[str, Any]:
        """The lines that are there, by key."""
        found: dict[str, Any] = {}
        with self._open() as database:
            for start in range(0, len(keys), 500):
                part = list(keys[start : start + 500])
                marks = ",".join("?" * len(part))
                rows = database.execute(f"select key, line from lines where key in ({marks})", part)  # noqa: S608
                found |= {key: json.loads(line) for key, line in rows}
        return found

    def keep(self, lines: dict[str, Any]) -> None:
        """Write lines, all or none."""
        rows = [(key, json.dumps(line, ensure_ascii=False)) for key, line in lines.items()]
        with self._open() as database, database:
            database.executemany(
                "insert into lines (key, line) values (?, ?) "
                "on conflict (key) do update set line = excluded.line, times = times + 1",
                rows,
            )

    def counts(self) -> tuple[int, int]:
        """(lines, how often any was written again)."""
        with self._open() as database:
            lines, times = database.execute("select count(*), coalesce(sum(times), 0) from lines").fetchone()
        return int(lines), int(times - lines)

    def fill(
        self,
        items: Sequence[Item],
        keys: Sequence[str],
        make: Callable[[Sequence[Item]], Sequence[Any]],
        report: Callable[[int, int], None] | None = None,
        at_once: int = 1,
    ) -> list[Any]:
        """A line for each item: what is known, and what ``make`` says of the others, kept as it comes.

        Args:
            items: with one key each; items of the same key are asked about once.
            make: from some items to one line each, plain enough for JSON.
            report: called with (done, all), known ones included.
            at_once: items that ``make`` is given.
        """
        lines = self.known(keys)
        missing = [(key, item) for key, item in dict(zip(keys, items, strict=True)).items() if key not in lines]
        done = len(items) - len(missing)
        for start in range(0, len(missing), at_once):
            part = missing[start : start + at_once]
            made = dict(zip([key for key, _ in part], make([item for _, item in part]), strict=True))
            self.keep(made)
            lines |= made
            done += len(part)
            if report is not None:
                report(done, len(items))
        return [lines[key] for key in keys]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self._begin()
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                yield database
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
                raise  # locked, or a full disk: the file is sound
            raise sqlite3.DatabaseError(
                f"{self.path} is damaged ({error}); move it away: what it held is made again"
            ) from None

    def _begin(self) -> None:
        """An empty database, there as a whole or not at all: its journal mode cannot be set while others use it."""
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_name(f"{self.path.name}.new")
        with FileLock(f"{self.path}.lock"):
            if self.path.exists():
                return
            scratch.unlink(missing_ok=True)
            with closing(sqlite3.connect(scratch)) as database, database:
                database.execute("pragma journal_mode=wal")
                database.execute(_TABLE)
            scratch.rename(self.path)


def key_of(*parts: Any) -> str:
    """The key of a line: a digest of all that it depends on."""
    return digest_of(list(parts))
