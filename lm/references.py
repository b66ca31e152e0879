"""How a language model is named: one short text, read into a kind and a location."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lm.bundled import BUNDLED
from lm.errors import ModelNotFound
from lm.tiny import TINY

ASSISTANT = "assistant"
Kind = Literal["bundled", "tiny", "hub", "mlflow", "assistant", "directory"]
FORMS = f"'{BUNDLED}', '{TINY}', '{ASSISTANT}', 'hf:org/name', 'models:/name@alias', or a directory with a saved model"


@dataclass(frozen=True)
class ModelReference:
    """Where a model is to be found."""

    kind: Kind
    location: str


def parse_reference(text: str) -> ModelReference:
    """Read a model's name.

    Raises:
        ModelNotFound: the text is in no known form, or names a directory that is not there.
    """
    if text in (BUNDLED, TINY, ASSISTANT):
        kinds: dict[str, Kind] = {BUNDLED: "bundled", TINY: "tiny", ASSISTANT: "assistant"}
        return ModelReference(kinds[text], text)
    if text.startswith("hf:") and text.removeprefix("hf:").strip():
        return ModelReference("hub", text.removeprefix("hf:"))
    if text.startswith("models:/"):
        return ModelReference("mlflow", text)
    if text and Path(text).is_dir():
        return ModelReference("directory", text)
    raise ModelNotFound(f"no language model {text!r}. A model is named by {FORMS}.")
