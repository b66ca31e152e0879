"""The weights of LoRA adapters: put into a model, read, mixed with those it began with, and kept."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from lm.load import BASE_NOTE


def put_adapter_into(model: Any, adapter: Path) -> None:
    """The weights of an adapter's folder into a model of PEFT with one of the same form."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(adapter / "adapter_model.safetensors"))


def linear_names(model: Any) -> list[str]:
    """Names of the linear modules within the layers, the output head aside."""
    import torch

    linear = {name for name, module in model.get_decoder().named_modules() if isinstance(module, torch.nn.Linear)}
    return sorted({name.rsplit(".", 1)[-1] for name in linear})


def adapter_weights(model: Any) -> dict[str, np.ndarray]:
    """The weights that are trained, by name, in single precision."""
    return {name: p.detach().float().cpu().numpy().copy() for name, p in model.named_parameters() if p.requires_grad}


def mix_in(model: Any, start: dict[str, np.ndarray], share: float) -> None:
    """Move the adapter's weights back towards where they started."""
    import torch

    if share:
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                weight.data.lerp_(torch.from_numpy(start[name]).to(weight), share)


def save_adapter(model: Any, base: str, base_digest: str, recipe: BaseModel, folder: Path) -> Path:
    """Write the adapter, in bfloat16, beside its place, then rename: it is there whole or not at all."""
    import torch
    from safetensors.torch import load_file, save_file

    target, scratch, retired = (
        folder / name for name in ("adapter", f"adapter.{os.getpid()}", f"adapter.{os.getpid()}.old")
    )
    for left in (scratch, retired):  # by a killed process of the same number, as in a container begun anew
        shutil.rmtree(left, ignore_errors=True)
    model.save_pretrained(str(scratch))
    weights = scratch / "adapter_model.safetensors"
    halved = {name: weight.to(torch.bfloat16).contiguous() for name, weight in load_file(weights).items()}
    save_file(halved, weights, metadata={"format": "pt"})
    config = json.loads((scratch / "adapter_config.json").read_text())
    config |= {"base_model_name_or_path": base, "target_modules": sorted(config["target_modules"])}
    (scratch / "adapter_config.json").write_text(
        json.dumps(config, indent=1) + "\n"
    )  # names the base, not a folder of here
    (scratch / "README.md").unlink(missing_ok=True)  # PEFT's form, to be filled in; ours is written when all is known
    (scratch / BASE_NOTE).write_text(
        json.dumps({"base": base, "base_digest": base_digest, "recipe": recipe.model_dump()})
    )
    if target.exists():
        target.rename(retired)
        scratch.rename(target)
        shutil.rmtree(retired)
    else:
        scratch.rename(target)
    return target
