"""A reading that a person corrects: single fields set anew, or the whole query as a few lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import yaml
from pydantic import ValidationError

from causal_tools.condition_text import condition_text, read_condition, typed
from causal_tools.contract import ALLOWED, REQUIRED, CausalQuery, Scalar, Task
from causal_tools.errors import QueryError


class _Loader(yaml.SafeLoader):
    """YAML 1.2 in what is a truth value: ``no`` and ``on`` are levels and names here, as a file has them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in held if tag != "tag:yaml.org,2002:bool"]
    for first, held in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false", re.IGNORECASE), list("tTfF"))
_FIELDS = tuple(name for name in CausalQuery.model_fields if name != "dataset")


@dataclass(frozen=True)
class Changes:
    """Fields that a person sets; None leaves a field as it was read.

    Conditions are texts such as ``age >= 50``; a contrast is two levels or amounts of the treatment, from and to.
    """

    task: Task | None = None
    nodes: tuple[str, ...] | None = None
    treatment: str | None = None
    second_treatment: str | None = None
    response: str | None = None
    mediator: str | None = None
    conditions: tuple[str, ...] | None = None
    covariates: tuple[str, ...] | None = None
    contrast: tuple[str, str] | None = None
    lower_is_better: bool | None = None

    def are_a_query(self) -> bool:
        """Whether they say all that a tool needs, so that no question has to be read."""
        return self.task is not None and all(getattr(self, name) for name in REQUIRED[self.task])

    def any(self) -> bool:
        """Whether any field is set."""
        return any(getattr(self, field.name) is not None for field in fields(self))


def changed(
    query: CausalQuery | None,
    changes: Changes,
    columns: Sequence[str],
    levels: Mapping[str, Sequence[Scalar]] | None = None,
) -> CausalQuery:
    """The query with the fields set anew; what another task does not take is dropped.

    Args:
        query: what was read, or None where the changes are a query of their own.
        changes: the fields to set.
        columns: of the file.
        levels: of columns that have few.

    Raises:
        QueryError: a condition cannot be read, or the fields do not make a query.
    """
    found: dict[str, Any] = query.model_dump(exclude_none=True) if query is not None else {}
    for name in (
        "task",
        "nodes",
        "treatment",
        "second_treatment",
        "response",
        "mediator",
        "covariates",
        "lower_is_better",
    ):
        if (value := getattr(changes, name)) is not None:
            found[name] = value
    if found.get("nodes") == ("all",):
        found["nodes"] = "all"
    if changes.conditions is not None:
        found["conditions"] = tuple(read_condition(text, columns, levels) for text in changes.conditions)
    if changes.contrast is not None:
        known = (levels or {}).get(str(found.get("treatment")), ())
        found["contrast"] = tuple(typed(value, known) for value in changes.contrast)
    if changes.task is not None and query is not None and changes.task != query.task:
        kept = {"task", "dataset", *ALLOWED[changes.task]}
        found = {
            name: value for name, value in found.items() if name in kept or getattr(changes, name, None) is not None
        }
    return checked(found)


def query_text(query: CausalQuery) -> str:
    """The query as YAML to edit, with the fields that its task takes."""
    content = query.model_dump(mode="json", exclude_none=True)
    content |= {
        "conditions": [condition_text(condition) for condition in query.conditions],
        "lower_is_better": query.lower_is_better,
    }
    shown = {name: content.get(name) for name in _FIELDS if name == "task" or name in ALLOWED[query.task]}
    return str(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, default_flow_style=None))


def read_query_text(
    text: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None = None
) -> CausalQuery:
    """Read what :func:`query_text` wrote and a person changed.

    Raises:
        QueryError: no YAML, an unknown field, or fields that do not make a query.
    """
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - safe: of its own it only reads less as truth values
    except yaml.YAMLError as error:
        raise QueryError(f"the edited reading is no YAML: {error}") from None
    if not isinstance(content, dict):
        raise QueryError("the edited reading must be lines such as 'treatment: drug'")
    if unknown := [name for name in content if name not in _FIELDS]:
        raise QueryError(f"the edited reading has an unknown field {unknown[0]!r}; fields are: {', '.join(_FIELDS)}")
    # an empty list of covariates says: adjust for nothing
    found = {
        name: value for name, value in content.items() if value is not None and (value != [] or name == "covariates")
    }
    conditions = found.get("conditions", [])
    found["conditions"] = tuple(
        read_condition(str(line), columns, levels)
        for line in (conditions if isinstance(conditions, list) else [conditions])
    )
    return checked(found)


def checked(content: dict[str, Any]) -> CausalQuery:
    """The query that these fields make.

    Raises:
        QueryError: they make none; in words, without the validator's wrapping.
    """
    try:
        return CausalQuery.model_validate(content)
    except ValidationError as error:
        raise QueryError(
            "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        ) from None
