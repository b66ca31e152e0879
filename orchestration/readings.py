"""A reading and an answer as people see them and as programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from causal_tools.assistant import Answer
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


def answer_record(answer: Answer, model: str) -> dict[str, Any]:
    """An answer as one JSON object.

    Args:
        answer: what the assistant gave.
        model: the language model, described; or that none was used.
    """
    return {
        "query": answer.query.model_dump(mode="json", exclude_none=True),
        "result": answer.result.model_dump(mode="json"),
        "explanation": answer.explanation,
        "worded_by": answer.worded_by,
        "seconds": answer.seconds,
        "model": model,
        "confidence": answer.reading.confidence,
        "notes": answer.notes,
    }
