"""A second reader beside the language model: what a small encoder, tuned for nothing else, makes of question and header.

It sees the question and all columns at once and says which task is asked and which column has which role; it says nothing of
operators and values. What it holds against a reading counts as signs (:mod:`causal_tools.reading_evidence`), in nats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from causal_tools.columns import plain_name
from causal_tools.contract import Scalar
from lm.pointer import Pointed, load_pointer

TASK_ROLES = ("treatment", "response", "mediator")
CONDITION, NODE, ALL = "condition", "node", "all"
SLOTS = (*TASK_ROLES, CONDITION, NODE)
MOST_AGAINST = 8.0  # nats of one choice: nothing is impossible
MOST_LEVELS = 5


class SecondReading:
    """What speaks against parts of a reading of one question, in nats.

    Args:
        pointed: what the reader found, items being the columns.
        columns: in the same order.
    """

    def __init__(self, pointed: Pointed, columns: Sequence[str]) -> None:
        self._tasks = {task: _capped(-log_prob) for task, log_prob in pointed.classes.items()}
        self._role = {
            role: dict(zip(columns, _capped_all(-_log_softmax(pointed.slots[role])), strict=True))
            for role in TASK_ROLES
        }
        self._for = {
            slot: dict(zip(columns, _softplus(-pointed.slots[slot]), strict=True)) for slot in (CONDITION, NODE)
        }
        self._without = {
            slot: dict(zip(columns, _softplus(pointed.slots[slot]), strict=True)) for slot in (CONDITION, NODE)
        }
        self._all, self._not_all = (float(_softplus(sign * np.array(pointed.marks[ALL]))) for sign in (-1, 1))

    def against_task(self, task: str) -> float:
        """That this is the task."""
        return self._tasks[task]

    def against_role(self, role: str, column: str) -> float:
        """That the column is treatment, response or mediator."""
        return self._role[role][column]

    def against_one(self, slot: str, column: str) -> float:
        """That there is a condition on the column, or that it is a node."""
        return self._for[slot][column]

    def against_rest(self, slot: str, columns: Collection[str]) -> float:
        """That only these columns have a condition, or are nodes."""
        return _capped(sum(value for column, value in self._without[slot].items() if column not in columns))

    def against_all(self, every: bool) -> float:
        """That the graph is of all columns, or of some."""
        return self._all if every else self._not_all


def second_readings(
    asked: Sequence[tuple[str, Sequence[str], Mapping[str, Sequence[Scalar]] | None]],
) -> list[SecondReading]:
    """Second readings of questions, each with its file's columns and their levels."""
    rows = [
        (" ".join(question.split()), [item_text(column, (levels or {}).get(column, ())) for column in columns])
        for question, columns, levels in asked
    ]
    found = load_pointer().read(rows)
    return [SecondReading(pointed, columns) for pointed, (_, columns, _) in zip(found, asked, strict=True)]


def item_text(column: str, levels: Sequence[Scalar]) -> str:
    """How the reader is shown a column: its name in plain words, and the first of its levels that are words."""
    words = [str(level) for level in levels if isinstance(level, str)][:MOST_LEVELS]
    return f"{plain_name(column)} : {' , '.join(words)}" if words else plain_name(column)


def _capped(value: float) -> float:
    return min(float(value), MOST_AGAINST)


def _capped_all(values: np.ndarray) -> list[float]:
    return [_capped(value) for value in values]


def _softplus(logits: np.ndarray) -> np.ndarray:
    """−log of the logistic function of the negated logits, capped."""
    return np.minimum(np.logaddexp(0.0, logits), MOST_AGAINST)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))
