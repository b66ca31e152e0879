"""Answers on simulated files: what the tool makes of the true query, and what comes of a system's reading.

Source: LLM4Causal (arXiv 2312.17122), pass, relevance and win rate; see :mod:`training.end_to_end` for what counts as right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from causal_tools.contract import CausalQuery, CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.engine import answer
from causal_tools.errors import CausalToolsError
from training.digests import code_digest
from training.end_to_end import is_right
from training.ledger import Ledger, key_of
from training.metrics import field_matches
from training.queries import QueryItem
from training.simulation import simulate_file

RESULT: TypeAdapter[CausalResult] = TypeAdapter(GraphResult | EffectResult | MediationResult | PolicyResult)
NOT_READ = "NotCausal: the question was read as none of the five tasks"
Report = Callable[[int, int], None]


def true_results(
    ledger: Ledger, items: Sequence[QueryItem], rows: int, seed: int, report: Report | None = None
) -> pd.DataFrame:
    """The tool's result for each item's true query, on a simulated file of its own.

    Args:
        ledger: of results known so far.
        items: of causal tasks.
        rows: of each file.
        seed: of files and tools.
        report: called with (done, all).

    Returns:
        A line an item: ``result`` (JSON; empty where the tool refused, for the ``reason``), ``correct`` and ``seconds``.
    """

    def run(part: Sequence[QueryItem]) -> list[dict[str, Any]]:
        return [_true_result(item, rows, seed) for item in part]

    lines = ledger.fill(items, [_key("true", item, item.query, rows, seed) for item in items], run, report)
    facts = [{n: getattr(item, n) for n in ("id", "task", "topic", "question")} for item in items]
    columns = ["id", "task", "topic", "question", "result", "reason", "correct", "seconds"]
    return pd.DataFrame([{**fact, **line} for fact, line in zip(facts, lines, strict=True)], columns=columns)


def _true_result(item: QueryItem, rows: int, seed: int) -> dict[str, Any]:
    begin = perf_counter()
    try:
        simulated = simulate_file(item, rows, seed)
        dataset = item.dataset or "data.csv"
        result = answer(simulated.query, simulated.frame, seed=seed, dataset=dataset, checks=False)
        found = {"result": result.model_dump_json(), "reason": "", "correct": is_right(result, simulated.truth)}
    except CausalToolsError as error:
        found = {"result": "", "reason": f"{type(error).__name__}: {error}", "correct": False}
    return {**found, "seconds": perf_counter() - begin}


def answers_of(
    ledger: Ledger,
    items: Sequence[QueryItem],
    readings: Sequence[Mapping[str, Any] | None],
    truths: pd.DataFrame,
    rows: int,
    seed: int,
    report: Report | None = None,
) -> pd.DataFrame:
    """What comes of one system's readings.

    Args:
        items: of causal tasks, those of ``truths``, in its order.
        readings: of the items, in their order.
        truths: of :func:`true_results`, of the same rows and seed.

    Returns:
        A line an item: ``delivered`` (a result came), ``relevant`` (of the true query), ``correct`` (relevant, and as near to
        the truth as it promises), ``reason`` where nothing was delivered.
    """
    lines: list[dict[str, Any]] = []
    others: list[tuple[int, QueryItem, Mapping[str, Any]]] = []
    for number, (item, reading, truth) in enumerate(
        zip(items, readings, truths.to_dict("records"), strict=True),
    ):
        lines.append({"delivered": False, "relevant": False, "correct": False, "reason": NOT_READ})
        if reading is None:
            continue
        if field_matches(reading, item.query)["all"]:
            given = bool(truth["result"])
            lines[-1] = {"delivered": given, "relevant": True, "correct": truth["correct"], "reason": truth["reason"]}
        else:
            others.append((number, item, reading))

    def run(part: Sequence[tuple[int, QueryItem, Mapping[str, Any]]]) -> list[str]:
        return [_why_not(item, reading, rows, seed) for _, item, reading in part]

    keys = [_key("reading", item, reading, rows, seed) for _, item, reading in others]
    for (number, _, _), reason in zip(others, ledger.fill(others, keys, run, report), strict=True):
        lines[number] |= {"delivered": not reason, "reason": reason}
    facts = [{"id": item.id, "task": item.task, "topic": item.topic} for item in items]
    columns = ["id", "task", "topic", "delivered", "relevant", "correct", "reason"]
    return pd.DataFrame([{**fact, **line} for fact, line in zip(facts, lines, strict=True)], columns=columns)


def _why_not(item: QueryItem, reading: Mapping[str, Any], rows: int, seed: int) -> str:
    """Why the tool gives nothing for a reading that is not the true one; empty where it gives an answer."""
    try:
        query = CausalQuery.model_validate(dict(reading))
    except ValidationError as error:
        return f"QueryError: {error.errors()[0]['msg']}"
    try:
        answer(query, simulate_file(item, rows, seed).frame, seed=seed, checks=False)
    except CausalToolsError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _key(kind: str, item: QueryItem, query: Any, rows: int, seed: int) -> str:
    return key_of(kind, item.id, json.loads(json.dumps(query)), rows, seed, code_digest("causal_tools", "training"))


def explained(results: pd.DataFrame, per_task: int) -> list[tuple[str, str, CausalResult]]:
    """The results that are to be explained, as (item id, question, result): the first of each task.

    Args:
        results: of :func:`true_results`.
    """
    given = results[results["result"] != ""].groupby("task").head(per_task)
    return [
        (str(row["id"]), str(row["question"]), RESULT.validate_json(row["result"])) for row in given.to_dict("records")
    ]
