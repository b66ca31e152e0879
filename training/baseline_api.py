"""A hosted chat model on the same contract: one tool a task, offered with the file's columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from causal_tools.contract import REQUIRED, TASKS
from lm.api import ChatEndpoint, Reply
from lm.errors import EndpointError
from training.queries import QueryItem

NO_ANSWER: dict[str, Any] = {"task": "UNREADABLE"}


def tools_of_contract() -> list[dict[str, Any]]:
    """The five tasks as OpenAI tools."""
    column = {"type": "string", "description": "a column of the file, spelled as in the header"}
    condition = {
        "type": "object",
        "properties": {
            "column": column,
            "operator": {"type": "string", "enum": ["=", "!=", "<", "<=", ">", ">=", "in"]},
            "value": {"description": "a number, a text, or a list for 'in'"},
        },
        "required": ["column", "operator", "value"],
    }
    fields: dict[str, Any] = {
        "treatment": column,
        "response": column,
        "mediator": column,
        "conditions": {"type": "array", "items": condition},
        "nodes": {"description": "'all', or a list of columns"},
    }
    tools = []
    for task, meaning in TASKS.items():
        required = list(REQUIRED[task]) or ["nodes"]
        wanted = [*required, *(["conditions"] if task == "OPO" else [])]
        parameters = {"type": "object", "properties": {name: fields[name] for name in wanted}, "required": required}
        tools.append({"type": "function", "function": {"name": task, "description": meaning, "parameters": parameters}})
    return tools


def messages_of(item: QueryItem) -> list[dict[str, str]]:
    """The question as put to a hosted model."""
    return [
        {
            "role": "system",
            "content": "Call the one tool that answers the question about the data file. Call none if the "
            "question is not causal or cannot be answered from these columns.",
        },
        {"role": "user", "content": f"Columns: {', '.join(item.columns)}\nQuestion: {item.question}"},
    ]


def reading_of(reply: Reply) -> dict[str, Any] | None:
    """A reply as a reading: None where no tool was called, ``UNREADABLE`` where the call is no valid JSON object."""
    if not reply.tool_calls:
        return None
    name, text = reply.tool_calls[0]
    try:
        arguments = json.loads(text)
    except json.JSONDecodeError:
        return NO_ANSWER
    return {"task": name, **arguments} if isinstance(arguments, dict) and name in TASKS else NO_ANSWER


def baseline_readings(endpoint: ChatEndpoint, items: Sequence[QueryItem]) -> tuple[dict[str, Any], list[str]]:
    """Readings by item id, and why the others have none.

    Recorded answers are replayed; without a key nothing is asked. A failing call ends the asking, not the run: what was
    answered before is recorded and counts.
    """
    tools = tools_of_contract()
    readings: dict[str, Any] = {}
    reasons: list[str] = []
    for item in items:
        messages = messages_of(item)
        try:
            reply = endpoint.recorded(messages, tools) if reasons else endpoint.complete(messages, tools)
        except EndpointError as error:
            reasons.append(str(error))
            continue
        if reply is not None:
            readings[item.id] = reading_of(reply)
    return readings, list(dict.fromkeys(reasons))
