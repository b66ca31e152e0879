"""Questions with their structured queries: the query is drawn first, then put into words, so the label cannot be wrong.

Item ``index`` of a task depends on the seed, the task, the families, the topics and the items before it, never on how
many are made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from causal_tools.contract import CausalQuery, Condition
from training import grammar
from training.grammar.conditions import DrawnCondition, said_without_name, written
from training.grammar.drawing import FILLERS, Header, as_query, draw_header, draw_meaning, say_slots
from training.grammar.engine import Draws, FamilyTask, Split
from training.grammar.masking import template_key
from training.grammar.wording import Frame, assemble, type_out, word_core
from training.topic_library import Level, Topic, Variable, load_topics

FILE_NAMED_SHARE = 0.55
SUFFIXES = (".csv", ".csv", ".csv", ".csv", ".xlsx", ".parquet", ".tsv")
MOST_ATTEMPTS = 60
_OPEN_SLOT = re.compile(r"\{(\w+)\}")
_GIVEN_SLOTS = frozenset({"file", "unit", "units", "topic"})


class QuestionsExhausted(ValueError):
    """No further different question could be found."""


class QueryItem(BaseModel):
    """A question, the file that it is asked about, and what it asks.

    ``dataset`` is None where the question names no file. ``columns`` is the file's header in order; ``levels``
    holds the levels of its discrete columns. ``query`` is a dumped ``CausalQuery``, or None for task NONE. ``said`` holds
    the question's words for columns of the query that it does not name literally.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    task: FamilyTask
    topic: str
    family: str
    question: str = Field(min_length=1)
    dataset: str | None
    columns: tuple[str, ...]
    query: dict[str, Any] | None
    levels: dict[str, tuple[Level, ...]]
    said: dict[str, str] = {}


def item_digest(item: QueryItem) -> str:
    """Digest of what an item asks; hexadecimal."""
    content = item.model_dump(mode="json", exclude={"id", "said"})
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def corpus_digest(items: Iterable[QueryItem]) -> str:
    """Digest of a whole corpus in its order, for lineage; hexadecimal."""
    return hashlib.sha256("\n".join(item_digest(item) for item in items).encode()).hexdigest()


def with_id(item: QueryItem) -> QueryItem:
    """The item under the id that its content calls for."""
    return item.model_copy(update={"id": f"{item.task.lower()}-{item_digest(item)[:16]}"})


def make_queries(
    task: FamilyTask, count: int, seed: int, topics: Sequence[Topic], families: Split = "train"
) -> list[QueryItem]:
    """Make ``count`` questions of one task, no two of which are alike in more than names and values.

    The question of a place is about the same file in every task, so that all of them together are several about each file.

    Args:
        task: the causal task, or NONE for questions that no causal tool answers.
        topics: the topics to draw from; the order matters.
        families: the side of the phrasing split to draw from.

    Raises:
        ValueError: no topics, or a negative count.
        QuestionsExhausted: the topics and families hold too few different questions.
    """
    if count < 0 or not topics:
        raise ValueError(f"needs topics and count >= 0; given {len(topics)} topics and count {count}")
    seen: set[str] = set()
    items: list[QueryItem] = []
    for index in range(count):
        draws = _stream(seed, "file", families, index)  # the same for all tasks: several questions about one file
        topic = draws.pick(topics)
        header = draw_header(topic, [other for other in topics if other is not topic], draws)
        for attempt in range(MOST_ATTEMPTS):
            item = _make_item(task, topic, header, families, _stream(seed, task, families, index, attempt))
            if item is None:
                continue
            key = template_key(item.question, topic, item.dataset)
            if key not in seen:
                break
        else:
            raise QuestionsExhausted(
                f"no different {task} question after {index} items and {MOST_ATTEMPTS} tries; "
                f"ask for fewer or give more than {len(topics)} topics"
            )
        seen.add(key)
        items.append(item)
    return items


def _stream(*names: object) -> Draws:
    digest = hashlib.sha256("/".join(("queries", *map(str, names))).encode()).digest()
    return Draws(np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest[:16], "big"))))


def _make_item(task: FamilyTask, topic: Topic, header: Header, families: Split, draws: Draws) -> QueryItem | None:
    """One question about a file, or None where its wording does not suit the file."""
    family = draws.pick(grammar.families(task, families))
    core = word_core(family, draws)
    meaning = draw_meaning(task, topic, header, frozenset(_OPEN_SLOT.findall(core)), draws)
    if meaning is None:
        return None
    file = draws.pick(topic.dataset_names) + draws.pick(SUFFIXES)
    named = "{file}" in core or (draws.chance(FILE_NAMED_SHARE) and task != "NONE") or (
        task == "NONE" and "{in_file}" in core and draws.chance(FILE_NAMED_SHARE)
    )  # fmt: skip
    variables = header.variables(topic)
    spare = len(variables) > len(meaning.used)
    may_distract = spare and task != "NONE" and not (task == "CGL" and meaning.nodes is None)
    text = assemble(core, Frame(families, named, bool(meaning.covariates), may_distract), draws)
    open_slots = [slot for slot in dict.fromkeys(_OPEN_SLOT.findall(text)) if slot not in _GIVEN_SLOTS]
    slots, said = say_slots(meaning, topic, header.names, file, open_slots, draws)
    dataset = file if named else None
    query = as_query(task, meaning, header.names, dataset)
    question = type_out(text, slots, frozenset(header.columns), draws)
    meant = {} if query is None else {column: said[column] for column in query.columns() if column in said}
    return with_id(
        QueryItem(
            id="new",
            task=task,
            topic=topic.name,
            family=family.id,
            question=question,
            dataset=dataset,
            columns=header.columns,
            query=None if query is None else query.model_dump(mode="json"),
            levels={header.names[v.name]: v.values for v in variables if v.discrete},
            said={column: _as_written(words, question) for column, words in meant.items()},
        )
    )


def _as_written(words: str, question: str) -> str:
    """Words with the capitals that the question has."""
    place = question.casefold().find(words.casefold())
    return question[place : place + len(words)] if place >= 0 else words


def check_item(item: QueryItem, topics: Sequence[Topic] | None = None) -> list[str]:
    """Everything wrong with an item; an empty list says that its label can be read off its question.

    Every name the query needs must stand in the question (as the column, its words, or an alias), and so must every
    condition value; columns must be in the header, levels known, the id true to the content.
    """
    by_name = {topic.name: topic for topic in topics or load_topics()}
    topic = by_name.get(item.topic)
    if topic is None:
        return [f"topic {item.topic!r} is not known"]
    faults = _header_faults(item, topic, {column for other in by_name.values() for column in other.by_column})
    if item.id != with_id(item).id:
        faults.append(f"id {item.id!r} does not fit the content, which calls for {with_id(item).id!r}")
    known = {family.id for family in grammar.FAMILIES[item.task]}
    if item.family not in known:
        faults.append(f"family {item.family!r} is no family of task {item.task}")
    if item.dataset is not None and not named_in(item.question, item.dataset):
        faults.append(f"file {item.dataset!r} is not named in the question")
    if (item.query is None) != (item.task == "NONE"):
        return [*faults, f"task {item.task} with query {item.query}: NONE has no query, every other task has one"]
    if item.query is None:
        return faults
    try:
        query = CausalQuery.model_validate(item.query)
    except ValidationError as error:
        return [*faults, f"query breaks the contract: {error.errors()[0]['msg']}"]
    if query.task != item.task or query.dataset != item.dataset:
        faults.append(f"query says {query.task} on {query.dataset}, item says {item.task} on {item.dataset}")
    implied = {condition.column for condition in query.conditions if _implied(condition, item.question, topic)}
    for column in query.columns():
        if column not in item.columns:
            faults.append(f"column {column!r} of the query is not in the header")
        elif column not in implied and not any(named_in(item.question, text) for text in spellings(column, topic)):
            faults.append(f"column {column!r} is not named in the question, in words or literally")
    return [*faults, *_condition_faults(item, query, implied)]


def _header_faults(item: QueryItem, topic: Topic, known: Collection[str]) -> list[str]:
    faults = [f"column {column!r} belongs to no variable of any topic" for column in item.columns
              if column not in topic.by_column and column not in known and column not in FILLERS]  # fmt: skip
    owners = [topic.by_column[column].name for column in item.columns if column in topic.by_column]
    if len(set(owners)) < len(owners) or len({column.casefold() for column in item.columns}) < len(item.columns):
        faults.append("two columns of the header stand for one variable, or differ only in case")
    faults += [f"levels given for {column!r}, which is not in the header" for column in item.levels
               if column not in item.columns]  # fmt: skip
    return faults


def _implied(condition: Condition, question: str, topic: Topic) -> bool:
    """Whether the question says who meets the condition without naming its column ('smokers')."""
    variable = topic.by_column.get(condition.column)
    if variable is None:
        return False
    said = said_without_name(DrawnCondition(variable, condition.operator, condition.value), topic.units)
    return said is not None and named_in(question, said)


def _condition_faults(item: QueryItem, query: CausalQuery, implied: Collection[str]) -> list[str]:
    faults = []
    for condition in query.conditions:
        for value in condition.all_values:
            if condition.column not in implied and not named_in(item.question, written(value)):
                faults.append(f"value {value!r} of condition {condition} is not in the question")
            if condition.column in item.levels and value not in item.levels[condition.column]:
                faults.append(f"value {value!r} is no level of {condition.column!r}")
    return faults


def spellings(column: str, topic: Topic) -> tuple[str, ...]:
    """A column's name, and the words and other names that its variable goes by."""
    variable: Variable | None = topic.by_column.get(column)
    if variable is None:
        return (column,)
    return (column, *variable.wordings, *variable.columns, *variable.doing, *variable.happening)


@lru_cache(maxsize=8192)
def _whole(text: str) -> re.Pattern[str]:
    before = r"(?<![\w.])" if text[:1].isdigit() else r"(?<!\w)"
    after = r"(?!\w|\.\d)" if text[-1:].isdigit() else r"(?!\w)"
    return re.compile(before + re.escape(text) + after, re.IGNORECASE)


def named_in(question: str, text: str) -> bool:
    """Whether a text stands in the question as whole words, case aside; 5 is not found within 45 or 5.2."""
    return _whole(text).search(question) is not None
