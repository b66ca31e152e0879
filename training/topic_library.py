"""The fields that questions are asked about: their variables, how columns spell them, and which roles make sense.

Each topic is one YAML file in ``training/topics``. A topic is refused when a word could mean two of its variables,
because a question about it would then have two right readings.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from training.yaml_files import read_yaml

Kind = Literal["binary", "continuous", "categorical", "ordinal", "count"]
Role = Literal["treatment", "response", "mediator", "condition", "covariate"]
Level = bool | int | float | str
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
DISCRETE: tuple[Kind, ...] = ("binary", "categorical", "ordinal")
TOPIC_FOLDER = Path(__file__).parent / "topics"
_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}")
_LEVEL_CHARACTERS = re.compile(r"[^,;{}<>=!\"'`()]+")


class TopicError(ValueError):
    """A topic file cannot be used; the message names the file, the place in it and the rule."""


class Variable(BaseModel):
    """One thing a data file of the topic may hold.

    ``values`` are the levels of a discrete variable, or ``(low, high)`` of a number. ``phrases`` are other words for
    the name; ``code`` is an opaque column name (as in coded surveys) which no words lead to. ``better`` says which
    direction of the variable is good, where one is. ``doing`` says in gerund phrases that somebody sets or raises it,
    ``happening`` in finite clauses that it comes about. ``groups`` says for levels who has them (smokers), and ``compared``
    for operators (``>`` older than {v}) which units are meant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Words
    aliases: tuple[Words, ...] = Field(min_length=3)
    phrases: tuple[Words, ...] = ()
    doing: tuple[Words, ...] = ()
    happening: tuple[Words, ...] = ()
    groups: dict[Level, Words] = {}
    compared: dict[Literal["<", "<=", ">", ">="], Words] = {}
    code: Words | None = None
    kind: Kind
    values: tuple[Level, ...] = Field(min_length=2)
    unit: Words | None = None
    better: Literal["higher", "lower"] | None = None
    roles: frozenset[Role] = Field(min_length=1)

    def __hash__(self) -> int:  # its mappings have none
        return hash((self.name, self.aliases))

    @property
    def discrete(self) -> bool:
        return self.kind in DISCRETE

    @cached_property
    def wordings(self) -> tuple[str, ...]:
        """Every way to say the variable in words, its name first."""
        return (self.name, *self.phrases)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column name that may stand for it."""
        return (*self.aliases, *((self.code,) if self.code else ()))

    @cached_property
    def stems(self) -> frozenset[str]:
        """The words of its names and columns, in lower case and cut to five letters, so that plurals count as the same."""
        return frozenset(word.lower()[:5] for text in (*self.wordings, *self.columns) for word in _WORD.findall(text))

    @field_validator("name")
    @classmethod
    def _said_in_lower_case(cls, name: str) -> str:
        if name != name.casefold():
            raise ValueError(f"name {name!r} must be in lower case, as it stands within a sentence")
        return name

    @model_validator(mode="after")
    def _values_fit_the_kind(self) -> Self:
        if self.discrete:
            if len(set(map(str, self.values))) < len(self.values):
                raise ValueError(f"levels of {self.name!r} repeat: {list(self.values)}")
            if self.kind == "binary" and len(self.values) != 2:
                raise ValueError(f"binary variable {self.name!r} has {len(self.values)} levels, needs 2")
            for level in self.values:
                if isinstance(level, str) and not _LEVEL_CHARACTERS.fullmatch(level):
                    raise ValueError(f"level {level!r} of {self.name!r} holds a character that conditions are made of")
        else:
            numbers = [value for value in self.values if isinstance(value, int | float) and not isinstance(value, bool)]
            if len(self.values) != 2 or len(numbers) != 2 or numbers[0] >= numbers[1]:
                raise ValueError(f"{self.kind} {self.name!r} needs values [low, high], given {list(self.values)}")
        if len({alias.casefold() for alias in self.columns}) < len(self.columns):
            raise ValueError(f"aliases of {self.name!r} repeat (case aside): {list(self.columns)}")
        if strange := [level for level in self.groups if level not in self.values]:
            raise ValueError(f"groups of {self.name!r} name {strange[0]!r}, which is no level: {list(self.values)}")
        if any("{v}" not in said for said in self.compared.values()):
            raise ValueError(f"every entry of compared of {self.name!r} must hold {{v}}, given {self.compared}")
        if self.better and "response" not in self.roles:
            raise ValueError(f"{self.name!r} has better={self.better!r} but is no response")
        return self


class Topic(BaseModel):
    """A field of knowledge with the variables, units of observation and file names that belong to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Words
    unit: Words
    units: Words
    dataset_names: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], ...] = Field(min_length=2)
    variables: tuple[Variable, ...] = Field(min_length=10)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The words of all its variables' names and columns (see :attr:`Variable.stems`)."""
        return frozenset().union(*(variable.stems for variable in self.variables))

    @cached_property
    def spellings(self) -> frozenset[str]:
        """Every name and column of its variables, case aside."""
        return frozenset(text.casefold() for v in self.variables for text in (*v.columns, *v.wordings))

    @cached_property
    def by_name(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def by_column(self) -> dict[str, Variable]:
        """The variable behind every column name that the topic knows."""
        return {column: variable for variable in self.variables for column in variable.columns}

    @model_validator(mode="after")
    def _no_spelling_means_two_variables(self) -> Self:
        owners: dict[str, str] = {}
        for variable in self.variables:
            for spelling in {text.casefold() for text in (*variable.wordings, *variable.columns)}:
                if owners.setdefault(spelling, variable.name) != variable.name:
                    raise ValueError(f"{spelling!r} means both {owners[spelling]!r} and {variable.name!r}")
        said = {words: variable.name for variable in self.variables for words in variable.wordings}
        for short, owner in said.items():
            for longer, other in said.items():
                if owner != other and re.search(rf"\b{re.escape(short)}\b", longer):
                    raise ValueError(f"{short!r} ({owner}) is part of {longer!r} ({other}): it could mean either")
        return self

    @model_validator(mode="after")
    def _every_task_can_be_asked(self) -> Self:
        asked: tuple[Role, ...] = ("treatment", "mediator", "condition")
        having = {role: [variable for variable in self.variables if role in variable.roles] for role in asked}
        for role, found in having.items():
            if len(found) < 2:
                names = [variable.name for variable in found]
                raise ValueError(f"needs at least 2 variables with role {role}, has {names}")
        if sum(variable.discrete for variable in having["treatment"]) < 2:
            raise ValueError("needs at least 2 discrete treatments, which are the actions to choose among")
        if sum(variable.better == "higher" for variable in self.variables) < 2:
            raise ValueError("needs at least 2 responses with better: higher, which a choice of action can aim at")
        return self


def read_topic(path: Path) -> Topic:
    """Read one topic file.

    Raises:
        TopicError: the file is not YAML, or breaks a rule of the schema.
    """
    try:
        data = read_yaml(path)
    except yaml.YAMLError as error:
        raise TopicError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise TopicError(f"{path.name} must hold a mapping with name, unit, units, dataset_names and variables")
    try:
        return Topic.model_validate(data)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'topic'}: {fault['msg']}" for fault in error.errors()]
        raise TopicError(f"{path.name} breaks the topic schema: " + "; ".join(faults)) from error


@lru_cache(maxsize=4)
def load_topics(folder: Path = TOPIC_FOLDER) -> tuple[Topic, ...]:
    """Read every topic of a folder, sorted by name.

    Raises:
        TopicError: the folder holds no topic, a file breaks the schema, or two topics share a name.
    """
    topics = sorted((read_topic(path) for path in sorted(folder.glob("*.yaml"))), key=lambda topic: topic.name)
    if not topics:
        raise TopicError(f"no topic files (*.yaml) in {folder}")
    names = [topic.name for topic in topics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TopicError(f"topic {twice[0]!r} is described by two files in {folder}")
    return tuple(topics)


def split_topics(
    topics: Sequence[Topic], held_out_share: float, seed: int
) -> tuple[tuple[Topic, ...], tuple[Topic, ...]]:
    """Part topics into (train, held out), so that no topic of the test is seen in training.

    A topic's rank is a digest of its own name and the seed: adding a topic moves few others across.

    Raises:
        ValueError: the share is not between 0 and 1, or leaves one side empty.
    """
    if not 0 < held_out_share < 1:
        raise ValueError(f"held_out_share must lie strictly between 0 and 1, given {held_out_share}")
    ranked = sorted(topics, key=lambda topic: hashlib.sha256(f"{seed}/{topic.name}".encode()).digest())
    n_held_out = round(held_out_share * len(ranked))
    if not 0 < n_held_out < len(ranked):
        raise ValueError(f"held_out_share {held_out_share} of {len(ranked)} topics leaves one side of the split empty")
    held_out = {topic.name for topic in ranked[:n_held_out]}
    return (
        tuple(topic for topic in topics if topic.name not in held_out),
        tuple(topic for topic in topics if topic.name in held_out),
    )
