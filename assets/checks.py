"""From a check's value to Dagster's check result: the verdict, the sentence, and the table."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from lm.places import home
from validation.results import CheckResult

MOST_ROWS = 60


def as_check_result(result: CheckResult, *, warn_only: bool = False) -> dg.AssetCheckResult:
    """Render a check; failures are errors unless they are only to warn."""
    table = result.table.head(MOST_ROWS).to_markdown(index=False, floatfmt=".4g") if len(result.table) else ""
    severity = dg.AssetCheckSeverity.WARN if warn_only else dg.AssetCheckSeverity.ERROR
    metadata: dict[str, dg.MetadataValue] = {"table": dg.MetadataValue.md(table)}
    if result.page is not None:
        metadata["data_docs"] = dg.MetadataValue.url(result.page.as_uri())
    return dg.AssetCheckResult(passed=result.passed, severity=severity, description=result.text, metadata=metadata)


def data_docs() -> Path:
    """The Great Expectations project whose data docs the checks are linked to."""
    return home() / "data_docs"
