"""A hosted chat model on the same contract: one tool a task, offered with the file's columns.

It is asked in three ways: which tool answers the question (zero-shot), the same with the right tool named, and to explain a
result in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from causal_tools.contract import REQUIRED, TASKS, CausalResult
from causal_tools.prompts import interpret_messages
from lm.api import ChatEndpoint
from lm.errors import EndpointError
from lm.replies import Reply, Request
from training.queries import QueryItem

NO_ANSWER: dict[str, Any] = {"task": "UNREADABLE"}
READING, TASK_GIVEN, EXPLANATION = "reading", "reading, task given", "explanation"
COLUMNS = (
    "id",
    "kind",
    "answer",
    "failure",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "dollars",
    "finish_reason",
)


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


def reading_request(item: QueryItem, *, task_given: bool = False) -> Request:
    """The question as put to a hosted model.

    Args:
        task_given: the tool of the right task must be called, so that only its arguments are asked for. For causal items.
    """
    messages = [
        {
            "role": "system",
            "content": "Call the one tool that answers the question about the data file. Call none if the "
            "question is not causal or cannot be answered from these columns.",
        },
        {"role": "user", "content": f"Columns: {', '.join(item.columns)}\nQuestion: {item.question}"},
    ]
    tools = tools_of_contract()
    if not task_given:
        return Request(messages, tools)
    return Request(messages, [tool for tool in tools if tool["function"]["name"] == item.task], must_call=item.task)


def explanation_request(question: str, result: CausalResult) -> Request:
    """The request for an explanation: what our own models are given."""
    return Request([dict(message) for message in interpret_messages(question, result)])


def reading_of(reply: Reply) -> dict[str, Any] | None:
    """A reply as a reading: None where no tool was called, ``UNREADABLE`` where the call is no valid JSON object."""
    if not reply.tool_calls:
        return None
    name, text = reply.tool_calls[0]
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or a number of thousands of digits, or brackets without end
        return NO_ANSWER
    return {**arguments, "task": name} if isinstance(arguments, dict) and name in TASKS else NO_ANSWER


def baseline_answers(
    endpoint: ChatEndpoint,
    items: Sequence[QueryItem],
    results: Sequence[tuple[str, str, CausalResult]] = (),
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Ask everything that is not recorded yet.

    Args:
        endpoint: of the hosted model.
        items: whose questions are read, twice where they are causal.
        results: to explain, as (item id, question, result).
        report: called with (done, all).

    Returns:
        A line an answer or failure, with :data:`COLUMNS`: ``answer`` is a reading as JSON or the text of an explanation, and
        empty where ``failure`` says why there is none.
    """
    causal = [item for item in items if item.query is not None]
    asked = [
        *((item.id, READING, reading_request(item)) for item in items),
        *((item.id, TASK_GIVEN, reading_request(item, task_given=True)) for item in causal),
        *((name, EXPLANATION, explanation_request(question, result)) for name, question, result in results),
    ]
    outcomes = endpoint.complete_all([request for _, _, request in asked], report)
    lines = [_line(endpoint, name, kind, outcome) for (name, kind, _), outcome in zip(asked, outcomes, strict=True)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _line(endpoint: ChatEndpoint, name: str, kind: str, outcome: Reply | EndpointError) -> tuple[Any, ...]:
    if isinstance(outcome, EndpointError):
        return name, kind, "", f"{type(outcome).__name__.lstrip('_')}: {outcome}", 0, 0, 0.0, 0.0, ""
    answer = outcome.text if kind == EXPLANATION else json.dumps(reading_of(outcome), ensure_ascii=False)
    try:
        dollars = endpoint.dollars(outcome)
    except LookupError:  # a replayed answer of a model whose price is not known
        dollars = float("nan")
    tokens = outcome.prompt_tokens, outcome.completion_tokens
    return name, kind, answer, "", *tokens, outcome.seconds, dollars, outcome.finish_reason
