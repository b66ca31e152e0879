"""Values that a check comes to, and the tables people read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class CheckResult:
    """A check's outcome as a value: asset checks, reports and tests all read the same.

    ``page`` is a page on this machine that shows more of it, where there is one.
    """

    name: str
    passed: bool
    text: str
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    page: Path | None = None
