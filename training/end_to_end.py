"""From question to answer on simulated files: how often an answer is delivered, to the right question, and true.

Source: LLM4Causal (arXiv 2312.17122), pass, relevance and win rate. Here an answer counts as right only where the reading is,
and the truth is known by simulation rather than compared with another tool's output.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from causal_tools.assistant import Assistant
from causal_tools.contract import CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.engine import answer
from causal_tools.errors import CausalToolsError
from training.metrics import field_matches
from training.queries import QueryItem
from training.simulation import SimulatedFile, errors_of, simulate_file

HALF_WIDTHS = 1.5  # of a 95 % interval: an error of about three standard errors
REGRET = 0.05  # of the response's standard deviation
EDGE = 0.2  # by which an edge's weight may be off, where weights are .5 to 1


def answer_questions(
    assistant: Assistant,
    items: Sequence[QueryItem],
    rows: int = 1000,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Ask the assistant each question about a simulated file, written as CSV and read back as a user's would be.

    Args:
        assistant: that answers; explanations are the template's.
        items: questions of causal tasks.
        rows: of each file.
        seed: of the files and the tools.
        report: called with (done, all).

    Returns:
        One line a question: ``delivered`` (an answer came), ``relevant`` (its query is the true one; covariates, which
        change the method and not the question, aside), ``correct``
        (relevant, and as near to the truth as its interval promises), ``tool_correct`` (the same of the tool given the true
        query; where the reading is relevant, the answer itself), ``reason`` where nothing was delivered, and ``seconds``.
    """
    lines = []
    with tempfile.TemporaryDirectory(prefix="causalsmith-files") as folder:
        for number, item in enumerate(items, start=1):
            simulated = simulate_file(item, rows, seed)
            path = Path(folder) / (Path(item.dataset).stem + ".csv" if item.dataset else "data.csv")
            simulated.frame.to_csv(path, index=False)
            lines.append(_answered(assistant, item, simulated, path, seed))
            if report is not None:
                report(number, len(items))
    return pd.DataFrame(lines)


def _answered(assistant: Assistant, item: QueryItem, simulated: SimulatedFile, path: Path, seed: int) -> dict[str, Any]:
    begin = perf_counter()
    given, reason = None, ""
    try:
        given = assistant.ask(path, item.question, wording=False, checks=False, seed=seed)
    except CausalToolsError as error:
        reason = f"{type(error).__name__}: {error}"
    seconds = perf_counter() - begin
    relevant = given is not None and field_matches(given.query.model_dump(mode="json"), item.query)["all"]
    try:
        alone = (
            given.result if given and relevant else answer(simulated.query, simulated.frame, seed=seed, checks=False)
        )
        tool_correct = is_right(alone, simulated.truth)
    except CausalToolsError:
        tool_correct = False
    return {
        "id": item.id, "task": item.task, "topic": item.topic, "question": item.question, "delivered": given is not None,
        "relevant": relevant, "correct": relevant and tool_correct, "tool_correct": tool_correct, "reason": reason,
        "seconds": seconds,
    }  # fmt: skip


def is_right(result: CausalResult, truth: dict[str, Any]) -> bool:
    """Whether a result is as near to the simulated truth as it promises.

    Effects: within one and a half half-widths of the 95 % interval. Actions: the true loss is at most a twentieth of the
    response's standard deviation. Graphs: every edge there, in its direction, its weight within 0.2.
    """
    errors = errors_of(result, truth)
    if isinstance(result, PolicyResult):
        return errors["regret"] <= REGRET * truth["response_sd"]
    if isinstance(result, GraphResult):
        return errors["weight"] <= EDGE
    intervals: dict[str, tuple[float, float] | None] = {}
    if isinstance(result, MediationResult):
        intervals = {"direct": result.direct_interval, "indirect": result.indirect_interval, "total": result.interval}
    elif isinstance(result, EffectResult):
        intervals = {"effect": result.interval}
    return all(
        interval is not None and errors[name] <= HALF_WIDTHS * (interval[1] - interval[0]) / 2
        for name, interval in intervals.items()
    )
