"""Fit the weights of the signs against a reading, on development questions that no training has seen.

For each question the readings found are kept with their log-probability and signs; the weights are those under which the
right ones are likeliest (conditional likelihood, weights at least zero, a small ridge). Copy them to
``causal_tools/reading_weights.py``. The frozen sets ``unseen`` and ``written`` are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import minimize

from assets.profile import read_profile
from causal_tools.reading_search import Asked, find_readings
from causal_tools.reading_weights import SIGNS, Weights
from lm import LanguageModel, load_language_model
from lm.bundled import BUNDLED
from lm.registry import SHIPPED
from orchestration.settings import PROFILES
from training.grammar.engine import FamilyTask
from training.listwise import is_right
from training.queries import QueryItem, make_queries
from training.test_sets import load_test_set, unseen_topics
from training.topic_library import load_topics, split_topics

RIDGE = 0.1
FOLDS = 5
AT_ONCE = 24  # questions read side by side
SEED = 11


def found_for(model: LanguageModel, items: Sequence[QueryItem], weights: Weights) -> list[list[dict[str, Any]]]:
    """The readings found of each question: log-probability, signs, task, and whether all fields are right."""
    asked = [Asked(" ".join(item.question.split()), item.columns, levels=item.levels) for item in items]
    return [
        [
            {
                "log_prob": draft.log_prob,
                "signs": draft.signs,
                "task": draft.task,
                "text": draft.text,
                "query": hash(draft.query),
                "right": is_right(item, draft),
            }
            for draft in drafts
        ]
        for item, drafts in zip(items, find_readings(model, asked, weights), strict=True)
    ]


NAMES = ("model", *SIGNS)
FEWEST, MOST = {"model": 0.05}, 14.0


def fit(questions: list[list[dict[str, Any]]], start: Weights) -> tuple[dict[str, float], float]:
    """Weights of greatest conditional likelihood, and the mean log-likelihood of questions with a right reading."""
    cases = [
        (_features(drafts), np.array([draft["right"] for draft in drafts], bool))
        for drafts in questions
        if any(draft["right"] for draft in drafts) and not all(draft["right"] for draft in drafts)
    ]

    def loss(weights: np.ndarray) -> float:
        total = 0.0
        for features, right in cases:
            scores = features @ weights
            total += np.logaddexp.reduce(scores) - np.logaddexp.reduce(scores[right])
        return total / len(cases) + RIDGE * float(((weights - begin) ** 2).mean())

    begin = np.array([getattr(start, name) for name in NAMES])
    bounds = [(FEWEST.get(name, 0.0), MOST) for name in NAMES]
    best = minimize(loss, begin, bounds=bounds, method="L-BFGS-B")
    return dict(zip(NAMES, map(float, best.x), strict=True)), float(best.fun)


def cross_validated(questions: list[list[dict[str, Any]]], groups: list[str], start: Weights) -> float:
    """The share that comes out right where each fifth of the groups is read with weights fitted on the others."""
    names = sorted(set(groups))
    fold = {name: number % FOLDS for number, name in enumerate(np.random.default_rng(SEED).permutation(names))}
    right = 0.0
    for number in range(FOLDS):
        others, own = (
            [found for found, group in zip(questions, groups, strict=True) if (fold[group] == number) == held]
            for held in (False, True)
        )
        right += share_right(own, fit(others, start)[0]) * len(own)
    return right / len(questions)


def _features(drafts: list[dict[str, Any]]) -> np.ndarray:
    """(drafts, names): what each weight multiplies."""
    return np.array([[draft["log_prob"], *(-sign for sign in draft["signs"])] for draft in drafts])


def share_right(questions: list[list[dict[str, Any]]], weights: dict[str, float]) -> float:
    """The share of questions whose likeliest query, under these weights, is right."""
    vector = np.array([weights[name] for name in NAMES])
    right = 0
    for drafts in questions:
        sums: dict[int, float] = {}
        for draft, score in zip(drafts, _features(drafts) @ vector, strict=True):
            sums[draft["query"]] = float(np.logaddexp(sums.get(draft["query"], -np.inf), score))
        best = max(sums, key=lambda query: sums[query])
        right += any(draft["right"] for draft in drafts if draft["query"] == best)
    return right / len(questions)


def main(
    adapter: Annotated[
        str, typer.Argument(help="Folder of an adapter of the bundled model, or `shipped`.")
    ] = "shipped",
    generated: Annotated[int, typer.Option(help="Generated questions of each task, beside the development set.")] = 20,
    out: Annotated[Path | None, typer.Option(help="Where the readings found are kept as JSON, to look at.")] = None,
) -> None:
    """Read development questions, and fit the weights to what was found."""
    model = load_language_model(BUNDLED, adapter=str(SHIPPED) if adapter == "shipped" else adapter)
    items = development_questions(generated)
    start = Weights()
    parts = [items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]
    found = [drafts for part in track(parts, "reading") for drafts in found_for(model, part, start)]
    if out:
        rows = [
            {"question": item.question, "topic": item.topic, "task": item.task, "found": drafts}
            for item, drafts in zip(items, found, strict=True)
        ]
        out.write_text(json.dumps(rows))
    weights, loss = fit(found, start)
    crossed = cross_validated(found, [item.topic for item in items], start)
    before = {name: getattr(start, name) for name in NAMES}
    there = np.mean([any(draft["right"] for draft in drafts) for drafts in found])
    alone = share_right(found, dict.fromkeys(SIGNS, 0.0) | {"model": 1.0})
    Console().print(
        f"{len(items)} questions; the right reading is among those found for {there:.3f}, and comes first for "
        f"{alone:.3f} by the model alone, {share_right(found, before):.3f} with the "
        f"weights as they are, {share_right(found, weights):.3f} as fitted (loss {loss:.3f}; {crossed:.3f} where each "
        "fifth of the topics is read with the weights of the others)"
    )
    table = Table("sign", "as it is", "fitted")
    for name, weight in weights.items():
        table.add_row(name, f"{before[name]:.2f}", f"{weight:.2f}")
    Console().print(table)


def development_questions(generated: int) -> list[QueryItem]:
    """The sets for choosing, and generated questions over topics and families that the laptop profile holds out."""
    return [*load_test_set("development"), *load_test_set("tuning"), *held_out_questions(generated)]


def held_out_questions(of_each_task: int) -> list[QueryItem]:
    """Generated questions over topics and families that the laptop profile holds out; of the frozen sets' topics none."""
    profile = read_profile(PROFILES / "laptop.yaml")
    offered = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    _, topics = split_topics(offered, profile.queries.held_out_topics, profile.seed)
    return [
        item for task in get_args(FamilyTask) for item in make_queries(task, of_each_task, SEED, topics, "held_out")
    ]


if __name__ == "__main__":
    typer.run(main)
