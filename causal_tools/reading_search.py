"""Readings of a question: proposed by a search over what speaks against them, then judged by the language model.

Readings of every task grow side by side, a piece at a time, the best few that have got as far kept (a beam search by task and
stage, so not every reading is looked at), by what the question's words and the readers say against them
(:mod:`causal_tools.reading_signs`). Of those that come nearest, the log-probability under the model counts too (chain rule over
tokens; of values among those that the file has).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Protocol

import numpy as np

from causal_tools.columns import plain_name
from causal_tools.contract import Scalar
from causal_tools.draft import Draft
from causal_tools.prompts import parse_messages
from causal_tools.reading_form import ReadingForm
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import SecondReading, readers_of, second_readings
from lm.sentences import sentence_encoder

BEAMS = (2, 12)  # readings of one task and stage that grow side by side, at first and then
REACH = 4.0  # below the best score within which a reading is followed up
PROPOSED = 8  # queries of a question that the model judges
WORDINGS = 2  # of each


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def score_continuations(self, contexts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[np.ndarray]: ...


@dataclass(frozen=True)
class Asked:
    """A question about a file; fields as the arguments of :func:`causal_tools.parsing.read_question`."""

    question: str
    columns: tuple[str, ...]
    dataset: str | None = None
    levels: Mapping[str, Sequence[Scalar]] | None = None


def find_readings(model: ContinuationModel, asked: Sequence[Asked], weights: Weights) -> list[list[Draft]]:
    """The whole readings found of each question, best first; the first is the answer, the others what it was weighed against.

    Readings of the same query, which differ in the words taken for a column or in order, count together: a query comes
    before another where the sum of its readings' probabilities is larger.
    """
    if not asked:
        return []
    proposed = proposed_readings(asked, weights, readers_of(model) if weights.hear_second else ())
    starts = [model.chat_text(parse_messages(one.question, one.columns, one.levels)) for one in asked]
    return [ranked(drafts, weights) for drafts in _judged(model, starts, proposed)]


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
    best = -np.inf
    while growing:
        grown = [then for draft in growing if draft.next for then in draft.next(draft, draft.score(weights) - least)]
        ended = [draft for draft in grown if draft.next is None]
        whole += ended
        best = max([best, *(draft.score(weights) for draft in ended)])
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


def ranked(drafts: Sequence[Draft], weights: Weights) -> list[Draft]:
    """Whole readings by the sum of the probabilities of all that are of the same query, best first."""
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
