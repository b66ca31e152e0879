"""One function that loads a language model from wherever it is, with a LoRA adapter where there is one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lm.bundled import BUNDLED, bundled_directory
from lm.errors import ModelNotFound
from lm.model import LanguageModel
from lm.references import ModelReference, parse_reference
from lm.registry import (
    ADAPTER_FILE,
    ASSISTANT_MODEL,
    MODEL_FILE,
    adapter_in,
    find_assistant,
    find_registered,
    require_model,
)
from lm.tiny import TINY, tiny_model

BASE_NOTE = "base_model.json"  # beside an adapter: which model it was trained on, as a reference of ours


def load_language_model(
    reference: str = BUNDLED, *, adapter: str | Path | None = None, device: str | None = None, dtype: str | None = None
) -> LanguageModel:
    """Load a language model.

    Args:
        reference: ``smollm2-135m`` (comes with the project), ``tiny`` (random weights, for tests), ``hf:org/name``, a
            directory that holds a saved model or an adapter, ``models:/name@alias`` (MLflow), or ``assistant``: the champion of
            the registry, else the adapter that comes with the project.
        adapter: folder of a LoRA adapter to put on top.
        device: ``cpu``, ``cuda``, …; an accelerator where there is one, by default.
        dtype: ``float32``, ``bfloat16``, …; by default float32 on a CPU and bfloat16 on an accelerator.

    Returns:
        The model in evaluation mode; what was chosen is told by ``.describe()``.

    Raises:
        ModelNotFound: the reference or adapter leads nowhere.
    """
    source = parse_reference(reference)
    if source.kind in ("mlflow", "assistant", "directory"):
        folder, name = _folder_of(source)
        inner = adapter_in(folder) if not (folder / MODEL_FILE).exists() else None
        if inner is not None:
            return _named(
                load_language_model(base_of(inner), adapter=adapter or inner, device=device, dtype=dtype), name
            )
    else:
        folder, name = None, reference
    model, tokenizer = _load_weights(source, folder, device, dtype)
    if adapter is not None:
        model = with_adapter(model, Path(adapter))
    return LanguageModel(name=name, model=model.eval(), tokenizer=tokenizer, adapter=Path(adapter) if adapter else None)


def base_of(adapter: Path) -> str:
    """The reference of the model that an adapter was trained on.

    Raises:
        ModelNotFound: the folder is no adapter, or does not say.
    """
    note = adapter / BASE_NOTE
    if note.exists():
        return str(json.loads(note.read_text())["base"])
    config = adapter / ADAPTER_FILE
    if not config.exists():
        raise ModelNotFound(f"{adapter} holds no LoRA adapter: {ADAPTER_FILE} is missing")
    base = json.loads(config.read_text()).get("base_model_name_or_path") or ""
    if Path(base).is_dir():
        return str(base)
    raise ModelNotFound(
        f'the adapter {adapter} does not say which model it belongs to; add {BASE_NOTE} with {{"base": …}}'
    )


def weights_version(reference: str) -> str:
    """What tells a model's weights from others under the same name, without loading them.

    Of the bundled model the package's version; of a folder or a registered version a digest of its files; of a hub model the
    commit that would be loaded.

    Raises:
        ModelNotFound: the reference leads nowhere.
    """
    source = parse_reference(reference)
    if source.kind == "bundled":
        return bundled_directory().name
    if source.kind == "tiny":
        return TINY
    if source.kind == "hub":
        from transformers import AutoConfig

        try:
            commit = AutoConfig.from_pretrained(source.location)._commit_hash
        except (OSError, ValueError) as error:
            raise ModelNotFound(f"no usable language model at {source.location!r}: {error}") from None
        return f"{source.location}@{commit}"
    digest = hashlib.sha256()
    folder, _ = _folder_of(source)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(
                f"{path.relative_to(folder).as_posix()} {hashlib.file_digest(file, 'sha256').hexdigest()}".encode()
            )
    return digest.hexdigest()


def _folder_of(source: ModelReference) -> tuple[Path, str]:
    """The folder that a reference leads to, which holds a model, and what the model is called."""
    if source.kind == "directory":
        folder, name = Path(source.location), source.location
    elif source.kind == "mlflow":
        folder, name = find_registered(source.location).folder, source.location
    else:
        found = find_assistant()
        if found is None:
            raise ModelNotFound(
                f"there is no tuned assistant ({ASSISTANT_MODEL} has no champion, and none comes with this copy): run `make "
                f"demo`, or name a model, such as --model {BUNDLED}"
            )
        told = f"version {found.version} ({found.alias})" if found.alias else found.version
        folder, name = found.folder, f"{found.name} {told}"
    require_model(folder)
    return folder, name


def _named(lm: LanguageModel, name: str) -> LanguageModel:
    lm.name = f"{name} on {lm.name}"
    return lm


def _load_weights(
    source: ModelReference, folder: Path | None, device: str | None, dtype: str | None
) -> tuple[Any, Any]:
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    number_type = getattr(torch, dtype or ("float32" if device == "cpu" else "bfloat16"))
    if source.kind == TINY:
        model, tokenizer = tiny_model()
        return model.to(device=device, dtype=number_type), tokenizer

    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    place = str(bundled_directory()) if source.kind == "bundled" else str(folder or source.location)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=number_type).to(device)
    except (OSError, ValueError) as error:
        raise ModelNotFound(f"no usable language model at {source.location!r}: {error}") from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def with_adapter(model: Any, adapter: Path) -> Any:
    """A model with the LoRA adapter of a folder merged into its weights.

    Raises:
        ModelNotFound: the folder holds none.
    """
    from peft import PeftModel

    if not (adapter / ADAPTER_FILE).exists():
        raise ModelNotFound(f"{adapter} holds no LoRA adapter: {ADAPTER_FILE} is missing")
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()  # merged, it is as fast as the base
