"""A corpus as a folder that ``datasets.load_dataset`` opens: Parquet and JSON lines a split, and a card that describes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from training.digests import frame_digest

CORPUS_VERSION = "2.0.0"  # first number: the form of a row; second: its making; third: wording of the card
ROWS_SHOWN = 3


def publish_corpus(frame: pd.DataFrame, name: str, purpose: str, facts: Mapping[str, Any], folder: Path) -> Path:
    """Write a corpus and its card into a folder.

    Args:
        frame: the corpus; rows with a ``split`` go into files of their own, without it all rows are ``train``.
        name: title of the card.
        purpose: a sentence or two on what the corpus is for.
        facts: lines of the card's table (seed, sizes, sources, ...).
        folder: is made; files of the same names are replaced.

    Returns:
        The folder, for ``datasets.load_dataset(str(folder))``; the same as JSON lines is in ``folder / "jsonl"``.
    """
    lines = folder / "jsonl"
    lines.mkdir(parents=True, exist_ok=True)
    splits = (
        {str(side): rows for side, rows in frame.groupby("split", sort=False)} if "split" in frame else {"train": frame}
    )
    for side, rows in splits.items():
        rows = rows.reset_index(drop=True)
        rows.to_parquet(folder / f"{side}.parquet", index=False)
        rows.to_json(lines / f"{side}.jsonl", orient="records", lines=True, force_ascii=False)
    (folder / "README.md").write_text(
        _header(name, splits, "parquet") + _card(frame, splits, name, purpose, facts), encoding="utf-8"
    )
    (lines / "README.md").write_text(
        _header(name, splits, "jsonl") + "\nThe card is one folder up.\n", encoding="utf-8"
    )
    return folder


def _header(name: str, splits: Mapping[str, pd.DataFrame], ending: str) -> str:
    """What ``datasets`` reads of a card: which file is which split."""
    files = [{"split": side, "path": f"{side}.{ending}"} for side in splits]
    configs = [{"config_name": "default", "data_files": files}]
    header = {"pretty_name": name, "language": ["en"], "license": "apache-2.0", "configs": configs}
    return f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n"


def _card(
    frame: pd.DataFrame, splits: Mapping[str, pd.DataFrame], name: str, purpose: str, facts: Mapping[str, Any]
) -> str:
    table = {"version": CORPUS_VERSION, "digest": frame_digest(frame), **facts}
    counts = pd.DataFrame(
        {side: rows["task"].value_counts() for side, rows in splits.items()} if "task" in frame else {}
    ).fillna(0)
    examples = frame.head(ROWS_SHOWN)
    return "\n".join(
        [
            f"# {name}\n",
            f"{purpose}\n",
            "| | |\n|---|---|",
            *(f"| {key} | {value} |" for key, value in table.items()),
            "\n## Rows by task\n",
            counts.astype(int).to_markdown(),
            "\n## Fields\n",
            ", ".join(f"`{column}`" for column in frame.columns),
            "\nLists and mappings are JSON text. `messages` and `completion` are what a model is tuned on.",
            "\n## Examples\n",
            *(f"- {row['question']}\n  → `{str(row['completion'])[:300]}`" for _, row in examples.iterrows()),
            "",
        ]
    )
