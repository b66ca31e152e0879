"""Addresses in messages hold no secret."""

from __future__ import annotations

import base64
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lm import ModelNotFound
from lm.places import shown, tracking_uri
from lm.registry import find_registered
from training.tracking import Tracking


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://mlflow:s3cret@db:5432/mlflow", "postgresql://mlflow:***@db:5432/mlflow"),
        ("https://me:p@ss:w0rd@mlflow.example/x", "https://me:***@mlflow.example/x"),
        ("postgresql://db/mlflow?user=me&password=s3cret&sslmode=require",
         "postgresql://db/mlflow?user=me&password=***&sslmode=require"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("sqlite:////home/a@b/mlflow.db", "sqlite:////home/a@b/mlflow.db"),
        ("s3://bucket/data", "s3://bucket/data"),
    ],
)  # fmt: skip
def test_a_shown_address_has_no_password_and_is_the_same_else(address, told):
    assert shown(address) == told


def test_a_registry_that_does_not_answer_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3cret@127.0.0.1:9")
    with pytest.raises(ModelNotFound, match="does not answer") as told:
        find_registered("models:/causalsmith-assistant@champion")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "bare", "name", "password"),
    [
        ("https://me:p%40ss@mlflow.example/x", "https://mlflow.example/x", "me", "p@ss"),
        ("http://me:p@ss:w0rd@127.0.0.1:5000", "http://127.0.0.1:5000", "me", "p@ss:w0rd"),
        ("https://mlflow.example", "https://mlflow.example", None, None),
        ("postgresql://me:s3cret@db/mlflow", "postgresql://me:s3cret@db/mlflow", None, None),
    ],
)
def test_a_servers_password_goes_where_mlflow_does_not_repeat_it(monkeypatch, address, bare, name, password):
    for variable in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(variable, "")  # so that what is set here is undone
        monkeypatch.delenv(variable)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert tracking_uri() == bare
    assert os.environ.get("MLFLOW_TRACKING_USERNAME") == name
    assert os.environ.get("MLFLOW_TRACKING_PASSWORD") == password


def test_the_server_is_still_told_the_password_and_no_error_repeats_it(monkeypatch):
    """A failed step's error stands in Dagster's database, on its pages, and in what the webhook is sent."""
    from mlflow.exceptions import MlflowException

    asked: list[str | None] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:s3cret@127.0.0.1:{server.server_port}")
    tracking = Tracking(tracking_uri(), "")
    with pytest.raises(MlflowException) as refused:
        tracking.version_at("champion")
    server.shutdown()
    server.server_close()
    with pytest.raises(MlflowException) as unreachable:
        tracking.version_at("champion")
    assert asked == [f"Basic {base64.b64encode(b'me:s3cret').decode()}"]
    assert "127.0.0.1" in str(unreachable.value)
    assert "s3cret" not in f"{refused.value} {unreachable.value} {tracking}"
