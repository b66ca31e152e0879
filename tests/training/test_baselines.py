"""Readings without a model, and the hosted model's readings from its recordings."""

from __future__ import annotations

import json

import pytest

from causal_tools.contract import ALLOWED, REQUIRED, TASKS
from lm.api import ChatEndpoint
from lm.recordings import FolderRecordings, key_of
from lm.replies import Reply
from training.baseline_api import (
    NO_ANSWER,
    READING,
    TASK_GIVEN,
    baseline_answers,
    reading_of,
    reading_request,
    tools_of_contract,
)
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
        ((("ATE", "[" * 100_000),), NO_ANSWER),
        ((("ATE", '{"x": ' + "9" * 5000 + "}"),), NO_ANSWER),
    ],
)
def test_a_reply_becomes_a_reading(calls, reading):
    assert reading_of(Reply("", calls, 0, 0, False)) == reading


def _record(endpoint: ChatEndpoint, item: QueryItem) -> None:
    whole = endpoint._whole(reading_request(item))
    reply = {
        "text": "",
        "tool_calls": [["ATE", '{"treatment": "a", "response": "b"}']],
        "prompt_tokens": 100,
        "completion_tokens": 10,
    }
    endpoint.recordings.keep(key_of(whole), {"request": whole, "reply": reply})


def test_recordings_are_read_without_a_key_and_the_rest_is_listed_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    endpoint = ChatEndpoint(
        "m-1",
        FolderRecordings(tmp_path),
        base_url="http://127.0.0.1:9",
        key_variable="NO_SUCH_KEY",
        dollars_per_million=(1.0, 10.0),
    )
    for item in (TRAIN[0], TRAIN[2]):
        _record(endpoint, item)
    found = baseline_answers(endpoint, TRAIN)
    readings = found[found["kind"] == READING].set_index("id")
    assert (
        readings.loc[["i1", "i3"], "answer"].map(json.loads).tolist()
        == [{"task": "ATE", "treatment": "a", "response": "b"}] * 2
    )
    assert readings.loc["i1", "dollars"] == pytest.approx(100e-6 + 100e-6)
    others = found[~((found["kind"] == READING) & found["id"].isin(["i1", "i3"]))]
    assert len(others) and others["failure"].str.contains("NO_SUCH_KEY").all()
    assert (others["answer"] == "").all()


def test_with_the_task_given_only_its_tool_is_offered_and_must_be_called():
    item = next(one for one in TRAIN if one.task == "ATE")
    request = reading_request(item, task_given=True)
    assert [tool["function"]["name"] for tool in request.tools] == [request.must_call] == ["ATE"]
    assert reading_request(item).must_call is None
    assert len(reading_request(item).tools) == len(TASKS)


def test_causal_questions_are_asked_both_ways_and_others_once(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    endpoint = ChatEndpoint("m-1", FolderRecordings(tmp_path), key_variable="NO_SUCH_KEY")
    none = _item("What is the time?", ("a", "b"), None, 99)
    found = baseline_answers(endpoint, [TRAIN[0], none])
    assert list(zip(found["id"], found["kind"], strict=True)) == [
        (TRAIN[0].id, READING),
        ("i99", READING),
        (TRAIN[0].id, TASK_GIVEN),
    ]
