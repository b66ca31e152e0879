"""A writer behind a real endpoint on loopback: what lacks a name or value is sent back once, then refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lm.api import ChatEndpoint
from lm.recordings import FolderRecordings
from training.queries import check_item, make_queries
from training.topic_library import load_topics
from training.writer import reword, wording_faults

KEY = "CAUSALSMITH_TEST_KEY"
TOPICS = load_topics()[:4]
ITEM, OTHER = make_queries("HTE", 2, 4, TOPICS)


class Writer:
    """Answers with texts from a script, in order; with a number as the status of a fault."""

    def __init__(self) -> None:
        self.script: list[str | int] = []
        self.asked: list[list[dict]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body["messages"])
                said = outer.script.pop(0)
                if isinstance(said, int):
                    self.send_error(said)
                    return
                message = {"role": "assistant", "content": said}
                answer = {
                    "id": "x", "object": "chat.completion", "created": 1, "model": "w",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130},
                }  # fmt: skip
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def writer() -> Iterator[Writer]:
    one = Writer()
    yield one
    one.http.shutdown()
    one.http.server_close()


@pytest.fixture
def endpoint(writer, tmp_path, monkeypatch) -> ChatEndpoint:
    monkeypatch.setenv(KEY, "sk-1")
    url = f"http://127.0.0.1:{writer.http.server_port}/v1"
    return ChatEndpoint(
        "w", FolderRecordings(tmp_path), base_url=url, key_variable=KEY, dollars_per_million=(1.0, 1.0), spend_cap=0.01
    )


def test_a_sound_wording_is_taken_with_the_query_and_costs_nothing_again(writer, endpoint):
    wording = f"Tell me, please: {ITEM.question}"
    writer.script = [f'"{wording}"']
    made = reword(endpoint, [ITEM], TOPICS)
    (item,) = made.items
    assert (item.question, item.query, item.family, item.topic) == (wording, ITEM.query, ITEM.family, ITEM.topic)
    assert check_item(item, TOPICS) == []
    assert endpoint.spent == pytest.approx(130e-6)
    again = reword(endpoint, [ITEM], TOPICS)
    assert again == made
    assert len(writer.asked) == 1


def test_a_wordings_own_words_for_a_column_are_kept_where_it_does_not_name_it(writer, endpoint):
    topic = next(topic for topic in TOPICS if topic.name == ITEM.topic)
    column = ITEM.query["response"]
    words = next(words for words in topic.by_column[column].wordings if words.casefold() != column.casefold())
    plain = {name: topic.by_column[name].wordings[0] for name in (ITEM.query["treatment"],)}
    draft = ITEM.model_copy(update={"said": {}})
    conditions = " and ".join(f"{c['column']} {c['operator']} {c['value']}" for c in ITEM.query["conditions"])
    file = f" in {ITEM.dataset}" if ITEM.dataset else ""
    writer.script = [f"Where {conditions}, does {plain[ITEM.query['treatment']]} move {words}{file}?"]
    (item,) = reword(endpoint, [draft], TOPICS).items
    assert item.said[column] == words
    assert item.said[ITEM.query["treatment"]] == plain[ITEM.query["treatment"]]
    assert not {condition["column"] for condition in ITEM.query["conditions"]} & set(item.said)


def test_a_wording_that_lacks_something_is_sent_back_once_and_then_refused(writer, endpoint):
    writer.script = ["How are things going then?", "Still nothing of what was asked for here."]
    made = reword(endpoint, [ITEM], TOPICS)
    assert made.items == ()
    (refused,) = made.refused
    assert refused.item_id == ITEM.id
    assert "is not" in refused.reason
    assert "This will not do" in writer.asked[1][-1]["content"]


def test_without_key_or_money_the_rest_is_unasked_and_said(writer, endpoint, monkeypatch):
    made = reword(replace(endpoint, spend_cap=0.0), [ITEM, OTHER], TOPICS)
    assert (made.items, made.refused) == ((), ())
    assert "cap" in made.unasked[0]
    monkeypatch.delenv(KEY)
    assert KEY in reword(endpoint, [ITEM], TOPICS).unasked[0]
    assert writer.asked == []


def test_a_question_that_is_not_served_keeps_no_other_from_being_asked(writer, endpoint):
    """A content filter refuses the same question every night; what came after it was never asked for."""
    writer.script = [400, f"Tell me, please: {OTHER.question}"]
    made = reword(endpoint, [ITEM, OTHER], TOPICS)
    assert [item.question for item in made.items] == [f"Tell me, please: {OTHER.question}"]
    assert len(made.unasked) == 1 and "400" in made.unasked[0]
    writer.script = [401]
    again = reword(endpoint, [ITEM, OTHER], TOPICS)  # refused altogether: what is recorded is still replayed
    assert again.items == made.items
    assert len(writer.asked) == 3


@pytest.mark.parametrize("wording", ["", "short", "x" * 601, ITEM.question.upper()])
def test_empty_long_and_unchanged_wordings_are_faults(wording):
    assert wording_faults(ITEM, wording, TOPICS)
