"""Explanations of results in plain language: the second corpus, and the rubric that judges any explanation by rule.

Source: LLM4Causal (arXiv 2312.17122): what an explanation must hold, its length, and the three flags of its rubric.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import CausalResult
from causal_tools.engine import answer
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.prompts import interpret_messages
from causal_tools.wording import check_wording
from training.grammar.engine import Draws
from training.interpretation_sentences import sentences
from training.queries import QueryItem
from training.simulation import simulate_file
from training.topic_library import load_topics

FEWEST_WORDS, AIM, MOST_WORDS = 32, 73, 132
TRIES = 6
LONGEST_FLUENT = 160
LOOP = 3
COLUMNS = (
    "id",
    "task",
    "topic",
    "question",
    "dataset",
    "method",
    "summary",
    "result",
    "messages",
    "completion",
    "words",
    "faults",
)


def explain(result: CausalResult, question: str, seed: int) -> str:
    """Explain a result in two to four sentences of varied wording that pass the wording check; the summary, if none does.

    Args:
        result: with its summary.
        question: that it answers; with the seed, it decides the phrasing.
        seed: of the phrasing.
    """
    own = int.from_bytes(hashlib.sha256(f"{result.task}/{question}/{result.summary}".encode()).digest()[:8], "big")
    draws = Draws(np.random.default_rng(np.random.SeedSequence([seed, own])))
    texts = [" ".join(sentences(result, draws)) for _ in range(TRIES)]
    return min(
        [text for text in texts if check_wording(text, result).passed] or [result.summary],
        key=lambda text: (not FEWEST_WORDS <= len(text.split()) <= MOST_WORDS, abs(len(text.split()) - AIM) // 15),
    )


def interpretation_corpus(
    items: Sequence[QueryItem],
    rows: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    each: int | None = None,
) -> pd.DataFrame:
    """Results of the causal tools on simulated files, with their explanations.

    Args:
        items: questions; those of task NONE are left out.
        rows: of each simulated file.
        seed: of files, tools and phrasing.
        progress: told (explained, wanted) after every explanation.
        each: how many of a task are explained, where its items suffice: the next one is asked for one that the tools refuse.
            Without it all are asked.

    Returns:
        A row an explained item; ``attrs['refused']`` maps the ids of the others to the tool's reason.
    """
    names = {topic.name: topic.dataset_names for topic in load_topics()}
    causal = [item for item in items if item.query is not None]
    found: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    explained: Counter[str] = Counter()
    wanted = Counter(item.task for item in causal)
    if each is not None:
        wanted = Counter({task: min(number, each) for task, number in wanted.items()})
    for item in causal:
        if explained[item.task] == wanted[item.task]:
            continue
        # a question that names no file is asked beside an open one
        dataset = item.dataset or f"{names[item.topic][seed % len(names[item.topic])]}.csv"
        # of graphs, a third has Gaussian noise, so that edges without a direction are explained too
        gaussian = item.task == "CGL" and int(hashlib.sha256(item.id.encode()).hexdigest(), 16) % 3 == 0
        simulated = simulate_file(item, rows, seed, gaussian=gaussian)
        try:
            result = answer(simulated.query, simulated.frame, seed=seed, dataset=dataset, checks=False)
            found.append(_row(item, result, seed))
            explained[item.task] += 1
            if progress:
                progress(len(found), wanted.total())
        except (EstimationRefused, QueryError) as error:
            refused[item.id] = f"{type(error).__name__}: {error}"
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    frame.attrs["refused"] = refused
    return frame


def _row(item: QueryItem, result: CausalResult, seed: int) -> dict[str, Any]:
    text = explain(result, item.question, seed)
    check = check_wording(text, result)
    messages = json.dumps(interpret_messages(item.question, result), ensure_ascii=False)
    return {
        "id": item.id, "task": item.task, "topic": item.topic, "question": item.question,
        "dataset": result.query.dataset, "method": result.method, "summary": result.summary,
        "result": result.model_dump_json(), "messages": messages, "completion": text, "words": len(text.split()),
        "faults": len(check.invented) + len(check.missing),
    }  # fmt: skip


def rubric(text: str, result: CausalResult) -> dict[str, bool]:
    """The three flags of the paper's rubric, decided by rule; true is a fault.

    Hallucination and incompleteness are the wording check's. Non-fluent is a text that is empty, longer than 160 words,
    says a sentence twice, repeats five words in a row three times, or stops without a full stop.
    """
    check = check_wording(text, result)
    return {
        "hallucination": bool(check.invented),
        "incompleteness": bool(check.missing),
        "non_fluency": not is_fluent(text),
    }


def is_fluent(text: str) -> bool:
    """Whether a text is neither empty nor too long, says nothing twice and ends in a full stop (see :func:`rubric`)."""
    words = re.findall(r"[^\s,;:()]+", text.casefold())
    sentences = [sentence.casefold().strip() for sentence in re.split(r"(?<=[.!?])\s+", text.strip())]
    runs = Counter(tuple(words[start : start + 5]) for start in range(len(words) - 4))
    return (
        0 < len(words) <= LONGEST_FLUENT
        and len(set(sentences)) == len(sentences)
        and max(runs.values(), default=0) < LOOP
        and re.search(r"[.!?][\"')]*$", text.strip()) is not None
    )
