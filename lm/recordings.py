"""Answers of hosted models, kept under what they depend on: read instead of asking again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

SUFFIX = ".json"


class Recordings(Protocol):
    """Where recordings lie: a folder, or the store that holds the assets."""

    def find(self, key: str) -> dict[str, Any] | None:
        """What is recorded under a key, or None."""
        ...

    def keep(self, key: str, content: Mapping[str, Any]) -> None:
        """Record; whole or not at all, and safe beside other writers."""
        ...

    def count(self) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True)
class FolderRecordings:
    """Recordings as JSON files of one folder."""

    folder: Path

    def find(self, key: str) -> dict[str, Any] | None:
        path = self.folder / f"{key}{SUFFIX}"
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return content

    def keep(self, key: str, content: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / f".{uuid4().hex}"
        try:
            scratch.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
            scratch.replace(self.folder / f"{key}{SUFFIX}")
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise

    def count(self) -> int:
        return sum(1 for _ in self.folder.glob(f"[!.]*{SUFFIX}"))


def key_of(request: Mapping[str, Any]) -> str:
    """The key of a request: a digest of everything that its answer depends on."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
