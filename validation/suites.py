"""Great Expectations suites over the corpora and the SD-SCM data, each outcome a table people can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from validation.results import CheckResult


def validate(frame: pd.DataFrame, name: str, expectations: Sequence[Any], docs: Path | None = None) -> CheckResult:
    """Run expectations on a table.

    Args:
        frame: the table.
        name: of the suite.
        expectations: of Great Expectations, each with its severity.
        docs: folder of a Great Expectations project, in which suite and outcome are kept and shown as data docs.

    Returns:
        Passed where every expectation of severity ``critical`` holds; the table has a line an expectation, and ``page`` is the
        data docs' address on this machine.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
    if docs is None:
        results, page = _validated(gx.get_context(mode="ephemeral"), suite, frame), None
    else:
        from filelock import FileLock

        docs.mkdir(parents=True, exist_ok=True)
        with FileLock(docs / "docs.lock"):  # checks of several runs write into one project
            results = _kept_in(docs, suite, frame)
        page = docs / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
    lines = []
    for one in results:
        config = one.expectation_config
        details = {key: value for key, value in config.kwargs.items() if key not in ("batch_id", "value_set", "regex")}
        severity = str(getattr(config, "severity", None) or "critical").split(".")[-1].lower()
        unexpected = one.result.get("unexpected_count", "")
        lines.append((config.type.removeprefix("expect_"), _brief(details), severity, bool(one.success), unexpected))
    table = pd.DataFrame(lines, columns=["expectation", "of", "severity", "met", "unexpected"])
    failed = table[~table["met"]]
    text = f"{len(table)} expectations on {len(frame):,} rows; {len(failed)} not met."
    return CheckResult(name, not (failed["severity"] == "critical").any(), text, table, page)


def _kept_in(docs: Path, suite: Any, frame: pd.DataFrame) -> list[Any]:
    """The outcome of each expectation, kept in the project of a folder.

    A project with a file that a killed run or a full disk left in halves would fail every check from then on: it is begun anew.
    """
    import great_expectations as gx

    def outcome() -> list[Any]:
        return _validated(gx.get_context(mode="file", project_root_dir=str(docs)), suite, frame, documented=True)

    try:
        return outcome()
    except OSError:  # a full disk is no fault of the project: nothing is thrown away for it
        raise
    except Exception:  # noqa: BLE001 - of many kinds, by the file and by how much of it is there
        # where the fault is not the project's, this raises it
        _validated(gx.get_context(mode="ephemeral"), suite, frame)
        shutil.rmtree(docs / "gx", ignore_errors=True)
        return outcome()


def _validated(context: Any, suite: Any, frame: pd.DataFrame, documented: bool = False) -> list[Any]:
    """The outcome of each expectation; ``documented`` keeps suite and outcome in the context and renews its data docs."""
    import great_expectations as gx

    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_or_update_pandas("pandas")
        .add_dataframe_asset(suite.name)
        .add_batch_definition_whole_dataframe("whole")
    )
    if not documented:
        return list(batch.get_batch({"dataframe": frame}).validate(suite).results)
    kept = context.suites.add_or_update(suite)
    definition = context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=suite.name, data=batch, suite=kept)
    )
    checkpoint = gx.Checkpoint(
        name=suite.name,
        validation_definitions=[definition],
        actions=[gx.checkpoint.UpdateDataDocsAction(name="data docs")],
    )
    (outcome,) = (
        context.checkpoints.add_or_update(checkpoint).run(batch_parameters={"dataframe": frame}).run_results.values()
    )
    return list(outcome.results)


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
        gxe.ExpectColumnValuesToMatchRegex(column="completion", regex=r"^(none|[a-z]+: .+)\.$"),
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
