"""Held-out questions read by a model, item by item, so that any two systems can be compared on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from causal_tools.errors import NotCausal, QueryError
from causal_tools.parsing import read_question
from lm import LanguageModel
from training.queries import QueryItem

UNREADABLE: dict[str, Any] = {"task": "UNREADABLE"}


def readings_of(
    model: LanguageModel, items: Sequence[QueryItem], report: Callable[[int, int], None] | None = None
) -> list[dict[str, Any] | None]:
    """The model's reading of each item: None where it finds the question not causal.

    A question whose reading breaks off (no value to compare with, say) counts as ``UNREADABLE``, which is never right.
    """
    readings: list[dict[str, Any] | None] = []
    for number, item in enumerate(items, start=1):
        try:
            reading = read_question(model, item.question, item.columns, item.dataset, item.levels)
            readings.append(reading.query.model_dump(mode="json"))
        except NotCausal:
            readings.append(None)
        except QueryError:
            readings.append(UNREADABLE)
        if report is not None:
            report(number, len(items))
    return readings
