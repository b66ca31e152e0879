"""Content digests: the same rows give the same digest, whatever file or machine they lie on."""

from __future__ import annotations

import hashlib
import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd


def digest_of(value: Any) -> str:
    """First 16 hex digits of the SHA-256 of a JSON-serialisable value, keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()[:16]


def frame_digest(frame: pd.DataFrame) -> str:
    """Digest of a table's columns and rows, in order."""
    return digest_of([list(frame.columns), frame.to_dict("split")["data"]])


def folder_digest(folder: Path, named: str = "*") -> str:
    """Digest of a folder's files, names and contents; of those whose names are like ``named``."""
    files = sorted(path for path in folder.rglob(named) if path.is_file())
    return digest_of(
        [(path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    )


@cache
def code_digest(*packages: str) -> str:
    """Digest of the sources, templates, data and weights in import packages: what others have made is made again."""
    found = []
    for package in packages:
        folder = Path(str(importlib.import_module(package).__file__)).parent
        found += [
            (package, path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(
                [path for kind in ("*.py", "*.jinja", "*.yaml", "*.safetensors") for path in folder.rglob(kind)]
            )
        ]
    return digest_of(found)
