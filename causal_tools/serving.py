"""The assistant as an MLflow model: a question and a header in, a structured query out; with the data, the answer.

MLflow keeps this file as the model's code (models from code) beside the adapter's folder. What is sent is data: no path that a
request names is opened.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc import PythonModel
from mlflow.types import ColSpec, DataType, Schema


class AssistantModel(PythonModel):
    """Reads questions, and answers those that come with their data.

    Fields of a row: ``question``; ``columns``, the header, comma-separated or a JSON list, or ``data``, the table itself as CSV
    text; ``dataset``, its name.
    """

    def load_context(self, context: Any) -> None:
        from lm import load_language_model
        from lm.load import base_of

        self._turn = threading.Lock()  # a server answers in several threads, and the model keeps one text at a time
        adapter = Path(context.artifacts["adapter"])
        self._model = load_language_model(base_of(adapter), adapter=adapter)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[str]:
        """One JSON text a row: the query, with data the answer and its evidence, or ``{"error": …}`` in words."""
        from causal_tools.errors import CausalToolsError

        answers = []
        for row in model_input.to_dict("records"):
            fields = {str(name): value for name, value in row.items() if isinstance(value, str)}
            try:
                with self._turn:
                    answers.append(json.dumps(self._answer(fields), ensure_ascii=False))
            except CausalToolsError as error:
                answers.append(json.dumps({"error": str(error)}, ensure_ascii=False))
            except Exception as error:  # one row's fault is not the others'
                logging.getLogger(__name__).exception("a question could not be answered")
                told = f"sorry, that went wrong in a way nobody foresaw ({type(error).__name__}: {error})"
                answers.append(json.dumps({"error": told}, ensure_ascii=False))
        return answers

    def _answer(self, fields: dict[str, str]) -> dict[str, Any]:
        from causal_tools.assistant import Assistant
        from causal_tools.data import read_text

        assistant, question = Assistant(self._model), fields.get("question", "")
        if "data" in fields:
            table = read_text(fields["data"], fields.get("dataset") or "the data")
            return assistant.ask(table, question).record(self._model.describe())
        query = assistant.parse(question, _header(fields.get("columns", "")), fields.get("dataset") or None)
        return query.model_dump(mode="json", exclude_none=True)


def _header(text: str) -> list[str]:
    """Names from a JSON list, or between commas.

    Raises:
        QueryError: the text starts like a JSON list and is none.
    """
    from causal_tools.errors import QueryError

    if not text.lstrip().startswith("["):
        return [name.strip() for name in text.split(",")]
    try:
        return [str(name) for name in json.loads(text)]
    except json.JSONDecodeError as error:
        raise QueryError(
            f"columns must be names between commas, or a JSON list; given {text[:80]!r} ({error})"
        ) from error


def signature() -> ModelSignature:
    """Inputs: question; columns or data; the data set's name. Output: one JSON text a question."""
    optional = ("columns", "data", "dataset")
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, "question"),
                *(ColSpec(DataType.string, name, required=False) for name in optional),
            ]
        ),
        outputs=Schema([ColSpec(DataType.string)]),
    )


def example() -> pd.DataFrame:
    """A question as the model takes it."""
    return pd.DataFrame({"question": ["What is the effect of drug on pain?"], "columns": ["drug, pain, age"]})


set_model(AssistantModel())
