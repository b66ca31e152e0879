"""What is wrong with a reading, in a few kinds, so that failures can be counted and looked at together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from training.metrics import field_matches

KINDS = {
    "unreadable": "no reading, or one that breaks the form",
    "wrongly refused": "a causal question read as not causal",
    "wrongly accepted": "a question that is not causal read as one",
    "wrong task": "another of the five tasks",
    "roles swapped": "treatment, response or mediator in each other's place",
    "wrong treatment": "another column as the treatment",
    "wrong response": "another column as the response",
    "wrong mediator": "another column as the mediator",
    "wrong nodes": "other columns in the graph",
    "condition missing": "fewer conditions than the question states",
    "condition added": "more conditions than the question states",
    "condition on another column": "as many conditions, not on the same columns",
    "wrong comparison": "the right columns, another operator",
    "wrong value": "the right columns and operators, another value",
}
ROLES = ("treatment", "response", "mediator")


def failure_kinds(reading: Mapping[str, Any] | None, truth: Mapping[str, Any] | None) -> list[str]:
    """The kinds of fault in a reading, of :data:`KINDS`; empty where every field is exactly right."""
    if field_matches(reading, truth)["all"]:
        return []
    if truth is None:
        unread = reading is not None and reading.get("task") == "UNREADABLE"
        return ["unreadable" if unread else "wrongly accepted"]
    if reading is None:
        return ["wrongly refused"]
    if reading.get("task") == "UNREADABLE":
        return ["unreadable"]
    if reading.get("task") != truth["task"]:
        return ["wrong task"]
    matches = field_matches(reading, truth)
    wrong = [role for role in ROLES if not matches[role]]
    theirs = [truth[role] for role in ROLES if truth.get(role)]
    if len(wrong) > 1 and all(reading.get(role) in theirs for role in wrong):
        found = ["roles swapped"]
    else:
        found = [f"wrong {role}" for role in wrong]
    if not matches["nodes"]:
        found.append("wrong nodes")
    if not matches["conditions"]:
        found.append(_condition_fault(reading.get("conditions") or (), truth.get("conditions") or ()))
    return found or ["unreadable"]


def _condition_fault(given: Any, wanted: Any) -> str:
    given = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list | tuple) else []
    if len(given) != len(wanted):
        return "condition missing" if len(given) < len(wanted) else "condition added"

    def sorted_by(*names: str) -> list[list[str]]:
        return [sorted(repr([one.get(n) for n in names]) for one in side) for side in (given, wanted)]

    for fault, names in (("condition on another column", ("column",)), ("wrong comparison", ("column", "operator"))):
        ours, theirs = sorted_by(*names)
        if ours != theirs:
            return fault
    return "wrong value"


def failures_of(readings: pd.DataFrame, system: str) -> pd.DataFrame:
    """The items that a system reads wrongly, one line each with the kinds of fault and both readings in short.

    Args:
        readings: ``id``, ``task``, ``topic``, ``question``, ``query`` and a column a system, readings as JSON.
        system: a column of it.

    Raises:
        KeyError: no such system; the message names those there are.
    """
    from training.scoreboard import systems_of

    if system not in (systems := systems_of(readings)):
        raise KeyError(f"no system {system!r} in this evaluation; there are: {', '.join(systems)}")
    lines = []
    for row in readings[readings[system].notna()].to_dict("records"):
        reading, truth = json.loads(row[system]), json.loads(row["query"])
        kinds = failure_kinds(reading, truth)
        if kinds:
            facts = {name: row[name] for name in ("id", "task", "topic", "question")}
            lines.append({**facts, "kinds": ", ".join(kinds), "wanted": in_short(truth), "read": in_short(reading)})
    return pd.DataFrame(lines, columns=["id", "task", "topic", "question", "kinds", "wanted", "read"])


def in_short(reading: Mapping[str, Any] | None) -> str:
    """A reading on one line."""
    if reading is None:
        return "not causal"
    told = [str(reading.get("task", "?"))]
    nodes = reading.get("nodes")
    told += [nodes if isinstance(nodes, str) else ", ".join(map(str, nodes))] if nodes else []
    told += [f"{role} {reading[role]}" for role in ROLES if reading.get(role)]
    conditions = reading.get("conditions") or ()
    for one in conditions if isinstance(conditions, list | tuple) else ():
        told.append(
            f"where {one.get('column')} {one.get('operator')} {one.get('value')}"
            if isinstance(one, Mapping)
            else f"where {one}"
        )
    return " | ".join(told)


def counted(failures: pd.DataFrame) -> pd.DataFrame:
    """How many failures there are of each kind and task, the commonest kind first; one may be of several kinds."""
    each = failures.assign(kind=failures["kinds"].str.split(", ")).explode("kind")
    table = pd.crosstab(each["kind"], each["task"])
    table["all"] = table.sum(axis=1)
    return table.sort_values("all", ascending=False, kind="stable")
