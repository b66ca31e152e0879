"""The card of a tuned adapter: what it is, what it was made from and how, how well it does, and what it is not for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lm.load import BASE_NOTE


def write_model_card(
    adapter: Path, variant: str, corpora: Mapping[str, str], training: Mapping[str, Any], scores: str = ""
) -> Path:
    """Write ``README.md`` into an adapter's folder; returns its path.

    Args:
        adapter: folder of the adapter, with its note on base and recipe.
        variant: retrieve, interpret or mixed.
        corpora: digests by name of the corpus.
        training: figures of the run (examples, tokens, seconds, last loss, ...).
        scores: a Markdown table, where there is one.
    """
    note = json.loads((adapter / BASE_NOTE).read_text())
    header = {"library_name": "peft", "license": "apache-2.0", "language": ["en"], "base_model": note["base"]}
    size = (adapter / "adapter_model.safetensors").stat().st_size
    lines = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}---",
        f"# Causalsmith assistant, {variant}\n",
        "A LoRA adapter that reads a causal question about a data file into a structured query"
        + (", and words the result of the causal tool" if variant != "retrieve" else "")
        + ". The columns and values of a reading come from closed lists, and every wording is checked against the result, so "
        "use it through `causal_tools.Assistant` (or `causalsmith ask`), not for free chat.\n",
        "| | |\n|---|---|",
        f"| base | {note['base']}, weights {note['base_digest']} |",
        f"| weights | {size / 1e6:.1f} MB, bfloat16, safetensors |",
        *(f"| {name} | digest {digest} |" for name, digest in corpora.items()),
        *(f"| {name.replace('_', ' ')} | {_figure(value)} |" for name, value in training.items()),
        "\n## Recipe\n",
        f"```yaml\n{yaml.safe_dump(note['recipe'], sort_keys=False)}```",
        "\n## Scores\n",
        scores or "Not scored yet when this card was written; see the evaluation of its version.",
        "\n## Limits\n",
        "English questions about one table. Files of more than 60 columns are offered in part. A question may be misread: the "
        "reading is shown before anything runs, and can be corrected. What a causal tool concludes rests on its assumptions, "
        "which the answer states; the adapter judges none of them.\n",
    ]
    path = adapter / "README.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
