"""From a check's value to Dagster's check result: the verdict, the sentence, and the table."""

from __future__ import annotations

import dagster as dg

from validation.results import CheckResult

MOST_ROWS = 60


def as_check_result(result: CheckResult, *, warn_only: bool = False) -> dg.AssetCheckResult:
    """Render a check; failures are errors unless they are only to warn."""
    table = result.table.head(MOST_ROWS).to_markdown(index=False, floatfmt=".4g") if len(result.table) else ""
    severity = dg.AssetCheckSeverity.WARN if warn_only else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        passed=result.passed, severity=severity, description=result.text, metadata={"table": dg.MetadataValue.md(table)}
    )
