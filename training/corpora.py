"""The corpora that models are tuned on: questions with their readings, results with their explanations.

Every row holds the conversation as messages and the completion wanted, so that any model's chat format can be put on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery
from causal_tools.prompts import decision_spans, parse_messages, reading_text
from training.queries import QueryItem
from training.sft import Example, SftRecipe

MOST_REPEATS = 4
WHOLE_EVERY = 16

RETRIEVAL_COLUMNS = (
    "id",
    "split",
    "task",
    "topic",
    "family",
    "question",
    "dataset",
    "columns",
    "levels",
    "query",
    "messages",
    "completion",
    "source",
)


def items_frame(items: Sequence[QueryItem]) -> pd.DataFrame:
    """Query items as a flat table; lists and mappings as JSON text, which Parquet and people can both read."""
    rows = [item.model_dump(mode="json") for item in items]
    flat = [{key: _flat(value) for key, value in row.items()} for row in rows]
    return pd.DataFrame(flat, columns=list(QueryItem.model_fields))


def items_from(frame: pd.DataFrame) -> list[QueryItem]:
    """The way back from :func:`items_frame`; columns that are no field of an item are left aside."""
    nested = ("columns", "query", "levels")
    frame = frame[list(QueryItem.model_fields)]
    return [
        QueryItem.model_validate(
            {
                key: json.loads(value) if key in nested and isinstance(value, str) else _none(value)
                for key, value in row.items()
            }
        )
        for row in frame.to_dict("records")
    ]


def retrieval_corpus(
    train: Sequence[QueryItem],
    held_out: Sequence[QueryItem],
    annotated: Sequence[QueryItem] = (),
    unseen: Sequence[str] = ("topic", "family", "question"),
) -> pd.DataFrame:
    """Questions and their readings, split by topic and by phrasing family.

    Args:
        train: items of training topics and training families.
        held_out: items of unseen topics and, unless ``unseen`` says otherwise, unseen families.
        annotated: items that people corrected; training ones.
        unseen: what a held-out item must not share with any training item.

    Raises:
        ValueError: a topic or a phrasing family stands on both sides, or a question does.
    """
    for name in unseen:
        both = {getattr(i, name) for i in [*train, *annotated]} & {getattr(i, name) for i in held_out}
        if both:
            raise ValueError(
                f"{name} {sorted(both)[0]!r} stands in training and in the held-out set; split by topic and family"
            )
    rows = [_retrieval_row(item, "train", "generated") for item in train]
    rows += [_retrieval_row(item, "train", "annotated") for item in annotated]
    rows += [_retrieval_row(item, "held_out", "generated") for item in held_out]
    return pd.DataFrame(rows, columns=list(RETRIEVAL_COLUMNS))


def training_examples(
    retrieval: pd.DataFrame, interpretation: pd.DataFrame, share: float, recipe: SftRecipe
) -> list[Example]:
    """Examples of one run: as many as it can see, a share of them explanations, in an order fixed by the seed.

    Args:
        retrieval: of :func:`retrieval_corpus`; its training rows are used, the annotated ones first.
        interpretation: result-and-explanation pairs with ``messages`` and ``completion``.
        share: of examples that are explanations, 0 to 1.
        recipe: steps, batch size and seed.
    """
    wanted = recipe.steps * recipe.batch_size
    random = np.random.default_rng(recipe.seed)
    questions = retrieval[retrieval["split"] == "train"]
    questions = questions.iloc[random.permutation(len(questions))].sort_values("source", kind="stable")
    pairs = interpretation.iloc[random.permutation(len(interpretation))]
    explained = min(round(wanted * share), len(pairs) * MOST_REPEATS) if share else 0
    chosen = [*_cycled(pairs, explained), *_cycled(questions, wanted - explained if share < 1 else 0)]
    return [chosen[i] for i in random.permutation(len(chosen))]


def _cycled(frame: pd.DataFrame, count: int) -> list[Example]:
    """The first ``count`` rows as examples, starting over where there are fewer, at most a few times.

    Of a reading only the decisions count, since the rest follows when a question is parsed from closed lists; one in
    ``WHOLE_EVERY`` counts whole, so that the form is learnt too. Explanations count whole.
    """
    rows = []
    for number, (messages, completion) in enumerate(zip(frame["messages"], frame["completion"], strict=True)):
        spans = tuple(decision_spans(completion)) if number % WHOLE_EVERY else ()
        rows.append(Example(tuple(json.loads(messages)), completion, spans or None))
    return (rows * MOST_REPEATS)[:count]


def _retrieval_row(item: QueryItem, split: str, source: str) -> dict[str, Any]:
    query = CausalQuery.model_validate(item.query) if item.query is not None else None
    row = {key: _flat(value) for key, value in item.model_dump(mode="json").items()}
    return {
        **row,
        "split": split,
        "messages": json.dumps(parse_messages(item.question, item.columns), ensure_ascii=False),
        "completion": reading_text(query),
        "source": source,
    }


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | tuple) else value


def _none(value: Any) -> Any:
    return None if isinstance(value, float) and pd.isna(value) else value
