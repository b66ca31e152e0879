"""The endpoint client against a real HTTP server on this machine that speaks the chat-completions format."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lm.api import ChatEndpoint
from lm.errors import EndpointError, SpendCapReached

KEY = "CAUSALSMITH_TEST_KEY"
MESSAGES = [{"role": "user", "content": "Does t affect y?"}]
TOOLS = [{"type": "function", "function": {"name": "ATE", "description": "effect", "parameters": {"type": "object"}}}]

Answer = tuple[int, bytes]


class Server:
    """Answers requests from a script, the last answer over and over; keeps what it was asked."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.asked: list[dict] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/chat/completions"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(json.loads(body))
                outer.keys.append(self.headers["Authorization"])
                status, content = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


@pytest.fixture
def endpoint(server, tmp_path, monkeypatch) -> Callable[..., ChatEndpoint]:
    monkeypatch.setenv(KEY, "sk-secret-value")
    return lambda **changes: ChatEndpoint(
        **{"model": "m-1", "recordings": tmp_path / "rec", "base_url": server.url, "key_variable": KEY, **changes}
    )


def completion(text: str | None = "yes", calls: list[tuple[str, str]] | None = None, usage=(10, 5), **changes) -> bytes:
    message: dict = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, (name, arguments) in enumerate(calls)
        ]
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
    }
    return json.dumps({**body, **changes}).encode()


def test_an_answer_is_recorded_and_then_replayed_without_a_call_or_a_key(server, endpoint, monkeypatch):
    server.script = [(200, completion(None, [("ATE", '{"treatment": "t", "response": "ÿ"}')]))]
    first = endpoint().complete(MESSAGES, TOOLS)
    assert (first.text, first.replayed) == ("", False)
    assert first.tool_calls == (("ATE", '{"treatment": "t", "response": "ÿ"}'),)
    assert (first.prompt_tokens, first.completion_tokens) == (10, 5)
    monkeypatch.delenv(KEY)
    again = endpoint()
    second = again.complete(MESSAGES, TOOLS)
    assert second.replayed
    assert (second.text, second.tool_calls) == (first.text, first.tool_calls)
    assert (len(server.asked), again.calls, again.spent) == (1, 0, 0.0)


def test_the_request_is_made_at_temperature_zero_with_the_tools(server, endpoint):
    server.script = [(200, completion())]
    endpoint(most_tokens=77).complete(MESSAGES, TOOLS)
    (asked,) = server.asked
    assert asked["temperature"] == 0
    assert asked["max_tokens"] == 77
    assert asked["messages"] == MESSAGES
    assert asked["tools"] == TOOLS
    assert asked["model"] == "m-1"
    assert server.keys == ["Bearer sk-secret-value"]


def test_a_recording_holds_no_key(server, endpoint, tmp_path):
    server.script = [(200, completion())]
    endpoint().complete(MESSAGES)
    files = list((tmp_path / "rec").iterdir())
    assert len(files) == 1
    assert b"sk-secret-value" not in files[0].read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda: ({"model": "m-2"}, MESSAGES, TOOLS),
        lambda: ({"most_tokens": 9}, MESSAGES, TOOLS),
        lambda: ({}, [{"role": "user", "content": "else"}], TOOLS),
        lambda: ({}, MESSAGES, ()),
    ],
)
def test_a_recording_answers_exactly_its_own_request(server, endpoint, change):
    server.script = [(200, completion())]
    endpoint().complete(MESSAGES, TOOLS)
    settings, messages, tools = change()
    assert endpoint(**settings).recorded(messages, tools) is None
    assert endpoint().recorded(MESSAGES, TOOLS) is not None


def test_without_key_and_recording_nothing_is_asked(server, endpoint, monkeypatch):
    monkeypatch.delenv(KEY)
    server.script = [(200, completion())]
    with pytest.raises(EndpointError, match=KEY):
        endpoint().complete(MESSAGES)
    assert server.asked == []


def test_passing_server_faults_are_retried(server, endpoint):
    server.script = [(500, b"{}"), (503, b"{}"), (200, completion("at last"))]
    one = endpoint()
    assert one.complete(MESSAGES).text == "at last"
    assert len(server.asked) == 3
    assert one.calls == 1


@pytest.mark.parametrize(
    "answer",
    [
        (500, b'{"error": {"message": "out of order"}}'),
        (401, b'{"error": {"message": "bad key"}}'),
        (200, b'{"choices": [{"mess'),
        (200, b"<html>gateway</html>"),
        (200, b'"a text"'),
        (200, b"null"),
        (200, completion(choices=[])),
        (200, completion(choices=None)),
        (200, completion(choices=[{"index": 0, "finish_reason": "stop", "message": None}])),
    ],
    ids=["500", "401", "cut JSON", "HTML", "JSON text", "JSON null", "no choices", "null choices", "no message"],
)
def test_a_fault_of_the_endpoint_is_told_and_never_recorded(server, endpoint, tmp_path, answer):
    server.script = [answer]
    with pytest.raises(EndpointError, match="m-1"):
        endpoint().complete(MESSAGES)
    assert not (tmp_path / "rec").exists()


def test_an_endpoint_that_cannot_be_reached_is_told(endpoint, server):
    one = endpoint(base_url="http://127.0.0.1:9/v1", timeout=2.0)
    with pytest.raises(EndpointError, match="did not answer"):
        one.complete(MESSAGES)
    assert server.asked == []


def test_an_answer_without_usage_counts_as_nothing(server, endpoint):
    server.script = [(200, completion(usage=(0, 0)).replace(b'"usage"', b'"used"'))]
    reply = endpoint(dollars_per_million=(1.0, 1.0)).complete(MESSAGES)
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)


def test_spending_is_counted_by_the_price_of_each_kind_of_token(server, endpoint):
    server.script = [(200, completion(usage=(2000, 100)))]
    one = endpoint(dollars_per_million=(2.0, 10.0))
    one.complete(MESSAGES)
    assert one.spent == pytest.approx(2000 * 2e-6 + 100 * 10e-6)


def test_the_cap_is_never_exceeded(server, endpoint):
    """Each answer costs 100 completion tokens at 100 dollars a million: one cent. The cap is five cents."""
    server.script = [(200, completion(usage=(0, 100)))]
    one = endpoint(dollars_per_million=(0.0, 100.0), most_tokens=100, spend_cap=0.05)
    with pytest.raises(SpendCapReached, match="raise the cap"):
        for number in range(20):
            one.complete([{"role": "user", "content": f"question {number}"}])
    assert one.spent <= 0.05
    assert 4 <= len(server.asked) <= 5  # five fit exactly, but for rounding


def test_a_call_that_alone_could_exceed_the_cap_is_not_made(server, endpoint):
    server.script = [(200, completion())]
    one = endpoint(dollars_per_million=(1.0, 0.0), spend_cap=0.001)
    with pytest.raises(SpendCapReached):
        one.complete([{"role": "user", "content": "x" * 2000}])  # 2,000 characters could be 2,000 tokens
    assert server.asked == []


def test_answers_without_a_choice_count_against_the_cap(server, endpoint):
    server.script = [(200, completion(usage=(0, 100), choices=[]))]
    one = endpoint(dollars_per_million=(0.0, 100.0), most_tokens=100, spend_cap=0.015)
    with pytest.raises(EndpointError, match="without a choice"):
        one.complete(MESSAGES)
    assert one.spent == pytest.approx(0.01)
    with pytest.raises(SpendCapReached):
        one.complete(MESSAGES)


def test_a_recorded_answer_is_given_even_when_the_cap_is_reached(server, endpoint):
    server.script = [(200, completion("known"))]
    endpoint().complete(MESSAGES)
    assert endpoint(dollars_per_million=(9e9, 9e9), spend_cap=0.0).complete(MESSAGES).text == "known"
