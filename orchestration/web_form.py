"""The reading as a form: what stands in its fields, and the query that they say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from causal_tools.columns import resolve_column
from causal_tools.condition_text import condition_start, condition_text, read_condition, typed, without_quoted
from causal_tools.contract import ALLOWED, TASKS, CausalQuery, Condition, Scalar, Task
from causal_tools.editing import checked
from causal_tools.errors import QueryError

Levels = Mapping[str, Sequence[Scalar]]
_JOINT = re.compile(r"\s*\n\s*|\s+(?i:and)\s+")
_UNKNOWN = re.compile(r"\s(?i:and)\s+(.+?)\s*(?:[<>=≠≤≥]|!=)")


@dataclass(frozen=True)
class Form:
    """The fields as texts. Fields that the task does not take are not shown, and say nothing.

    Attributes:
        task: one of the five, or empty.
        nodes: columns of a graph; none stands for all.
        conditions: such as ``age >= 50 and region = north``, or one a line.
        own_covariates: whether ``covariates`` says what to adjust for; else every other usable column is.
        covariates: columns; none stands for adjusting for nothing.
        from_level, to_level: what to compare; both empty where the tool is to choose.
        lower_is_better: whether the best action is that of lowest mean response.
    """

    task: str = "ATE"
    treatment: str = ""
    second_treatment: str = ""
    response: str = ""
    mediator: str = ""
    nodes: tuple[str, ...] = ()
    conditions: str = ""
    own_covariates: bool = False
    covariates: tuple[str, ...] = ()
    from_level: str = ""
    to_level: str = ""
    lower_is_better: bool = False

    @property
    def shown(self) -> set[str]:
        """The fields that the task takes."""
        if self.task not in get_args(Task):
            return {"task"}
        taken: set[str] = {"task", *ALLOWED[self.task]}  # type: ignore[index]
        if "covariates" in taken:
            taken = taken | {"own_covariates"} if self.own_covariates else taken - {"covariates"} | {"own_covariates"}
        if "contrast" in taken:
            taken = taken - {"contrast"} | {"from_level", "to_level"}
        return taken


def form_of(query: CausalQuery) -> Form:
    """The form that says this query."""
    return Form(
        task=query.task,
        treatment=query.treatment or "",
        second_treatment=query.second_treatment or "",
        response=query.response or "",
        mediator=query.mediator or "",
        nodes=query.nodes if isinstance(query.nodes, tuple) else (),
        conditions=_conditions_text(query.conditions),
        own_covariates=query.covariates is not None,
        covariates=query.covariates or (),
        from_level=str(query.contrast[0]) if query.contrast else "",
        to_level=str(query.contrast[1]) if query.contrast else "",
        lower_is_better=query.lower_is_better,
    )


def query_of(
    form: Form, columns: Sequence[str], levels: Levels, dataset: str | None = None, read: CausalQuery | None = None
) -> CausalQuery:
    """The query that a form says.

    Args:
        form: as it is shown.
        columns: of the file.
        levels: of the columns whose values keep a type of their own.
        dataset: the file's name.
        read: the reading that filled the form; a text left as it was written there means the value that it was written from.

    Raises:
        QueryError: a condition cannot be read, a contrast is half said, or the fields do not make a query.
        ColumnNotFound: a condition names a column that the file lacks.
    """
    if form.task not in get_args(Task):
        raise QueryError(
            f"no task is chosen. There are: {', '.join(f'{task} ({name})' for task, name in TASKS.items())}"
        )
    shown = form.shown
    content: dict[str, Any] = {"task": form.task, "dataset": dataset}
    for name in ("treatment", "second_treatment", "response", "mediator"):
        if name in shown and getattr(form, name):
            content[name] = getattr(form, name)
    if "nodes" in shown and form.nodes:
        content["nodes"] = form.nodes
    if "conditions" in shown:
        same = read is not None and form.conditions == _conditions_text(read.conditions)
        content["conditions"] = (
            read.conditions if read is not None and same else _conditions(form.conditions, columns, levels, dataset)
        )
    if "own_covariates" in shown and form.own_covariates:
        content["covariates"] = form.covariates
    if "from_level" in shown:
        content["contrast"] = _contrast(form, levels, read)
    if "lower_is_better" in shown:
        content["lower_is_better"] = form.lower_is_better
    return checked(content)


def split_conditions(text: str, columns: Sequence[str]) -> list[str]:
    """Conditions joined by ``and`` or line ends, one by one; an ``and`` within a column's name or a value joins nothing."""
    parts, rest = [], text.strip()
    while rest:
        head = condition_start(rest, columns)
        joints = _JOINT.finditer(without_quoted(rest), head.end if head else 0)
        cut = next((one for one in joints if "\n" in one[0] or condition_start(rest[one.end() :], columns)), None)
        parts.append(rest[: cut.start()] if cut else rest)
        rest = rest[cut.end() :] if cut else ""
    return [part for part in parts if part.strip()]


def _conditions(text: str, columns: Sequence[str], levels: Levels, dataset: str | None) -> tuple[Condition, ...]:
    found = []
    for part in split_conditions(text, columns):
        condition = read_condition(part, columns, levels)
        start = condition_start(part, columns)
        known = {str(level) for level in levels.get(start.column, ())} if start else set()
        if not known.issuperset(map(str, condition.all_values)) and (unknown := _UNKNOWN.search(without_quoted(part))):
            resolve_column(
                unknown.group(1), columns, dataset or "the data"
            )  # it is none, or it would start a condition
        found.append(condition)
    return tuple(found)


def _contrast(form: Form, levels: Levels, read: CausalQuery | None) -> tuple[Scalar, Scalar] | None:
    if read is not None and read.contrast and read.treatment == form.treatment:
        before = form_of(read)
        if (form.from_level, form.to_level) == (before.from_level, before.to_level):
            return read.contrast
    said = (form.from_level.strip(), form.to_level.strip())
    if not any(said):
        return None
    if not all(said):
        raise QueryError(
            f"a contrast takes two levels, from and to; given only {next(filter(None, said))!r}. "
            f"Give both, or neither to let the tool choose"
        )
    known = levels.get(form.treatment, ())
    return typed(said[0], known), typed(said[1], known)


def _conditions_text(conditions: Sequence[Condition]) -> str:
    return " and ".join(map(condition_text, conditions))
