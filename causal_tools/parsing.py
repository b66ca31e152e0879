"""From a question to a query: a likely reading of closed form under the language model and the question's own words.

Readings of every task grow side by side, a piece at a time, the best few that have got as far kept (a beam search by task and
stage, so not every reading is looked at), by what the question's words and the readers say against them
(:mod:`causal_tools.reading_evidence`). Of those that come nearest, the log-probability under the model counts too (chain rule
over tokens; of values among those that the file has). The share of the readings found that agree on a slot is the confidence
in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Protocol

import numpy as np

from causal_tools.columns import plain_name
from causal_tools.contract import CausalQuery, Scalar
from causal_tools.draft import Draft
from causal_tools.errors import NotCausal, QueryError
from causal_tools.prompts import NOT_CAUSAL, parse_messages
from causal_tools.question_words import FILE_NAME
from causal_tools.reading_form import ReadingForm
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import SecondReading, readers_of, second_readings
from lm.sentences import sentence_encoder

MOST_COLUMNS = 60
MOST_QUESTION_WORDS = 400
BEAMS = (2, 12)  # readings of one task and stage that grow side by side, at first and then
REACH = 4.0  # below the best score within which a reading is followed up
PROPOSED = 8  # queries of a question that the model judges
WORDINGS = 2  # of each


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def score_continuations(self, contexts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[np.ndarray]: ...


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


@dataclass(frozen=True)
class Asked:
    """A question about a file; fields as the arguments of :func:`read_question`."""

    question: str
    columns: tuple[str, ...]
    dataset: str | None = None
    levels: Mapping[str, Sequence[Scalar]] | None = None


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


def find_readings(model: ContinuationModel, asked: Sequence[Asked], weights: Weights) -> list[list[Draft]]:
    """The whole readings found of each question, best first; the first is the answer, the others what it was weighed against.

    Readings of the same query, which differ in the words taken for a column or in order, count together: a query comes
    before another where the sum of its readings' probabilities is larger.
    """
    if not asked:
        return []
    proposed = proposed_readings(asked, weights, readers_of(model) if weights.hear_second else ())
    starts = [model.chat_text(parse_messages(one.question, one.columns, one.levels)) for one in asked]
    return [_ranked(drafts, weights) for drafts in _judged(model, starts, proposed)]


def proposed_readings(
    asked: Sequence[Asked], weights: Weights, readers: Sequence[Path], beams: Sequence[int] = BEAMS
) -> list[list[Draft]]:
    """The whole readings of each question against which the fewest signs speak, best first, before a model judges them.

    Args:
        readers: folders of the second readers; none where they have no say.
        beams: readings of one task and stage that grow side by side; what a narrow search finds lets the next pass over most of
            what is worse.
    """
    if weights.unlike_in_meaning:  # all names at once: a search by itself would ask for a few at a time
        sentence_encoder().embed(sorted({plain_name(column) for one in asked for column in one.columns}))
    seconds: Sequence[SecondReading | None] = [None] * len(asked)
    if readers:
        seconds = second_readings([(one.question, one.columns, one.levels) for one in asked], readers)
    return [_proposed(one, weights, second, beams) for one, second in zip(asked, seconds, strict=True)]


def _proposed(asked: Asked, weights: Weights, second: SecondReading | None, beams: Sequence[int]) -> list[Draft]:
    """Whole readings against which the fewest signs speak, best first."""
    encoder = sentence_encoder() if weights.unlike_in_meaning else None
    form = ReadingForm(" ".join(asked.question.split()), asked.columns, asked.levels, encoder, second, weights)
    least = -np.inf
    for beam in beams:
        whole = _grown(form, weights, beam, least)
        least = max(draft.score(weights) for draft in whole) - REACH
    return _fewest_against(whole, weights, PROPOSED, least)


def _grown(form: ReadingForm, weights: Weights, beam: int, least: float) -> list[Draft]:
    """The whole readings that a beam search finds, none below ``least``."""
    growing, whole = [form.begin()], []
    while growing:
        grown = [then for draft in growing if draft.next for then in draft.next(draft, draft.score(weights) - least)]
        whole += [draft for draft in grown if draft.next is None]
        best = max((draft.score(weights) for draft in whole), default=-np.inf)
        stages: dict[tuple[str, int], list[Draft]] = {}
        for draft in grown:
            if draft.next is not None:
                stages.setdefault((draft.task, len(draft.choices)), []).append(draft)
        least = max(least, best - REACH)
        growing = [draft for stage in stages.values() for draft in _fewest_against(stage, weights, beam, least)]
    return whole


def _judged(model: ContinuationModel, starts: Sequence[str], proposed: Sequence[Sequence[Draft]]) -> list[list[Draft]]:
    """The drafts with their log-probability under the model; where all are of one query there is nothing to judge, and they stay
    as they are.

    The model is not told how a file spells the values of a condition, so it shares out its probability among those that there
    are; and the question's words for a column are given, since it is not asked which words these are.
    """
    rows: dict[tuple[str, tuple[str, ...]], dict[str, int]] = {}
    torn = [len({draft.query for draft in drafts}) > 1 for drafts in proposed]
    if not any(torn):
        return [list(drafts) for drafts in proposed]
    for start, drafts in compress(zip(starts, proposed, strict=True), torn):
        for before, piece, rivals in (part for draft in drafts for part in _parts(draft)):
            row = rows.setdefault((start + before, rivals), {rival: number for number, rival in enumerate(rivals)})
            row.setdefault(piece, len(row))
    scores = model.score_continuations([context for context, _ in rows], [list(row) for row in rows.values()])
    nats = {key: held - np.logaddexp.reduce(held) if key[1] else held for key, held in zip(rows, scores, strict=True)}

    def judged(start: str, draft: Draft) -> Draft:
        keys = [((start + before, rivals), piece) for before, piece, rivals in _parts(draft)]
        return replace(draft, log_prob=float(sum(nats[key][rows[key][piece]] for key, piece in keys)))

    return [
        [judged(start, draft) if is_torn else draft for draft in drafts]
        for start, drafts, is_torn in zip(starts, proposed, torn, strict=True)
    ]


def _parts(draft: Draft) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The parts of a draft's text that the model is asked for: what comes before, the part, and of a value all that might have
    stood there."""
    at = 0
    passed = [*draft.offered, *((begin, end, ()) for begin, end in draft.given)]
    for begin, end, rivals in (*sorted(passed), (len(draft.text), len(draft.text), ())):
        if at < begin:
            yield draft.text[:at], draft.text[at:begin], ()
        if rivals:
            yield draft.text[:begin], draft.text[begin:end], rivals
        at = end


def _ranked(drafts: Sequence[Draft], weights: Weights) -> list[Draft]:
    sums: dict[object, float] = {}
    for draft in drafts:
        sums[draft.query] = float(np.logaddexp(sums.get(draft.query, -np.inf), draft.score(weights)))
    return sorted(drafts, key=lambda draft: (-sums[draft.query], -draft.score(weights)))


def _fewest_against(drafts: Sequence[Draft], weights: Weights, most: int, least: float) -> list[Draft]:
    """The drafts of the best ``most`` choices, a few wordings of each, best first."""
    scored = [(score, draft) for draft in drafts if (score := draft.score(weights)) >= least]
    kept: list[Draft] = []
    wordings: Counter[object] = Counter()
    for _, draft in sorted(scored, key=lambda held: -held[0]):
        chosen = draft.choices, draft.query  # the last value of a condition, or one of several
        if chosen in wordings or len(wordings) < most:
            wordings[chosen] += 1
            if wordings[chosen] <= WORDINGS:
                kept.append(draft)
    return kept


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
    """The columns whose names are closest to the question's words, in the file's order."""
    from rapidfuzz import fuzz, utils

    score: Callable[[str], float] = lambda name: fuzz.partial_token_set_ratio(  # noqa: E731 - a key function
        name.replace("_", " "), question, processor=utils.default_process
    )
    kept = set(sorted(columns, key=score, reverse=True)[:MOST_COLUMNS])
    return [name for name in columns if name in kept]
