"""The fields of an annotation form, and how a structured query is written into them and read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from causal_tools.condition_text import condition_text, read_condition
from causal_tools.contract import TASKS, CausalQuery
from causal_tools.errors import QueryError
from training.grammar.engine import FamilyTask
from training.queries import QueryItem

ROLE_FIELDS = ("treatment", "response", "mediator")
CHOICE_FIELDS = ("task", *ROLE_FIELDS, "verdict")
TEXT_FIELDS: dict[str, str] = {
    "nodes": "Nodes: one column a line, or the word all",
    "conditions": "Conditions: one a line, such as age &gt;= 50",
    "covariates": "Covariates to adjust for: one column a line",
    "dataset": "File, if the question names one",
    "wording": "Better wording of the question, if it needs one",
    "reason": "Reason, where you correct or reject",
}
Verdict = Literal["accept", "correct", "reject"]
VERDICTS: tuple[Verdict, ...] = ("accept", "correct", "reject")
NO_JSON = (
    ValueError,
    RecursionError,
)  # what reading JSON raises: no JSON, no text, a number of thousands of digits, too deep
HALF_A_CHARACTER = (
    "it holds half a character (a lone surrogate, as of an emoji that was cut off), which no file can keep"
)


class FieldError(ValueError):
    """An annotation's fields do not make a usable judgement; the message says which and why."""


def can_be_written(entry: object) -> bool:
    """Whether what JSON held can be kept in a file: JSON may name half a character, and UTF-8 has none."""
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def entries_from_query(task: FamilyTask, query: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Label Studio result entries that show a query in the form."""
    entries = [_choice("task", task)]
    if query is None:
        return entries
    checked = CausalQuery.model_validate(query)
    entries += [_choice(role, str(getattr(checked, role))) for role in ROLE_FIELDS if getattr(checked, role)]
    texts = {
        "nodes": [checked.nodes] if isinstance(checked.nodes, str) else list(checked.nodes or ()),
        "conditions": [condition_text(condition) for condition in checked.conditions],
        "covariates": list(checked.covariates or ()),
        "dataset": [checked.dataset] if checked.dataset else [],
    }
    return entries + [text_entry(name, lines) for name, lines in texts.items() if lines]


def _choice(name: str, value: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "question", "type": "choices", "value": {"choices": [value]}}


def text_entry(name: str, lines: Iterable[str]) -> dict[str, Any]:
    """One text area's result entry."""
    return {"from_name": name, "to_name": "question", "type": "textarea", "value": {"text": ["\n".join(lines)]}}


def fields_from_entries(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The form's fields by name.

    Raises:
        FieldError: an entry belongs to another form, has another shape, or answers a choice twice.
    """
    fields: dict[str, str] = {}
    for entry in entries:
        name, kind, value = entry.get("from_name"), entry.get("type"), entry.get("value")
        if name not in (*CHOICE_FIELDS, *TEXT_FIELDS):
            raise FieldError(f"field {name!r} is not of this form; it has: {', '.join((*CHOICE_FIELDS, *TEXT_FIELDS))}")
        wanted, key = ("choices", "choices") if name in CHOICE_FIELDS else ("textarea", "text")
        said = value.get(key) if isinstance(value, Mapping) else None
        said = [said] if isinstance(said, str) else said
        if kind != wanted or not isinstance(said, list) or not all(isinstance(part, str) for part in said):
            raise FieldError(f"field {name!r} must be {wanted!r} with a list of texts, given {str(entry)[:200]}")
        if name in CHOICE_FIELDS and (len(said) != 1 or name in fields):
            raise FieldError(f"field {name!r} takes one choice, given {said}")
        fields[str(name)] = "\n".join([fields[name], *said] if name in fields else said)
    return fields


def query_from_fields(fields: Mapping[str, str], item: QueryItem) -> tuple[FamilyTask, dict[str, Any] | None]:
    """Read (task, query) back from the form's fields; a field left out is empty.

    Raises:
        FieldError: a column is not in the item's header, or the fields break the query contract.
    """
    task = fields.get("task", "")
    if task == "NONE":
        return "NONE", None
    if task not in TASKS:
        raise FieldError(f"task {task!r} is none of {', '.join((*TASKS, 'NONE'))}")
    nodes, covariates = _lines(fields.get("nodes", "")), _lines(fields.get("covariates", ""))
    try:
        query = CausalQuery(
            task=task,
            dataset=fields.get("dataset", "").strip() or None,
            nodes="all" if nodes == ("all",) else nodes or None,
            treatment=fields.get("treatment"),
            response=fields.get("response"),
            mediator=fields.get("mediator"),
            conditions=tuple(
                read_condition(line, item.columns, item.levels) for line in _lines(fields.get("conditions", ""))
            ),
            covariates=covariates or None,
        )
    except QueryError as error:
        raise FieldError(f"item {item.id}: {error}") from error
    except ValidationError as error:
        raise FieldError(f"item {item.id}: the fields make no valid query: {error.errors()[0]['msg']}") from error
    strange = [column for column in query.columns() if column not in item.columns]
    if strange:
        raise FieldError(f"item {item.id}: no column {strange[0]!r} in its header: {', '.join(item.columns)}")
    return query.task, query.model_dump(mode="json")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def canonical_query(query: Mapping[str, Any] | None) -> str:
    """A query as text, the same for queries that differ only in the order of nodes, conditions or covariates."""
    if query is None:
        return "null"
    checked = CausalQuery.model_validate(query).model_dump(mode="json")
    for field in ("nodes", "conditions", "covariates"):
        if isinstance(checked[field], list):
            checked[field] = sorted(checked[field], key=lambda part: json.dumps(part, sort_keys=True))
    for condition in checked["conditions"]:
        if isinstance(condition["value"], list):
            condition["value"] = sorted(condition["value"], key=str)
    return json.dumps(checked, sort_keys=True)
