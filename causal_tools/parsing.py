"""From a question to a query: the best of its readings (:mod:`causal_tools.reading_search`), checked and explained.

The share of the readings found that agree on a slot is the confidence in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from causal_tools.contract import CausalQuery, Scalar
from causal_tools.draft import Draft
from causal_tools.errors import NotCausal, QueryError
from causal_tools.names_said import column_mentions
from causal_tools.prompts import NOT_CAUSAL
from causal_tools.question_words import FILE_NAME
from causal_tools.reading_search import Asked, ContinuationModel, find_readings
from causal_tools.reading_weights import Weights

MOST_COLUMNS = 60
MOST_QUESTION_WORDS = 400


@dataclass(frozen=True)
class Reading:
    """A parsed question.

    Attributes:
        query: what will be run.
        said: by column, the question's words that were taken for it, where these are not its name.
        confidence: per slot, the share of its choice among the readings found, each with its probability.
        notes: what was assumed or left out.
        heard: by slot of a column, how likely the second readers find what fills it; empty where they were not asked.
    """

    query: CausalQuery
    confidence: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)


def read_question(
    model: ContinuationModel,
    question: str,
    columns: Sequence[str],
    dataset: str | None = None,
    levels: Mapping[str, Sequence[Scalar]] | None = None,
    weights: Weights | None = None,
) -> Reading:
    """Parse a causal question about a data file.

    Args:
        model: a language model that continues text from closed lists.
        question: in words.
        columns: header of the file.
        dataset: the file's name; where None, a file name in the question is taken.
        levels: of the categorical columns; the others are then taken for numeric. None where nothing is known of the file.
        weights: of the signs against a reading; the fitted ones by default.

    Raises:
        QueryError: the question is empty or very long, or the file has too few columns for the task.
        NotCausal: the model reads the question as none of the five tasks.
    """
    (found,) = read_questions(model, [Asked(question, tuple(columns), dataset, levels)], weights)
    if isinstance(found, Exception):
        raise found
    return found


def read_questions(
    model: ContinuationModel, asked: Sequence[Asked], weights: Weights | None = None
) -> list[Reading | QueryError | NotCausal]:
    """Parse many questions side by side: what the model computes for all of them goes through it together.

    Each is read as it would be alone, but for the last digits of floating-point sums.

    Returns:
        By question its reading, or why there is none.
    """
    weights = weights or Weights()
    outcomes: list[Reading | QueryError | NotCausal | None] = []
    prepared: dict[int, tuple[Asked, list[str]]] = {}
    for number, one in enumerate(asked):
        outcomes.append(None)
        try:
            prepared[number] = _prepared(one)
        except QueryError as error:
            outcomes[number] = error
    found = find_readings(model, [ready for ready, _ in prepared.values()], weights)
    for number, drafts in zip(prepared, found, strict=True):
        try:
            outcomes[number] = _reading(drafts, *prepared[number], weights)
        except (QueryError, NotCausal) as error:
            outcomes[number] = error
    return [outcome for outcome in outcomes if outcome is not None]


def _prepared(asked: Asked) -> tuple[Asked, list[str]]:
    """The question with the columns that the model is shown, and notes on what was left out."""
    question, columns = asked.question, list(asked.columns)
    if not question.strip():
        raise QueryError("the question is empty. Ask, for example: How does treatment affect outcome?")
    if (count := len(question.split())) > MOST_QUESTION_WORDS:
        raise QueryError(f"the question has {count:,} words; put it in at most {MOST_QUESTION_WORDS}")
    columns = [name for name in dict.fromkeys(columns) if name]  # a header given by hand may repeat or leave out a name
    if len(columns) < 2:
        raise QueryError(
            f"a causal question needs at least two columns; the file has {len(columns)}: {', '.join(columns)}"
        )
    notes: list[str] = []
    if len(columns) > MOST_COLUMNS:
        columns = _nearest(question, columns)
        notes.append(
            f"only the {MOST_COLUMNS} columns closest to the question's words were offered to the language model"
        )
    return replace(asked, columns=tuple(columns)), notes


def _reading(drafts: Sequence[Draft], asked: Asked, notes: list[str], weights: Weights) -> Reading:
    named = FILE_NAME.search(asked.question)
    best = drafts[0]
    if best.task == NOT_CAUSAL:
        raise NotCausal(
            "this reads as no causal question. What can be asked: the effect of one column on another, on average or where "
            "a condition holds, through a mediator, which action is best, or the causal graph of the columns"
        )
    if best.fault is not None:
        raise QueryError(best.fault)
    return Reading(
        CausalQuery.model_validate({"dataset": asked.dataset or (named.group(0) if named else None), **best.fields}),
        _confidence(drafts, weights),
        notes,
        dict(best.said),
        dict(best.heard),
    )


def _confidence(drafts: Sequence[Draft], weights: Weights) -> dict[str, float]:
    """By slot of the first draft, the probability of the drafts that agree with it there."""
    scores = np.array([draft.score(weights) for draft in drafts])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    return {
        slot: float(sum(share for draft, share in zip(drafts, shares, strict=True) if (slot, choice) in draft.choices))
        for slot, choice in drafts[0].choices
    }


def _nearest(question: str, columns: Sequence[str]) -> list[str]:
    """The columns that the question names, and those whose names are closest to its words, in the file's order.

    A word that a hundred names share, as *gene* in ``gene_010``, must not crowd out a column that is named in full.
    """
    from rapidfuzz import fuzz, utils

    named = {mention.column for mention in column_mentions(" ".join(question.split()), columns)}

    score: Callable[[str], float] = lambda name: fuzz.partial_token_set_ratio(  # noqa: E731 - a key function
        name.replace("_", " "), question, processor=utils.default_process
    )
    kept = set(sorted(columns, key=lambda name: (name in named, score(name)), reverse=True)[:MOST_COLUMNS])
    return [name for name in columns if name in kept]
