"""Compare third readers, each beside the second, on questions that none of them was tuned on: signs alone, no judge.

``python -m scripts.compare_readers lm/third_reader OTHER --written 't_1[4-8]' --written 'u_1[3-6]'`` reads the set for choosing,
some of the written questions in these files, and generated ones over held-out topics and families. Which files a reader has
not been tuned on, ``docs/trials.md`` says. The frozen sets are not looked at.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from causal_tools.reading_search import Asked, proposed_readings, ranked
from causal_tools.reading_weights import Weights
from lm.pointer import SHIPPED_SECOND
from scripts.fit_reading_weights import held_out_questions
from training.listwise import is_right
from training.queries import QueryItem
from training.reader_labels import plain_question
from training.test_sets import load_test_set
from training.written import FOLDER, read_written

AT_ONCE = 24  # questions read side by side


def main(
    thirds: Annotated[
        list[Path], typer.Argument(help="Folders of third readers; the first is what others stand beside.")
    ],
    second: Annotated[Path, typer.Option(help="Folder of the second reader.")] = SHIPPED_SECOND,
    written: Annotated[
        list[str] | None, typer.Option(help="Pattern of files of written questions, as 'u_1[3-6]'; may be repeated.")
    ] = None,
    sample: Annotated[int, typer.Option(help="Questions, drawn at random, of each pattern.")] = 160,
    generated: Annotated[int, typer.Option(help="Generated questions of each task.")] = 20,
    seed: Annotated[int, typer.Option(help="Of which questions are drawn.")] = 61,
    out: Annotated[Path | None, typer.Option(help="Where what was found is kept as JSON.")] = None,
) -> None:
    """Read all with each, and count what is right, and what is right with one of two readers only."""
    sets = {"development": list(load_test_set("development"))}
    for pattern in written or ():
        items = [item for path in sorted(FOLDER.glob(f"{pattern}.yaml")) for item in read_written(path)]
        sets[pattern] = random.Random(seed).sample(items, min(sample, len(items)))
    sets["generated"] = held_out_questions(generated)
    table = Table("third reader", *(f"{name} ({len(items)})" for name, items in sets.items()), "gained", "lost")
    kept: list[dict[str, object]] = []
    first: np.ndarray | None = None
    for third in thirds:
        right, cells = [], []
        for name, items in sets.items():
            outcomes = _outcomes(items, [second, third], f"{third}: {name}")
            firsts, found = np.array(outcomes).T
            cells.append(f"{firsts.sum()} (found {found.sum()})")
            right.append(firsts)
            kept += [
                {"reader": str(third), "set": name, "question": item.question, "right": one, "found": there}
                for item, (one, there) in zip(items, outcomes, strict=True)
            ]
        together = np.concatenate(right)
        first = together if first is None else first
        table.add_row(str(third), *cells, str((together & ~first).sum()), str((first & ~together).sum()))
    Console().print(table)
    if out:
        out.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


def _outcomes(items: list[QueryItem], readers: list[Path], told: str) -> list[tuple[bool, bool]]:
    """By question, whether the reading that comes first is right, and whether one of those found is."""
    weights, outcomes = Weights(), []
    for begin in track(range(0, len(items), AT_ONCE), told):
        part = items[begin : begin + AT_ONCE]
        asked = [Asked(plain_question(item), item.columns, levels=item.levels) for item in part]
        for item, drafts in zip(part, proposed_readings(asked, weights, readers), strict=True):
            right = [is_right(item, draft) for draft in ranked(drafts, weights)]
            outcomes.append((bool(right and right[0]), any(right)))
    return outcomes


if __name__ == "__main__":
    typer.run(main)
