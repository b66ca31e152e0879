"""Addresses in messages hold no secret."""

from __future__ import annotations

import pytest

from lm import ModelNotFound
from lm.places import shown
from lm.registry import find_registered


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
