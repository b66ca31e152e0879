"""Readings that a model writes freely, read back strictly; decoding over closed lists is compared with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from causal_tools.contract import CausalQuery
from causal_tools.prompts import (
    ALL_COLUMNS,
    MEANS,
    NOT_CAUSAL,
    OPERATOR_WORDS,
    ROLE_LINK,
    TASK_WORDS,
    parse_messages,
)  # fmt: skip
from lm import LanguageModel
from training.queries import QueryItem

UNREADABLE: dict[str, Any] = {"task": "UNREADABLE"}
MOST_TOKENS = 96
_BODY = re.compile(r"(?P<first>.+?)(?: where (?P<where>.+))?", re.DOTALL)
_CONDITION = re.compile(rf"(.+?) is ({'|'.join(OPERATOR_WORDS.values())}) (.+)", re.DOTALL)


def free_readings(
    model: LanguageModel, items: Sequence[QueryItem], report: Callable[[int, int], None] | None = None
) -> list[dict[str, Any] | None]:
    """What the model writes greedily, as readings: None where not causal, ``UNREADABLE`` where it is no reading of the form."""
    readings = []
    for number, item in enumerate(items, start=1):
        prompt = model.chat_text(parse_messages(item.question, item.columns, item.levels))
        (text,) = model.generate([prompt], max_new_tokens=MOST_TOKENS)
        readings.append(read_back(text))
        if report is not None:
            report(number, len(items))
    return readings


def read_back(text: str) -> dict[str, Any] | None:
    """A reading's line as the fields of a query; names and values are whatever stands there."""
    line = text.strip().split("\n")[0].strip()
    word, _, rest = line.removesuffix(".").partition(":")
    task = next((task for task, known in TASK_WORDS.items() if known == word), None)
    if task == NOT_CAUSAL and not rest:
        return None
    body = _BODY.fullmatch(rest.strip())
    if task is None or task == NOT_CAUSAL or body is None or not line.endswith("."):
        return UNREADABLE
    try:
        return CausalQuery.model_validate({"task": task, **_fields(task, body["first"], body["where"])}).model_dump(
            mode="json"
        )
    except (ValidationError, ValueError):
        return UNREADABLE


def _fields(task: str, first: str, where: str | None) -> dict[str, Any]:
    if task == "CGL":
        return {"nodes": "all" if first == ALL_COLUMNS else tuple(map(_column, first.split(", ")))}
    treatment, _, response = first.partition(f"{ROLE_LINK[task]} ")
    response, _, mediator = response.partition(" through ") if task == "MA" else (response, "", "")
    fields: dict[str, Any] = {"treatment": _column(treatment), "response": _column(response)}
    if task == "MA":
        fields["mediator"] = _column(mediator)
    if where is not None:
        fields["conditions"] = [_condition(part) for part in where.split(" and ")]
    return fields


def _column(text: str) -> str:
    """The column alone, where the question's words for it stand before."""
    return text.rpartition(f"{MEANS} ")[2]


def _condition(text: str) -> dict[str, Any]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(f"no condition: {text!r}")
    column, word, value = found.groups()
    operator = next(op for op, known in OPERATOR_WORDS.items() if known == word)
    values = [_value(part) for part in value.split(" or ")] if operator == "in" else [_value(value)]
    return {"column": _column(column), "operator": operator, "value": tuple(values) if operator == "in" else values[0]}


def _value(text: str) -> int | float | str:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
