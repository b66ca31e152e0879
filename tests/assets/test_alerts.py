"""Alerts reach a real webhook on loopback; one that fails stops nothing and is said, without its address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assets.alerts import MOST_CHARACTERS, VARIABLE, Alerts


class Hook:
    def __init__(self) -> None:
        self.got: list[dict] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.http.server_port}/secret-path"


@pytest.fixture
def hook(monkeypatch) -> Iterator[Hook]:
    one = Hook()
    monkeypatch.setenv(VARIABLE, one.address)
    yield one
    one.http.shutdown()
    one.http.server_close()


def test_a_message_is_logged_and_posted(hook):
    said: list[str] = []
    assert Alerts().send("evaluation failed", "no disk", said.append)
    assert hook.got == [{"text": "*evaluation failed*\nno disk"}]
    assert said == ["evaluation failed: no disk"]


def test_without_a_webhook_it_is_logged_alone(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    said: list[str] = []
    assert not Alerts().send("a", "b", said.append)
    assert said == ["a: b"]


def test_a_long_message_is_cut(hook):
    Alerts().send("a", "x" * 10_000, lambda _: None)
    assert len(hook.got[0]["text"]) == MOST_CHARACTERS


@pytest.mark.parametrize("broken", ["status", "refused", "address"])
def test_a_webhook_that_fails_is_said_without_its_address(hook, monkeypatch, broken):
    if broken == "status":
        hook.status = 500
    else:
        monkeypatch.setenv(
            VARIABLE, {"refused": "http://127.0.0.1:9/secret-path", "address": "nonsense secret-path"}[broken]
        )
    said: list[str] = []
    assert not Alerts().send("a", "b", said.append)
    assert len(said) == 2 and VARIABLE in said[1]
    assert "secret-path" not in " ".join(said)


def test_the_address_is_not_in_the_log_of_the_http_library(hook, caplog):
    with caplog.at_level("INFO"):
        assert Alerts().send("a", "b", lambda _: None)
        assert "secret-path" not in caplog.text
