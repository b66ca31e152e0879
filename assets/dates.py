"""Which night it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Calendar:
    """Dates of nights, in one time zone, given by its IANA name."""

    time_zone: str = "UTC"

    def tonight(self) -> str:
        """The date there, as ``YYYY-MM-DD``."""
        return datetime.now(ZoneInfo(self.time_zone)).date().isoformat()
