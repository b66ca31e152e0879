"""The assistant as an MLflow model: questions and headers in, structured queries out.

MLflow keeps this file as the model's code (models from code) beside the adapter's folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import ModelSignature, set_model
from mlflow.pyfunc import PythonModel
from mlflow.types import ColSpec, DataType, Schema


class AssistantModel(PythonModel):
    """Parses questions about data files; ``columns`` is the header, comma-separated or a JSON list."""

    def load_context(self, context: Any) -> None:
        from lm import load_language_model
        from lm.load import base_of

        adapter = Path(context.artifacts["adapter"])
        self._model = load_language_model(base_of(adapter), adapter=adapter)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[str]:
        """One JSON text a row: the query, or ``{"error": …}`` where the question cannot be read."""
        from causal_tools.assistant import Assistant
        from causal_tools.errors import CausalToolsError

        assistant = Assistant(self._model)
        readings = []
        for row in model_input.to_dict("records"):
            header = str(row["columns"])
            columns = (
                json.loads(header) if header.lstrip().startswith("[") else [name.strip() for name in header.split(",")]
            )
            try:
                query = assistant.parse(str(row["question"]), columns, row.get("dataset") or None)
                readings.append(query.model_dump_json(exclude_none=True))
            except CausalToolsError as error:
                readings.append(json.dumps({"error": str(error)}))
        return readings


def signature() -> ModelSignature:
    """Inputs: question, columns, and the data set's name if known. Output: one JSON text a question."""
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, "question"),
                ColSpec(DataType.string, "columns"),
                ColSpec(DataType.string, "dataset", required=False),
            ]
        ),
        outputs=Schema([ColSpec(DataType.string)]),
    )


set_model(AssistantModel())
