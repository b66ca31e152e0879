"""The endpoint client against a real HTTP server on this machine that speaks the chat-completions format."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lm.api import ChatEndpoint
from lm.errors import EndpointDown, EndpointError, EndpointRefused, SpendCapReached
from lm.recordings import FolderRecordings
from lm.replies import Request

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
        **{
            "model": "m-1",
            "recordings": FolderRecordings(tmp_path / "rec"),
            "base_url": server.url,
            "key_variable": KEY,
            "dollars_per_million": (0.0, 0.0),
            "first_wait": 0.001,
            **changes,
        }
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


@pytest.mark.parametrize("content", [b"", b'{"reply": {"te', b"\xff\xfe", b"[]", b"{}", b'{"reply": {"text": "yes"}}'])
def test_a_damaged_recording_costs_its_own_answer_and_no_other(server, endpoint, tmp_path, content):
    server.script = [(200, completion())]
    first, second = (Request([{"role": "user", "content": text}], TOOLS) for text in ("one", "two"))
    endpoint().complete(first)
    (path,) = (tmp_path / "rec").glob("*.json")
    path.write_bytes(content)
    lost, found = endpoint().complete_all([first, second])
    assert isinstance(lost, EndpointError) and path.name in str(lost) and "delete it" in str(lost)
    assert not isinstance(found, EndpointError)
    path.unlink()
    assert not endpoint().complete(first).replayed


def test_an_answer_is_recorded_and_then_replayed_without_a_call_or_a_key(server, endpoint, monkeypatch):
    server.script = [(200, completion(None, [("ATE", '{"treatment": "t", "response": "ÿ"}')]))]
    first = endpoint().complete(Request(MESSAGES, TOOLS))
    assert (first.text, first.replayed) == ("", False)
    assert first.tool_calls == (("ATE", '{"treatment": "t", "response": "ÿ"}'),)
    assert (first.prompt_tokens, first.completion_tokens) == (10, 5)
    monkeypatch.delenv(KEY)
    again = endpoint()
    second = again.complete(Request(MESSAGES, TOOLS))
    assert second.replayed
    assert (second.text, second.tool_calls) == (first.text, first.tool_calls)
    assert (len(server.asked), again.calls, again.spent) == (1, 0, 0.0)


def test_the_request_is_made_at_temperature_zero_with_the_tools(server, endpoint):
    server.script = [(200, completion())]
    endpoint(most_tokens=77).complete(Request(MESSAGES, TOOLS))
    (asked,) = server.asked
    assert asked["temperature"] == 0
    assert asked["max_tokens"] == 77
    assert asked["messages"] == MESSAGES
    assert asked["tools"] == TOOLS
    assert asked["model"] == "m-1"
    assert server.keys == ["Bearer sk-secret-value"]


def test_a_recording_holds_no_key(server, endpoint, tmp_path):
    server.script = [(200, completion())]
    endpoint().complete(Request(MESSAGES))
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
    endpoint().complete(Request(MESSAGES, TOOLS))
    settings, messages, tools = change()
    assert endpoint(**settings).recorded(Request(messages, tools)) is None
    assert endpoint().recorded(Request(MESSAGES, TOOLS)) is not None


def test_without_key_and_recording_nothing_is_asked(server, endpoint, monkeypatch):
    monkeypatch.delenv(KEY)
    server.script = [(200, completion())]
    with pytest.raises(EndpointError, match=KEY):
        endpoint().complete(Request(MESSAGES))
    assert server.asked == []


def test_passing_server_faults_are_retried(server, endpoint):
    server.script = [(500, b"{}"), (503, b"{}"), (200, completion("at last"))]
    one = endpoint()
    assert one.complete(Request(MESSAGES)).text == "at last"
    assert len(server.asked) == one.calls == 3


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
        endpoint().complete(Request(MESSAGES))
    assert not (tmp_path / "rec").exists()


def test_an_endpoint_that_cannot_be_reached_is_told(endpoint, server):
    one = endpoint(base_url="http://127.0.0.1:9/v1", timeout=2.0)
    with pytest.raises(EndpointError, match="did not answer"):
        one.complete(Request(MESSAGES))
    assert server.asked == []


def test_an_answer_without_usage_is_charged_at_its_worst(server, endpoint):
    server.script = [(200, completion(usage=(0, 0)).replace(b'"usage"', b'"used"'))]
    one = endpoint(dollars_per_million=(0.0, 1e4), most_tokens=10)
    reply = one.complete(Request(MESSAGES))
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)
    assert one.spent == pytest.approx(0.1)


def test_spending_is_counted_by_the_price_of_each_kind_of_token(server, endpoint):
    server.script = [(200, completion(usage=(2000, 100)))]
    one = endpoint(dollars_per_million=(2.0, 10.0))
    one.complete(Request(MESSAGES))
    assert one.spent == pytest.approx(2000 * 2e-6 + 100 * 10e-6)


def test_the_cap_is_never_exceeded(server, endpoint):
    """Each answer costs 100 completion tokens at 100 dollars a million: one cent. The cap is five cents."""
    server.script = [(200, completion(usage=(0, 100)))]
    one = endpoint(dollars_per_million=(0.0, 100.0), most_tokens=100, spend_cap=0.05)
    with pytest.raises(SpendCapReached, match="raise the cap"):
        for number in range(20):
            one.complete(Request([{"role": "user", "content": f"question {number}"}]))
    assert one.spent <= 0.05
    assert 4 <= len(server.asked) <= 5  # five fit exactly, but for rounding


def test_a_call_that_alone_could_exceed_the_cap_is_not_made(server, endpoint):
    server.script = [(200, completion())]
    one = endpoint(dollars_per_million=(1.0, 0.0), spend_cap=0.001)
    with pytest.raises(SpendCapReached):
        one.complete(Request([{"role": "user", "content": "x" * 2000}]))  # 2,000 characters could be 2,000 tokens
    assert server.asked == []


def test_answers_without_a_choice_count_against_the_cap(server, endpoint):
    server.script = [(200, completion(usage=(0, 100), choices=[]))]
    one = endpoint(dollars_per_million=(0.0, 100.0), most_tokens=100, spend_cap=0.015, tries=1)
    with pytest.raises(EndpointError, match="without a choice"):
        one.complete(Request(MESSAGES))
    assert one.spent == pytest.approx(0.01)
    with pytest.raises(SpendCapReached):
        one.complete(Request(MESSAGES))


def test_a_recorded_answer_is_given_even_when_the_cap_is_reached(server, endpoint):
    server.script = [(200, completion("known"))]
    endpoint().complete(Request(MESSAGES))
    assert endpoint(dollars_per_million=(9e9, 9e9), spend_cap=0.0).complete(Request(MESSAGES)).text == "known"


def test_what_the_endpoint_asks_to_wait_is_waited(server, endpoint):
    """The server's header says one millisecond; the doubling wait would be minutes."""
    server.script = [(429, b"{}"), (429, b"{}"), (200, completion("at last"))]
    assert endpoint(first_wait=100.0).complete(Request(MESSAGES)).text == "at last"


@pytest.mark.parametrize(("status", "code"), [(401, "bad"), (404, "no_model"), (429, "insufficient_quota")])
def test_a_refusal_is_final(server, endpoint, status, code):
    server.script = [(status, json.dumps({"error": {"message": "no", "code": code}}).encode())]
    with pytest.raises(EndpointRefused):
        endpoint().complete(Request(MESSAGES))
    assert len(server.asked) == 1


def test_after_a_refusal_nothing_is_asked_and_recordings_are_replayed(server, endpoint):
    requests = [Request([{"role": "user", "content": f"question {n}"}]) for n in range(6)]
    server.script = [(200, completion("known"))]
    endpoint().complete(requests[5])
    server.script = [(401, b'{"error": {"message": "bad key"}}')]
    outcomes = endpoint(at_once=1).complete_all(requests)
    assert [isinstance(outcome, EndpointRefused) for outcome in outcomes] == [True] * 5 + [False]
    assert len(server.asked) == 2


def test_an_outage_ends_the_asking(server, endpoint):
    server.script = [(503, b"{}")]
    one = endpoint(at_once=1, tries=2)
    outcomes = one.complete_all([Request([{"role": "user", "content": f"question {n}"}]) for n in range(30)])
    assert len(server.asked) == 2 * 5
    assert isinstance(outcomes[-1], EndpointDown)
    assert all(isinstance(outcome, EndpointError) for outcome in outcomes)


def test_the_same_question_is_asked_once(server, endpoint):
    server.script = [(200, completion("yes"))]
    outcomes = endpoint(at_once=8).complete_all([Request(MESSAGES)] * 20)
    assert [outcome.text for outcome in outcomes] == ["yes"] * 20
    assert len(server.asked) == 1


def test_a_tool_that_must_be_called_is_named_and_has_a_recording_of_its_own(server, endpoint):
    server.script = [(200, completion(None, [("ATE", "{}")]))]
    endpoint().complete(Request(MESSAGES, TOOLS, must_call="ATE"))
    assert server.asked[0]["tool_choice"] == {"type": "function", "function": {"name": "ATE"}}
    assert endpoint().recorded(Request(MESSAGES, TOOLS)) is None


def test_a_cut_answer_says_so(server, endpoint):
    cut = json.loads(completion(None, [("ATE", '{"treat')]))
    cut["choices"][0]["finish_reason"] = "length"
    server.script = [(200, json.dumps(cut).encode())]
    reply = endpoint().complete(Request(MESSAGES, TOOLS))
    assert (reply.finish_reason, reply.tool_calls) == ("length", (("ATE", '{"treat'),))


def test_a_model_without_a_known_price_is_refused_before_it_is_asked(server, endpoint):
    server.script = [(200, completion())]
    with pytest.raises(EndpointRefused, match="state dollars_per_million"):
        endpoint(dollars_per_million=None).complete(Request(MESSAGES))
    assert server.asked == []


def test_prices_of_known_models_are_looked_up(server, endpoint):
    """GPT-4 Turbo of April 2024: 10 and 30 dollars a million tokens, by OpenAI's price list."""
    server.script = [(200, completion(usage=(1000, 100)))]
    one = endpoint(model="gpt-4-turbo-2024-04-09", dollars_per_million=None)
    reply = one.complete(Request(MESSAGES))
    assert one.spent == one.dollars(reply) == pytest.approx(1000 * 10e-6 + 100 * 30e-6)


def test_calls_a_minute_are_limited(server, endpoint):
    from pyrate_limiter import Duration, Limiter, Rate

    server.script = [(200, completion())]
    one = endpoint(calls_per_minute=5, at_once=4)
    assert one._limiter.buckets()[0].rates[0].limit == 5
    one.__dict__["_limiter"] = Limiter(Rate(5, Duration.SECOND))  # the same limit, in a time that a test can wait
    begin = time.monotonic()
    one.complete_all([Request([{"role": "user", "content": f"question {n}"}]) for n in range(11)])
    assert time.monotonic() - begin >= 1.9  # five at once, five after a second, one after two


def test_the_cap_counts_bytes_since_a_character_may_take_several_tokens(server, endpoint):
    """A hundred characters of three bytes each: at a dollar a thousand tokens they may cost 30 cents, and the cap is 20."""
    server.script = [(200, completion())]
    one = endpoint(dollars_per_million=(1000.0, 0.0), spend_cap=0.2)
    with pytest.raises(SpendCapReached):
        one.complete(Request([{"role": "user", "content": "语" * 100}]))
    assert server.asked == []


@pytest.mark.parametrize(("status", "charged"), [(429, 0.0), (500, 0.0), (504, 0.01)])
def test_a_call_that_something_in_between_gave_up_on_is_charged(server, endpoint, status, charged):
    server.script = [(status, b"{}")]
    one = endpoint(dollars_per_million=(0.0, 100.0), most_tokens=100, tries=1)
    with pytest.raises(EndpointError):
        one.complete(Request(MESSAGES))
    assert one.spent == pytest.approx(charged)


def test_requests_that_are_not_served_are_no_outage(server, endpoint):
    server.script = [(400, b'{"error": {"message": "no forced tools here"}}')] * 8 + [(200, completion())]
    outcomes = endpoint(at_once=1, tries=1).complete_all(
        [Request([{"role": "user", "content": f"question {n}"}]) for n in range(9)]
    )
    assert "no forced tools" in str(outcomes[7])
    assert outcomes[8].text


def test_a_key_that_the_server_repeats_is_not_told(server, endpoint):
    one = endpoint(tries=1)
    key = os.environ[one.key_variable]
    server.script = [(401, json.dumps({"error": {"message": f"bad key Bearer {key}"}}).encode())]
    with pytest.raises(EndpointError) as refused:
        one.complete(Request(MESSAGES))
    assert "Bearer ***" in str(refused.value) and key not in str(refused.value)


@pytest.mark.parametrize(
    "change", [{"usage": {}}, {"choices": [{"index": 0, "message": {"tool_calls": [{"type": "function"}]}}]}]
)
def test_an_answer_of_odd_form_is_an_error_or_free_of_counts_and_never_ends_the_run(server, endpoint, change):
    server.script = [(200, json.dumps({**json.loads(completion()), **change}).encode())]
    (outcome,) = endpoint(tries=1).complete_all([Request(MESSAGES)])
    assert isinstance(outcome, EndpointError) or outcome.prompt_tokens == 0


@pytest.mark.parametrize("asked", ["-1", "nan", "inf", "soon"])
def test_a_wait_that_cannot_be_is_not_waited(asked):
    from lm.api import _asked_wait

    assert _asked_wait({"retry-after": asked}) is None
