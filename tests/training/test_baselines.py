"""Readings without a model, and the hosted model's readings from its recordings."""

from __future__ import annotations

import json

import pytest

from causal_tools.contract import ALLOWED, REQUIRED, TASKS
from lm.api import ChatEndpoint, Reply
from training.baseline_api import NO_ANSWER, baseline_readings, messages_of, reading_of, tools_of_contract
from training.baselines import majority_readings, nearest_readings
from training.queries import QueryItem, make_queries
from training.topic_library import load_topics


def _item(question: str, columns: tuple[str, ...], query: dict | None, number: int = 0) -> QueryItem:
    return QueryItem(
        id=f"i{number}",
        task=query["task"] if query else "NONE",
        topic="t",
        family="f",
        question=question,
        dataset=None,
        columns=columns,
        query=query,
        levels={},
    )


EFFECT = {"task": "ATE", "treatment": "smoker", "response": "fev1"}
GRAPH = {"task": "CGL", "nodes": "all"}
TRAIN = [
    _item("What is the effect of smoker on fev1?", ("smoker", "fev1"), EFFECT, 1),
    _item("How does smoker change fev1?", ("smoker", "fev1"), {**EFFECT, "dataset": "lung.csv"}, 2),
    _item("Draw the graph of causes among the columns.", ("a", "b"), GRAPH, 3),
    _item("Sing me a song about spring.", ("a", "b"), None, 4),
]


def test_the_commonest_reading_is_given_for_every_item():
    readings = majority_readings(TRAIN, TRAIN[2:])
    assert [reading["task"] for reading in readings] == ["ATE", "ATE"]
    assert all((reading["treatment"], reading["response"]) == ("smoker", "fev1") for reading in readings)


def test_the_commonest_reading_may_be_that_nothing_causal_is_asked():
    none = [_item("Sing.", ("a", "b"), None, i) for i in range(3)]
    assert majority_readings([*TRAIN[:2], *none], TRAIN[:2]) == [None, None]


def test_the_nearest_question_gives_the_form_and_the_words_give_the_columns():
    asked = [
        _item("What is the effect of price on sales?", ("sales", "price"), None, 7),
        _item("Sing me a song about summer.", ("region", "sales"), None, 8),
        _item("Draw the graph of causes among the columns here.", ("region", "sales"), None, 9),
    ]
    effect, song, graph = nearest_readings(TRAIN, asked)
    assert (effect["task"], effect["treatment"], effect["response"]) == ("ATE", "price", "sales")
    assert song is None
    assert (graph["task"], graph["nodes"]) == ("CGL", "all")


@pytest.mark.parametrize("task", [*TASKS, "NONE"])
def test_the_nearest_question_names_only_columns_of_the_file(task):
    topics = load_topics()
    train = make_queries(task, 20, 1, topics[:4]) + make_queries("ATE", 5, 1, topics[:4])
    items = make_queries(task, 10, 2, topics[4:8], "held_out")
    for item, reading in zip(items, nearest_readings(train, items), strict=True):
        if reading is None:
            continue
        named = [reading.get(role) for role in ("treatment", "response", "mediator") if reading.get(role)]
        named += [condition["column"] for condition in reading.get("conditions") or ()]
        named += list(reading["nodes"]) if isinstance(reading.get("nodes"), list | tuple) else []
        assert set(named) <= set(item.columns)


def test_each_task_is_a_tool_that_asks_for_what_the_contract_needs():
    tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools_of_contract()}
    assert set(tools) == set(TASKS)
    for task, parameters in tools.items():
        assert set(REQUIRED[task]) <= set(parameters["required"]) <= set(parameters["properties"])
        assert set(parameters["properties"]) <= set(ALLOWED[task])
    json.dumps(tools)


@pytest.mark.parametrize(
    ("calls", "reading"),
    [
        ((), None),
        ((("ATE", '{"treatment": "t", "response": "y"}'),), {"task": "ATE", "treatment": "t", "response": "y"}),
        ((("ATE", '{"treatment": '),), NO_ANSWER),
        ((("ATE", '["t"]'),), NO_ANSWER),
        ((("SUM", '{"x": 1}'),), NO_ANSWER),
    ],
)
def test_a_reply_becomes_a_reading(calls, reading):
    assert reading_of(Reply("", calls, 0, 0, False)) == reading


def _record(endpoint: ChatEndpoint, item: QueryItem) -> None:
    reply = {
        "text": "",
        "tool_calls": [["ATE", '{"treatment": "a", "response": "b"}']],
        "prompt_tokens": 1,
        "completion_tokens": 1,
    }
    endpoint._record(messages_of(item), tools_of_contract(), reply)


def test_recordings_are_read_without_a_key_and_the_rest_is_explained(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    endpoint = ChatEndpoint("m-1", tmp_path, base_url="http://127.0.0.1:9", key_variable="NO_SUCH_KEY")
    for item in (TRAIN[0], TRAIN[2]):
        _record(endpoint, item)
    readings, reasons = baseline_readings(endpoint, TRAIN)
    assert readings == {
        "i1": {"task": "ATE", "treatment": "a", "response": "b"},
        "i3": {"task": "ATE", "treatment": "a", "response": "b"},
    }
    assert len(reasons) == 1
    assert "NO_SUCH_KEY" in reasons[0]
