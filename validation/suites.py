"""Great Expectations suites over the corpora and the SD-SCM data, each outcome a table people can read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from validation.results import CheckResult


def validate(frame: pd.DataFrame, name: str, expectations: Sequence[Any]) -> CheckResult:
    """Run expectations on a table.

    Returns:
        Passed where every expectation of severity ``critical`` holds; the table has a line an expectation.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
    batch = (
        context.data_sources.add_pandas("pandas")
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe("whole")
    )
    outcome = batch.get_batch({"dataframe": frame}).validate(suite)
    lines = []
    for one in outcome.results:
        config = one.expectation_config
        details = {key: value for key, value in config.kwargs.items() if key not in ("batch_id", "value_set", "regex")}
        severity = str(getattr(config, "severity", None) or "critical").split(".")[-1].lower()
        unexpected = one.result.get("unexpected_count", "")
        lines.append((config.type.removeprefix("expect_"), _brief(details), severity, bool(one.success), unexpected))
    table = pd.DataFrame(lines, columns=["expectation", "of", "severity", "met", "unexpected"])
    failed = table[~table["met"]]
    text = f"{len(table)} expectations on {len(frame):,} rows; {len(failed)} not met."
    return CheckResult(name, not (failed["severity"] == "critical").any(), text, table)


def retrieval_expectations(tasks: Sequence[str]) -> list[Any]:
    """What every question-and-reading corpus must satisfy."""
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeUnique(column="question"),
        gxe.ExpectColumnValuesToBeInSet(column="task", value_set=list(tasks)),
        gxe.ExpectColumnDistinctValuesToContainSet(column="task", value_set=list(tasks)),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train", "held_out"]),
        gxe.ExpectColumnDistinctValuesToContainSet(column="split", value_set=["train", "held_out"]),
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=name)
            for name in ("question", "topic", "family", "columns", "completion")
        ),
        gxe.ExpectColumnValueLengthsToBeBetween(column="question", min_value=8, max_value=600),
        gxe.ExpectColumnValueLengthsToBeBetween(column="question", max_value=400, severity="warning"),
        gxe.ExpectColumnValuesToMatchRegex(column="completion", regex=r'^\{"task": "[a-z]+".*\}$'),
    ]


def interpretation_expectations(tasks: Sequence[str]) -> list[Any]:
    """What every result-and-explanation corpus must satisfy; the paper's explanations have 32 to 132 words."""
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeInSet(column="task", value_set=list(tasks)),
        gxe.ExpectColumnDistinctValuesToContainSet(column="task", value_set=list(tasks)),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("question", "summary", "completion", "method")),
        gxe.ExpectColumnValuesToNotMatchRegex(column="completion", regex=r"(?i)\b(correlat|associat)\w*"),
        gxe.ExpectColumnValuesToBeBetween(column="words", min_value=15, max_value=200),
        gxe.ExpectColumnValuesToBeBetween(column="words", min_value=32, max_value=132, mostly=0.9, severity="warning"),
        gxe.ExpectColumnValuesToBeInSet(column="faults", value_set=[0]),
    ]


def sample_expectations(levels: Mapping[str, Sequence[str]], rows: int) -> list[Any]:
    """What data drawn from a scenario must satisfy: the columns in order, and no value outside a sample space.

    Args:
        levels: by column in order, its sample space; none for a column of numbers.
        rows: how many there must be.
    """
    from great_expectations import expectations as gxe

    spaces = {name: values for name, values in levels.items() if values}
    return [
        gxe.ExpectTableRowCountToEqual(value=rows),
        gxe.ExpectTableColumnsToMatchOrderedList(column_list=list(levels)),
        *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in levels),
        *(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(values)) for name, values in spaces.items()),
        *(
            gxe.ExpectColumnDistinctValuesToContainSet(column=name, value_set=list(values), severity="warning")
            for name, values in spaces.items()
        ),
    ]


def _brief(details: dict[str, Any]) -> str:
    return ", ".join(
        f"{key}={value}" for key, value in details.items() if value is not None and key not in ("severity", "mostly")
    )
