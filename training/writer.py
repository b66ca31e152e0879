"""A language model that rewords generated questions, behind any OpenAI-compatible endpoint; every wording is checked.

The structured query stays; only its words change. A wording that lacks a needed name or value is sent back once with what
is missing, and kept as refused after that. Answers are recorded (:mod:`lm.api`), so the same questions cost nothing again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from causal_tools.contract import CausalQuery
from causal_tools.question_words import FILE_NAME
from lm.api import ChatEndpoint
from lm.errors import EndpointDown, EndpointError, EndpointRefused, SpendCapReached
from lm.replies import Request
from training.queries import QueryItem, check_item, spellings, with_id
from training.topic_library import Topic

VOICES = (
    "a terse analyst who leaves words out",
    "a chatty manager who tells why it matters first",
    "a physician between two patients",
    "somebody whose first language is not English, with small slips",
    "a student asking a tutor",
    "a journalist checking a claim",
    "an engineer who thinks in cause and consequence",
    "an elderly person who has never seen a data file",
    "somebody dictating into a phone, without punctuation",
    "a civil servant writing a memo",
)
ENDS_ASKING = (EndpointRefused, EndpointDown, SpendCapReached)
FEWEST, MOST = 8, 600  # characters of a question


@dataclass(frozen=True)
class Refused:
    """A wording that was not used: the item it was made for, the wording, and why."""

    item_id: str
    wording: str
    reason: str


@dataclass(frozen=True)
class Written:
    """What a writer made.

    Attributes:
        items: reworded questions, each with the query, topic and phrasing family of the one it was made from.
        refused: wordings that failed their checks twice.
        unasked: why the others have no wording (no key, cap reached, endpoint down, not served); empty when all were asked.
    """

    items: tuple[QueryItem, ...]
    refused: tuple[Refused, ...] = ()
    unasked: tuple[str, ...] = field(default=())


def reword(
    endpoint: ChatEndpoint,
    items: Sequence[QueryItem],
    topics: Sequence[Topic],
    report: Callable[[int, int], None] | None = None,
) -> Written:
    """Have each question put into other words.

    Recorded answers are used first. An endpoint that refuses or is down, and a reached cap, end the asking, not the run; one
    question that is not served keeps no other from being asked.

    Args:
        endpoint: of the writer.
        items: generated questions; those of task NONE are left out, since nothing could be checked.
        topics: of the items.
        report: called with (done, all).
    """
    causal = [item for item in items if item.query is not None]
    written: list[QueryItem] = []
    refused: list[Refused] = []
    unasked: list[str] = []
    ended = False
    for number, item in enumerate(causal):
        messages = writing_messages(item, VOICES[number % len(VOICES)])
        wording, faults = "", ["no answer"]
        for _ in range(2):
            try:
                request = Request(messages)
                reply = endpoint.recorded(request) if ended else endpoint.complete(request)
            except EndpointError as error:
                unasked.append(str(error))
                ended = ended or isinstance(error, ENDS_ASKING)
                reply = None
            if reply is None:
                break
            wording = reply.text.strip().strip('"').strip()
            faults = wording_faults(item, wording, topics)
            if not faults:
                written.append(_reworded(item, wording, topics))
                break
            messages = [
                *messages,
                {"role": "assistant", "content": reply.text},
                {
                    "role": "user",
                    "content": f"This will not do: {'; '.join(faults)}. Write it again, the question alone.",
                },
            ]
        if faults and wording:
            refused.append(Refused(item.id, wording, "; ".join(faults)))
        if report is not None:
            report(number + 1, len(causal))
    return Written(tuple(written), tuple(refused), tuple(dict.fromkeys(unasked)))


def writing_messages(item: QueryItem, voice: str) -> list[dict[str, Any]]:
    """The request for one wording: the query, the file's columns, a draft, and who is speaking."""
    query = {key: value for key, value in (item.query or {}).items() if value not in (None, [], ())}
    return [
        {
            "role": "system",
            "content": "You reword questions about data files. Keep exactly what is asked: the same columns in the same roles, "
            "the same values and comparisons, the same file name if there is one. Name every column as the draft does. Answer "
            "with the question alone.",
        },
        {
            "role": "user",
            "content": f"Speaker: {voice}\nColumns: {', '.join(item.columns)}\n"
            f"Query: {json.dumps(query, ensure_ascii=False)}\nDraft: {item.question}",
        },
    ]


def wording_faults(item: QueryItem, wording: str, topics: Sequence[Topic]) -> list[str]:
    """What a wording lacks; an empty list says that the query can be read off it."""
    if not FEWEST <= len(wording) <= MOST:
        return [f"it has {len(wording)} characters, and must have {FEWEST} to {MOST}"]
    if wording.casefold() == item.question.casefold():
        return ["it is the draft unchanged"]
    return check_item(_reworded(item, wording, topics), topics)


def _reworded(item: QueryItem, wording: str, topics: Sequence[Topic]) -> QueryItem:
    topic = next(topic for topic in topics if topic.name == item.topic)
    columns = CausalQuery.model_validate(item.query).columns()
    said = {column: words for column in columns if (words := _words_for(column, item, wording, topic))}
    return with_id(item.model_copy(update={"question": wording, "said": said}))


def _words_for(column: str, item: QueryItem, wording: str, topic: Topic) -> str | None:
    """The wording's words for a column that it does not name: those of the draft if they are there, else the longest known."""
    wording = FILE_NAME.sub(" ", wording)
    if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", wording):
        return None
    known = sorted(spellings(column, topic), key=len, reverse=True)
    for text in [item.said.get(column, column), *known]:
        if found := re.search(rf"(?<!\w){re.escape(text)}(?!\w)", wording, re.IGNORECASE):
            return found.group(0)
    return None
