"""What the language model reads and writes: one form, used in training and in answering alike.

The reading is a JSON object written in a fixed order of fields. Its fixed parts are given; only the slots between them are
chosen, each from a closed list (:mod:`causal_tools.parsing`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from causal_tools.contract import CausalQuery, CausalResult

NOT_CAUSAL = "NONE"
TASK_WORDS = {  # plain words for the model's reading: a small model knows them, and not the abbreviations
    "CGL": "graph",
    "ATE": "effect",
    "HTE": "subgroup",
    "MA": "mediation",
    "OPO": "action",
    NOT_CAUSAL: "none",
}


_VALUE = re.compile(r'": "((?:[^"\\]|\\.)*)"[,}]')


def parse_messages(question: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The conversation that asks for the reading of a question, over the columns of its data file."""
    return [
        {"role": "system", "content": "Read the causal question as JSON."},
        {"role": "user", "content": f"Columns: {', '.join(columns)}\nQuestion: {' '.join(question.split())}"},
    ]


def slots_of(query: CausalQuery | None) -> list[tuple[str, Any]]:
    """A query as the (field, value) pairs of its reading, in the order in which they are written.

    Conditions are written as ``where``, ``is`` and ``value``, once for each condition; None is a question of no causal task.
    """
    if query is None:
        return [("task", TASK_WORDS[NOT_CAUSAL])]
    slots: list[tuple[str, Any]] = [("task", TASK_WORDS[query.task])]
    if query.task == "CGL":
        names = [query.nodes] if isinstance(query.nodes, str) else list(query.nodes or [])
        return [*slots, *(("node", name) for name in names)]
    slots += [("treatment", query.treatment), ("response", query.response)]
    if query.mediator:
        slots.append(("mediator", query.mediator))
    for condition in query.conditions:
        value = condition.value if not isinstance(condition.value, tuple) else " | ".join(map(str, condition.value))
        slots += [("where", condition.column), ("is", condition.operator), ("value", str(value))]
    return slots


def reading_text(query: CausalQuery | None) -> str:
    """The reading that a model is trained to write, such as ``{"task": "effect", "treatment": "t", "response": "y"}``."""
    return "{" + ", ".join(f'"{name}": {quoted(value)}' for name, value in slots_of(query)) + "}"


def slot_spans(reading: str) -> list[tuple[int, int]]:
    """Where a reading's values stand, each with the quote and the comma or brace that close it; the rest is given."""
    return [(match.start(1), match.end()) for match in _VALUE.finditer(reading)]


def decision_spans(reading: str) -> list[tuple[int, int]]:
    """Where a reading is decided: the first character of each value, and what closes it.

    Which value it is, its first token mostly says; the tokens after it follow from the list of candidates.
    """
    return [span for start, end in slot_spans(reading) for span in ((start, start + 1), (end - 2, end))]


def quoted(value: Any) -> str:
    """A value as it stands in a reading: a JSON text."""
    return json.dumps(str(value), ensure_ascii=False)


def interpret_messages(question: str, result: CausalResult) -> list[dict[str, str]]:
    """The conversation that asks for an explanation of a result in a few plain sentences."""
    return [
        {
            "role": "system",
            "content": "Explain the result of a causal analysis in at most four plain sentences. Use its numbers only.",
        },
        {"role": "user", "content": f"Question: {' '.join(question.split())}\nResult: {result.summary}"},
    ]
