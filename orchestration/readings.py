"""A reading as people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causal_tools.contract import CausalQuery


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
