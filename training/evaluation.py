"""Held-out questions read by a model, item by item, so that any two systems can be compared on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pandas as pd

from causal_tools.errors import NotCausal
from causal_tools.parsing import read_questions
from causal_tools.prompts import LEVELS, QUESTION
from causal_tools.reading_search import Asked, ContinuationModel
from lm import LanguageModel, load_language_model
from lm.bundled import BUNDLED
from lm.load import base_of
from training.baselines import majority_readings, nearest_readings
from training.free_reading import UNREADABLE, free_readings
from training.ledger import Ledger, key_of
from training.metrics import field_matches
from training.queries import QueryItem, item_digest

AT_ONCE = 64  # questions read side by side

System = Literal["assistant", "without header", "free generation", "untuned", "nearest question", "majority"]


def readings_of(
    model: ContinuationModel,
    items: Sequence[QueryItem],
    report: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any] | None]:
    """The model's reading of each item: None where it finds the question not causal.

    A question whose reading breaks off (no value to compare with, say) counts as ``UNREADABLE``, which is never right.
    """
    readings: list[dict[str, Any] | None] = []
    for start in range(0, len(items), AT_ONCE):
        part = items[start : start + AT_ONCE]
        for outcome in read_questions(model, [Asked(i.question, i.columns, i.dataset, i.levels) for i in part]):
            if isinstance(outcome, Exception):
                readings.append(None if isinstance(outcome, NotCausal) else UNREADABLE)
            else:
                readings.append(outcome.query.model_dump(mode="json"))
        if report is not None:
            report(len(readings), len(items))
    return readings


def timed_readings(
    ledger: Ledger,
    system: str,
    load: Callable[[], ContinuationModel],
    items: Sequence[QueryItem],
    report: Callable[[int, int], None] | None = None,
    at_once: int = 1,
) -> list[dict[str, Any]]:
    """Readings that are kept as they come, so that none is made twice, however often the evaluation is killed.

    Args:
        ledger: of readings known so far.
        system: digest of the model, its adapter and the code that reads with it.
        load: gives the model; called only where a reading is not known.
        items: to read.
        report: called with (done, all).
        at_once: items that are read before they are kept.

    Returns:
        By item its ``reading`` (as of :func:`readings_of`) and the ``seconds`` that it took, when it was made.
    """

    def run(part: Sequence[QueryItem]) -> list[dict[str, Any]]:
        model, begin = load(), perf_counter()
        readings = readings_of(model, part)
        each = (perf_counter() - begin) / len(part)
        return [{"reading": reading, "seconds": each} for reading in readings]

    keys = [key_of("reading", system, item_digest(item)) for item in items]
    return ledger.fill(items, keys, run, report, at_once)


class WithoutHeader:
    """A model that is not shown the file's columns; its choices are still held to them. For comparison alone."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str:
        told = [message["content"].split(QUESTION)[-1].split(LEVELS)[0] for message in messages]
        bare = [{**message, "content": text} for message, text in zip(messages, told, strict=True)]
        return self._model.chat_text(bare)

    def score_continuations(self, contexts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self._model.score_continuations(contexts, candidates)


def compare_systems(
    model: LanguageModel | None,
    items: Sequence[QueryItem],
    train: Sequence[QueryItem],
    systems: Sequence[System],
    report: Callable[[str, int, int], None] | None = None,
) -> pd.DataFrame:
    """The same questions read by several systems, one line a question: what :func:`training.metrics.score_table` takes.

    Args:
        model: the tuned model; None where only baselines are asked for.
        items: questions with their true readings.
        train: what the baselines without a model know.
        systems: what reads.
        report: called with (system, done, all).
    """
    found: dict[str, list[Any]] = {}
    for system in systems:

        def told(done: int, total: int, system: str = system) -> None:
            if report is not None:
                report(system, done, total)

        if system == "majority":
            found[system] = majority_readings(train, items)
        elif system == "nearest question":
            found[system] = nearest_readings(train, items)
        elif system == "untuned":
            found[system] = readings_of(load_language_model(base_name(model)), items, told)
        elif model is None:
            raise ValueError(f"system {system!r} needs a model")
        elif system == "free generation":
            found[system] = free_readings(model, items, told)
        else:
            found[system] = readings_of(WithoutHeader(model) if system == "without header" else model, items, told)
    facts = {name: [getattr(item, name) for item in items] for name in ("id", "task", "topic", "question", "query")}
    return pd.DataFrame({**facts, **found})


def base_name(model: LanguageModel | None) -> str:
    """The reference of the model under an adapter; the bundled one where there is no adapter."""
    return base_of(model.adapter) if model is not None and model.adapter is not None else BUNDLED


def share_read_right(model: LanguageModel, items: Sequence[QueryItem]) -> float:
    """The share of items all of whose fields are read exactly."""
    pairs = zip(readings_of(model, items), items, strict=True)
    return float(np.mean([field_matches(reading, item.query)["all"] for reading, item in pairs]))
