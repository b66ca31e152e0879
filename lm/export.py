"""A loaded model as files that other software opens: the merged weights, or the adapter alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Literal

from lm.errors import LanguageModelError
from lm.model import LanguageModel

Form = Literal["merged", "adapter"]


def export_model(lm: LanguageModel, folder: Path, form: Form = "merged") -> Path:
    """Write a model into a new folder, whole or not at all.

    Args:
        lm: the model; with an adapter, its weights hold the adapter already.
        folder: must not be there, or be empty.
        form: ``merged``: safetensors, configuration and tokenizer, as transformers, vLLM and others load them; ``adapter``:
            the LoRA adapter's files, and its second reader where it has its own.

    Raises:
        LanguageModelError: the folder has files in it, or the model has no adapter to export.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LanguageModelError(f"{folder} is there already; name a new folder")
    if form == "adapter" and lm.adapter is None:
        raise LanguageModelError(f"{lm.name} has no adapter; export it merged")
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        if form == "adapter" and lm.adapter is not None:
            shutil.copytree(lm.adapter, scratch)
        else:
            lm.model.save_pretrained(str(scratch))
            lm.tokenizer.save_pretrained(str(scratch))
            told = {"model": lm.name, "weights": lm.digest, "dtype": lm.dtype}
            (scratch / "causalsmith.json").write_text(json.dumps(told, indent=1) + "\n")
        if folder.exists():
            folder.rmdir()
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return folder
