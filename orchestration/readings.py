"""A reading and a file's columns as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causal_tools.contract import CausalQuery, CausalResult


LONGEST_CELL = 60
LEVEL = 0.05  # of tests


def reading_line(query: CausalQuery) -> str:
    """A query in one line: its task, and every field that is set."""
    from causal_tools.contract import TASKS

    fields = query.model_dump(exclude_none=True)
    parts = [
        f"{key} {fields[key]}" for key in ("treatment", "second_treatment", "response", "mediator") if key in fields
    ]
    if query.nodes:
        parts.append("all columns" if query.nodes == "all" else f"columns {', '.join(query.nodes)}")
    parts += [f"where {condition}" for condition in query.conditions]
    parts += [f"comparing {query.contrast[1]} with {query.contrast[0]}"] if query.contrast else []
    if query.task == "OPO":
        parts.append(f"{query.goal} mean wanted")
    if query.covariates is not None:
        parts.append(f"adjusted for {', '.join(query.covariates) or 'nothing'}")
    return f"{query.task}, {TASKS[query.task]}: {', '.join(parts)}"


def check_lines(result: CausalResult) -> list[str]:
    """What was found beside an answer that speaks for or against it, one line each; the numbers are in its diagnostics."""
    from causal_tools.summary import format_interval, format_number

    held = result.diagnostics
    lines = []
    if (means := held.get("difference_in_means")) is not None:
        lines.append(
            f"without adjustment the difference is {format_number(means)} "
            f"({format_interval(held.get('difference_in_means_interval'))})"
        )
    if forest := held.get("causal_forest"):
        lines.append(
            f"a causal forest finds {format_number(forest['estimate'])} ({format_interval(forest['interval'])})"
        )
    if tests := held.get("refutations"):
        failed = [test["check"] for test in tests if not test["passed"]]
        lines.append(
            f"it stood {len(tests) - len(failed)} of {len(tests)} attempts to refute it"
            + (f"; not: {', '.join(failed)}" if failed else "")
        )
    lines += [
        f"the effect differs by {group['covariate']} (p = {format_number(group['p_value'])})"
        for group in held.get("effects_by_group", ())
        if group["p_value"] < LEVEL
    ]
    if (robust := held.get("robustness_value")) is not None:
        lines.append(
            f"a hidden cause would have to explain {100 * robust:.0f} % of what is left in both treatment and response to undo it"
        )
    if (value := held.get("e_value")) is not None:
        lines.append(f"the E-value is {format_number(value)}")
    if tree := held.get("tree_policy"):
        lines.append(f"a small tree would choose {'; '.join(tree['rules'])}: mean {format_number(tree['value'])}")
    return lines


def examples(column: Any) -> str:
    """A few values of a column."""
    present = column.dropna()
    try:
        present = present.drop_duplicates()
    except TypeError:  # lists and the like cannot be compared
        return ""
    return ", ".join(cell(value) for value in as_days(present).head(3))


def as_days(column: Any) -> Any:
    """A column of dates without their times, where all of these are midnight; any other column as it is."""
    if column.dtype.kind != "M" or not (column.dropna() == column.dropna().dt.normalize()).all():
        return column
    return column.dt.strftime("%Y-%m-%d")


def cell(value: Any) -> str:
    """A value in a few characters; nothing for a gap."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    shown = f"{value:.6g}" if isinstance(value, float) and len(str(value)) > 10 else str(value)
    if shown in ("NaT", "<NA>"):
        return ""
    return shown if len(shown) <= LONGEST_CELL else f"{shown[: LONGEST_CELL - 1]}…"
