"""A reading and a file's columns as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causal_tools.contract import CausalQuery


LONGEST_CELL = 60


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
    if query.covariates is not None:
        parts.append(f"adjusted for {', '.join(query.covariates) or 'nothing'}")
    return f"{query.task}, {TASKS[query.task]}: {', '.join(parts)}"


def examples(column: Any) -> str:
    """A few values of a column."""
    present = column.dropna()
    try:
        present = present.drop_duplicates()
    except TypeError:  # lists and the like cannot be compared
        return ""
    return ", ".join(cell(value) for value in present.head(3))


def cell(value: Any) -> str:
    """A value in a few characters; nothing for a gap."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    shown = f"{value:.6g}" if isinstance(value, float) and len(str(value)) > 10 else str(value)
    if shown in ("NaT", "<NA>"):
        return ""
    return shown if len(shown) <= LONGEST_CELL else f"{shown[: LONGEST_CELL - 1]}…"
