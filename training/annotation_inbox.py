"""A folder of Label Studio exports: all of them together, each judgement once, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from training.annotation import ImportReport, RejectedEntry, merge_annotations, read_export
from training.digests import digest_of


def exports_in(place: Path) -> list[Path]:
    """The exports of an inbox: the JSON files of a folder by name (hidden ones aside), or the one file that is named."""
    if place.is_dir():
        return sorted(path for path in place.glob("*.json") if path.is_file() and not path.name.startswith("."))
    return [place] if place.exists() else []


def inbox_digest(place: Path) -> str:
    """Digest of what the exports hold; copies and other names of the same file change nothing."""
    return digest_of(sorted({digest_of(path.read_bytes().hex()) for path in exports_in(place)}))


def read_inbox(place: Path) -> ImportReport:
    """Import every export of an inbox; what cannot be used is kept with its reason, once."""
    reports = [read_export(path) for path in exports_in(place)]
    found = [item for report in reports for item in report.items]
    items = merge_annotations((), found)
    return ImportReport(
        items=items,
        rejected=_once(entry for report in reports for entry in report.rejected),
        repeated=sum(report.repeated for report in reports) + len(found) - len(items),
    )


def _once(entries: Iterable[RejectedEntry]) -> tuple[RejectedEntry, ...]:
    return tuple({(entry.digest, entry.annotation, entry.reason): entry for entry in entries}.values())
