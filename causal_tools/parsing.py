"""From a question to a query: a likely reading of closed form under the language model and the question's own words.

Readings of every task grow side by side, a piece at a time, the best few that have got as far kept (a beam search by task and
stage, so not every reading is looked at). What counts is the log-probability under the model (chain rule over all tokens; of
values among those that the file has) less what the question's words say against the reading
(:mod:`causal_tools.reading_evidence`). The share of the readings found that agree on a slot is the confidence in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from causal_tools.columns import plain_name
from causal_tools.contract import CausalQuery, Scalar
from causal_tools.errors import NotCausal, QueryError
from causal_tools.prompts import NOT_CAUSAL, parse_messages
from causal_tools.question_words import FILE_NAME
from causal_tools.reading_evidence import Weights
from causal_tools.reading_form import Draft, ReadingForm, Step
from causal_tools.second_reading import SecondReading, readers_of, second_readings
from lm.sentences import sentence_encoder

MOST_COLUMNS = 60
MOST_QUESTION_WORDS = 400
BEAM = 4  # readings of one task and stage that grow side by side
MOST_FOLLOWED = (
    32  # pieces of several tokens followed at once; a model that knows what it reads leaves fewer within reach
)
ROOM = 4  # times its prompt's states that a search may need, which branches
REACH = 2.5  # below the best score within which a reading is followed up


class ContinuationSession(Protocol):
    """Texts that grow, their states kept (see ``lm.model.ScoringSession``)."""

    def likely_continuations(
        self,
        contexts: Sequence[str],
        candidates: Sequence[Sequence[str]],
        offsets: Sequence[Sequence[float]],
        reach: float,
        closed: Sequence[bool] = (),
        contests: Sequence[int] = (),
        most: int | None = None,
    ) -> list[np.ndarray]: ...

    def texts_held(self, text: str) -> int: ...


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def session(self) -> ContinuationSession: ...


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
    if weights.unlike_in_meaning:  # all names at once: a search by itself would ask for a few at a time
        sentence_encoder().embed(sorted({plain_name(column) for one in asked for column in one.columns}))
    seconds: Sequence[SecondReading | None] = [None] * len(asked)
    if weights.hear_second:
        seconds = second_readings([(one.question, one.columns, one.levels) for one in asked], readers_of(model))
    searches = [_search(model, one, weights, second) for one, second in zip(asked, seconds, strict=True)]
    found = _run(model, dict(enumerate(searches)), weights)
    return [found[number] for number in range(len(asked))]


# A search asks for the scores of rows of steps, each after a text, and is sent the rows with their scores.
_Rows = list[tuple[str, list[Step]]]
_Search = Generator[_Rows, list[np.ndarray], list[Draft]]


def _run(model: ContinuationModel, searches: Mapping[int, _Search], weights: Weights) -> dict[int, list[Draft]]:
    """What each search finds; what they ask of the model at the same time is asked together.

    So many go on at once that the states of all that they write can be kept.
    """
    if not searches:
        return {}
    session, found = model.session(), {}
    begun = {number: next(search) for number, search in searches.items()}
    longest = max((asked[0][0] for asked in begun.values()), key=len, default="")
    most = max(1, session.texts_held(longest) // ROOM)
    waiting: dict[int, _Rows] = {}
    while begun or waiting:
        for number in list(begun)[: most - len(waiting)]:
            waiting[number] = begun.pop(number)
        rows = [row for asked in waiting.values() for row in asked]
        scores = session.likely_continuations(
            [text for text, _ in rows],
            [[step.piece for step in steps] for _, steps in rows],
            [[step.then.score(weights) / weights.model for step in steps] for _, steps in rows],
            REACH / weights.model,
            [_are_values(steps) for _, steps in rows],
            [contest for contest, asked in enumerate(waiting.values()) for _ in asked],
            MOST_FOLLOWED,
        )
        places = np.cumsum([0, *(len(asked) for asked in waiting.values())])
        going_on = {}
        for contest, number in enumerate(waiting):
            try:
                going_on[number] = searches[number].send(scores[places[contest] : places[contest + 1]])
            except StopIteration as end:
                found[number] = end.value
        waiting = going_on
    return found


def _search(model: ContinuationModel, asked: Asked, weights: Weights, second: SecondReading | None) -> _Search:
    start = model.chat_text(parse_messages(asked.question, asked.columns, asked.levels))
    encoder = sentence_encoder() if weights.unlike_in_meaning else None
    form = ReadingForm(" ".join(asked.question.split()), asked.columns, asked.levels, encoder, second)
    growing, whole = [form.begin()], []
    while growing:
        rows = [draft.next(draft) for draft in growing if draft.next is not None]
        scores = yield [(start + draft.text, row) for draft, row in zip(growing, rows, strict=True)]
        grown = [draft for row, own in zip(rows, scores, strict=True) for draft in _taken(row, own)]
        whole += [draft for draft in grown if draft.next is None]
        best = max((draft.score(weights) for draft in whole), default=-np.inf)
        growing = _best_of_each([draft for draft in grown if draft.next is not None], weights, best - REACH)
    sums: dict[object, float] = {}
    for draft in whole:
        sums[draft.query] = float(np.logaddexp(sums.get(draft.query, -np.inf), draft.score(weights)))
    return sorted(whole, key=lambda draft: (-sums[draft.query], -draft.score(weights)))


def _are_values(row: Sequence[Step]) -> bool:
    """Whether a row offers the values of a condition: the model is not told how the file spells them, so it shares out its
    probability among those that there are."""
    return row[0].then.choices[-1][0].startswith("value")


def _taken(row: Sequence[Step], log_probs: np.ndarray) -> list[Draft]:
    """The drafts that came of the steps within reach."""
    return [
        replace(step.then, log_prob=step.then.log_prob + float(log_prob))
        for step, log_prob in zip(row, log_probs, strict=True)
        if np.isfinite(log_prob)
    ]


def _best_of_each(drafts: Sequence[Draft], weights: Weights, least: float) -> list[Draft]:
    """The best of each task that have as many slots filled: words found have yet to pay for the column they stand for."""
    kept: list[Draft] = []
    counts: Counter[tuple[str, int]] = Counter()
    for draft in sorted(drafts, key=lambda draft: -draft.score(weights)):
        stage = draft.task, len(draft.choices)
        if draft.score(weights) >= least and counts[stage] < BEAM:
            counts[stage] += 1
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
