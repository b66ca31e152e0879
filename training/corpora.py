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
from causal_tools.prompts import parse_messages, reading_text
from training.packing import Example
from training.queries import QueryItem
from training.recipe import SftRecipe
from training.restyling import restyled

MADE = ("generated", "reworded")  # sources of questions that nobody wrote or corrected
MOST_REPEATS = 4  # of an explanation
MOST_BY_HAND = 0.4  # of the packs of questions, where they have to be repeated

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
    "said",
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
    nested = ("columns", "query", "levels", "said")
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


def unlike(items: Sequence[QueryItem], asked: set[str]) -> list[QueryItem]:
    """The items whose question is not among those asked, each question once; what they ask is added to these."""
    found = []
    for item in items:
        if item.question not in asked:
            asked.add(item.question)
            found.append(item)
    return found


def retrieval_corpus(
    train: Sequence[QueryItem],
    held_out: Sequence[QueryItem],
    annotated: Sequence[QueryItem] = (),
    written: Sequence[QueryItem] = (),
    reworded: Sequence[QueryItem] = (),
    unseen: Sequence[str] = ("topic", "family", "question"),
) -> pd.DataFrame:
    """Questions and their readings, split by topic and by phrasing family.

    Args:
        train: items of training topics and training families.
        held_out: items of unseen topics and, unless ``unseen`` says otherwise, unseen families.
        annotated: items that people corrected; training ones.
        written: items worded by hand; training ones.
        reworded: generated items in other words; training ones.
        unseen: what a held-out item must not share with any training item.

    Raises:
        ValueError: a topic or a phrasing family stands on both sides, or a question does.
    """
    for name in unseen:
        both = {getattr(i, name) for i in [*train, *annotated, *written, *reworded]} & {
            getattr(i, name) for i in held_out
        }
        if both:
            raise ValueError(
                f"{name} {sorted(both)[0]!r} stands in training and in the held-out set; split by topic and family"
            )
    rows = [_retrieval_row(item, "train", "generated") for item in train]
    rows += [_retrieval_row(item, "train", "annotated") for item in annotated]
    rows += [_retrieval_row(item, "train", "written") for item in written]
    rows += [_retrieval_row(item, "train", "reworded") for item in reworded]
    rows += [_retrieval_row(item, "held_out", "generated") for item in held_out]
    return pd.DataFrame(rows, columns=list(RETRIEVAL_COLUMNS))


def training_examples(retrieval: pd.DataFrame, interpretation: pd.DataFrame, recipe: SftRecipe) -> list[Example]:
    """Examples of one run: as many as it can see, in an order fixed by the seed.

    Questions about one file stand together, up to ``recipe.pack`` of them, since they can share a pack. Those that people
    wrote or corrected come several times where there is room, each time over another header (:mod:`training.restyling`).

    Args:
        retrieval: of :func:`retrieval_corpus`; its training rows are used.
        interpretation: result-and-explanation pairs with ``messages`` and ``completion``.
        recipe: steps, batch size, pack, share of explanations, and seed.
    """
    wanted = recipe.steps * recipe.batch_size
    random = np.random.default_rng(recipe.seed)
    train = retrieval[retrieval["split"] == "train"]
    train = train.iloc[random.permutation(len(train))]
    made = train["source"].isin(MADE)
    generated, by_hand = _packs(train[made], recipe.pack), _packs(train[~made], recipe.pack)
    pairs = interpretation.iloc[random.permutation(len(interpretation))]
    alone = [[Example(tuple(json.loads(m)), c)] for m, c in zip(pairs["messages"], pairs["completion"], strict=True)]
    explained = min(round(wanted * recipe.explanations), len(alone) * MOST_REPEATS)
    left = wanted - explained if recipe.explanations < 1 else 0
    handed = min(round(left * MOST_BY_HAND), len(by_hand) * recipe.repeats)
    chosen = [
        *(alone * MOST_REPEATS)[:explained],
        *_read(by_hand, handed, recipe.repeats, random),
        *_read(generated, left - handed, recipe.repeats, random),
    ]
    return [example for i in random.permutation(len(chosen)) for example in chosen[i]]


def _packs(rows: pd.DataFrame, size: int) -> list[list[QueryItem]]:
    """Questions about the same file, in lists of at most ``size``."""
    files: dict[tuple[str, ...], list[QueryItem]] = {}
    for item in items_from(rows):
        files.setdefault(item.columns, []).append(item)
    return [items[start : start + size] for items in files.values() for start in range(0, len(items), size)]


def _read(packs: list[list[QueryItem]], count: int, repeats: int, random: np.random.Generator) -> list[list[Example]]:
    """The first ``count`` packs as examples, starting over where there are fewer, at most so many times."""
    chosen = (packs * repeats)[:count]
    return [
        [_example(item) for item in (pack if number < len(packs) else restyled(pack, random))]
        for number, pack in enumerate(chosen)
    ]


def _example(item: QueryItem) -> Example:
    return Example(
        tuple(parse_messages(item.question, item.columns, item.levels)), reading_text(_query_of(item), item.said)
    )


def _query_of(item: QueryItem) -> CausalQuery | None:
    return CausalQuery.model_validate(item.query) if item.query is not None else None


def _retrieval_row(item: QueryItem, split: str, source: str) -> dict[str, Any]:
    row = {key: _flat(value) for key, value in item.model_dump(mode="json").items()}
    return {
        **row,
        "split": split,
        "messages": json.dumps(parse_messages(item.question, item.columns, item.levels), ensure_ascii=False),
        "completion": reading_text(_query_of(item), item.said),
        "source": source,
    }


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | tuple) else value


def _none(value: Any) -> Any:
    return None if isinstance(value, float) and pd.isna(value) else value
