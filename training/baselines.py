"""Readings without a language model, to stand beside every score: the commonest reading, and the nearest training question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from causal_tools.contract import CausalQuery
from causal_tools.prompts import NOT_CAUSAL
from training.digests import digest_of
from training.queries import QueryItem

Reading = dict[str, Any] | None


def majority_readings(train: Sequence[QueryItem], items: Sequence[QueryItem]) -> list[Reading]:
    """The commonest reading of the training questions (columns and all), for every item."""
    kinds = Counter(digest_of(_named(item.query)) for item in train)
    commonest = kinds.most_common(1)[0][0]
    reading = next(item.query for item in train if digest_of(_named(item.query)) == commonest)
    return [dict(reading) if reading else None for _ in items]


def nearest_readings(train: Sequence[QueryItem], items: Sequence[QueryItem]) -> list[Reading]:
    """Task and form of the nearest training question (TF-IDF), its roles filled with the likeliest columns in order."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import linear_kernel

    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    known = vectors.fit_transform([item.question for item in train])
    closest = linear_kernel(vectors.transform([item.question for item in items]), known).argmax(axis=1)
    return [_filled(train[int(near)].query, item) for near, item in zip(closest, items, strict=True)]


def _named(query: dict[str, Any] | None) -> Any:
    return {key: value for key, value in query.items() if key != "dataset"} if query else NOT_CAUSAL


def _filled(form: dict[str, Any] | None, item: QueryItem) -> Reading:
    if form is None:
        return None
    mentioned = _by_place(item)
    if form["task"] == "CGL":
        nodes = form.get("nodes")
        return {"task": "CGL", "nodes": "all" if nodes == "all" else mentioned[: max(2, len(nodes or ()))]}
    roles = [role for role in ("treatment", "response", "mediator") if form.get(role)]
    reading: dict[str, Any] = {"task": form["task"], **dict(zip(roles, mentioned, strict=False))}
    conditions = form.get("conditions") or ()
    rest = mentioned[len(roles) :]
    numbers = [word for word in item.question.replace(",", " ").split() if word.replace(".", "", 1).isdigit()]
    if conditions and rest and numbers:
        reading["conditions"] = [{"column": rest[0], "operator": conditions[0]["operator"], "value": float(numbers[0])}]
    try:
        return CausalQuery.model_validate(reading).model_dump(mode="json")
    except ValueError:
        return reading


def _by_place(item: QueryItem) -> list[str]:
    """Columns of the file, those closest to the question's words first, then by where those words stand."""
    from rapidfuzz import fuzz, utils

    question = utils.default_process(item.question)
    found = []
    for column in item.columns:
        match = fuzz.partial_ratio_alignment(utils.default_process(column.replace("_", " ")), question)
        found.append((match.score if match else 0.0, match.dest_start if match else len(question), column))
    likely = sorted(found, reverse=True)[:4]
    return [column for _, _, column in sorted(likely, key=lambda one: one[1])]
