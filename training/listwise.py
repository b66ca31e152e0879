"""Lists of readings to tune the language model on as their judge: what is proposed of a question, and which of it is right.

The model that reads a question is asked to tell the right reading from those that come next to it. So it is tuned on just
that: of readings proposed for the same question, the right one is to be the likeliest.

Source: Cao et al. (2007), "Learning to rank: from pairwise approach to listwise approach", for the loss of a whole list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from causal_tools.contract import CausalQuery
from causal_tools.draft import Draft
from causal_tools.prompts import NOT_CAUSAL, parse_messages
from causal_tools.reading_search import Asked, proposed_readings
from causal_tools.reading_weights import Weights
from training.metrics import field_matches
from training.queries import QueryItem
from training.reader_labels import plain_question

SOFTENED = 0.8  # of the weights against a reading: more of what is nearly right is found
MOST_WRONG = 5  # queries of a list
MOST_LEAD = 3.0  # nats by which the right reading may be ahead: where it is further, there is nothing left to learn
BEAMS = (2, 5)  # narrow: many questions are to be looked at, and near misses will do


@dataclass(frozen=True)
class Proposal:
    """A reading that was proposed.

    Attributes:
        text: as the model would write it.
        given: where the question's words for a column stand in it, which the model is not asked for.
        score: nats, of what speaks against it.
        right: whether its query is the right one.
    """

    text: str
    given: tuple[tuple[int, int], ...]
    score: float
    right: bool


@dataclass(frozen=True)
class Choice:
    """A question as the model is asked it, and readings to choose among, at least one of them right."""

    messages: tuple[dict[str, str], ...]
    proposals: tuple[Proposal, ...]


def choices_of(items: Sequence[QueryItem], readers: Sequence[Path]) -> list[Choice | None]:
    """By question, the readings of the few queries that are hardest to tell apart; None where no right one is among them, or
    where it is far ahead.

    Args:
        readers: folders of the readers that propose.
    """
    weights = Weights().times(SOFTENED)
    asked = [Asked(plain_question(item), item.columns, levels=item.levels) for item in items]
    found = proposed_readings(asked, weights, readers, BEAMS)
    return [_choice(item, one, drafts, weights) for item, one, drafts in zip(items, asked, found, strict=True)]


def _choice(item: QueryItem, asked: Asked, drafts: Sequence[Draft], weights: Weights) -> Choice | None:
    kept: list[Proposal] = []
    wrong: set[object] = set()
    for draft in drafts:
        right = is_right(item, draft)
        if right or (draft.query not in wrong and len(wrong) < MOST_WRONG):
            kept.append(Proposal(draft.text, draft.given, draft.score(weights) / SOFTENED, right))
            wrong.update(() if right else (draft.query,))
    best, next_to_it = (max((one.score for one in kept if one.right == side), default=None) for side in (True, False))
    if best is None or next_to_it is None or best - next_to_it > MOST_LEAD:
        return None
    return Choice(tuple(parse_messages(asked.question, asked.columns, asked.levels)), tuple(kept))


def is_right(item: QueryItem, draft: Draft) -> bool:
    """Whether all fields of a whole reading are those of the question's query."""
    if draft.fault is not None:
        return False
    found = None if draft.task == NOT_CAUSAL else CausalQuery.model_validate(draft.fields).model_dump(mode="json")
    return field_matches(found, item.query)["all"]
