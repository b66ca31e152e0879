"""The corpora that models are tuned on: questions with their readings, results with their explanations.

Every row holds the conversation as messages and the completion wanted, so that any model's chat format can be put on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from causal_tools.contract import CausalQuery
from causal_tools.prompts import parse_messages, reading_text
from training.queries import QueryItem

RETRIEVAL_COLUMNS = ("id", "split", "task", "topic", "family", "question", "dataset", "columns", "levels", "query", "messages", "completion", "source")


def items_frame(items: Sequence[QueryItem]) -> pd.DataFrame:
    """Query items as a flat table; lists and mappings as JSON text, which Parquet and people can both read."""
    rows = [item.model_dump(mode="json") for item in items]
    return pd.DataFrame([{key: _flat(value) for key, value in row.items()} for row in rows])


def items_from(frame: pd.DataFrame) -> list[QueryItem]:
    """The way back from :func:`items_frame`."""
    nested = ("columns", "query", "levels")
    return [
        QueryItem.model_validate(
            {key: json.loads(value) if key in nested and isinstance(value, str) else _none(value) for key, value in row.items()}
        )
        for row in frame.to_dict("records")
    ]


def retrieval_corpus(train: Sequence[QueryItem], held_out: Sequence[QueryItem], annotated: Sequence[QueryItem] = ()) -> pd.DataFrame:
    """Questions and their readings, split by topic and by phrasing family.

    Args:
        train: items of training topics and training families.
        held_out: items of unseen topics and unseen families.
        annotated: items that people corrected; training ones.

    Raises:
        ValueError: a topic or a phrasing family stands on both sides, or a question does.
    """
    for name in ("topic", "family", "question"):
        both = {getattr(i, name) for i in [*train, *annotated]} & {getattr(i, name) for i in held_out}
        if both:
            raise ValueError(f"{name} {sorted(both)[0]!r} stands in training and in the held-out set; split by topic and family")
    rows = [_retrieval_row(item, "train", "generated") for item in train]
    rows += [_retrieval_row(item, "train", "annotated") for item in annotated]
    rows += [_retrieval_row(item, "held_out", "generated") for item in held_out]
    return pd.DataFrame(rows, columns=list(RETRIEVAL_COLUMNS))


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
