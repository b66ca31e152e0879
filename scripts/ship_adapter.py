"""Make a tuned adapter the one that comes with the project: its files into `lm/assistant`, its scores onto its card, and the
second reader inside its folder into `lm/second_reader`.

python scripts/ship_adapter.py .causalsmith/data/assistant_adapter/DIGEST/files written.json unseen.json

The scores are what `causalsmith evaluate SET --json` prints.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from lm.load import BASE_NOTE
from lm.pointer import SHIPPED as READERS
from lm.pointer import pointers_beside
from lm.registry import SHIPPED

LARGEST = 12e6  # bytes
FILES = ("adapter_config.json", "adapter_model.safetensors", BASE_NOTE)
PLACE = "Not scored yet when this card was written; see the evaluation of its version."


def main(
    adapter: Annotated[Path, typer.Argument(help="Folder of the tuned adapter, with its card.")],
    scores: Annotated[list[Path] | None, typer.Argument(help="Outputs of `causalsmith evaluate SET --json`.")] = None,
) -> None:
    """Copy the adapter, and put its scores on the card."""
    weights = adapter / "adapter_model.safetensors"
    if weights.stat().st_size > LARGEST:
        raise typer.BadParameter(
            f"{weights} has {weights.stat().st_size / 1e6:.1f} MB; at most {LARGEST / 1e6:.0f} are shipped"
        )
    card = (adapter / "README.md").read_text(encoding="utf-8")
    if PLACE not in card:
        raise typer.BadParameter(f"{adapter / 'README.md'} has scores already, or is no card of ours")
    tables = [table(json.loads(path.read_text())) for path in scores or ()]
    SHIPPED.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copyfile(adapter / name, SHIPPED / name)
    for folder in pointers_beside(adapter):
        if folder.parent != READERS:
            shutil.copytree(folder, READERS / folder.name, dirs_exist_ok=True)
    (SHIPPED / "README.md").write_text(card.replace(PLACE, "\n\n".join(tables) or PLACE), encoding="utf-8")


def table(told: dict[str, Any]) -> str:
    """One set's scores as Markdown: all fields exact, by task, and the fields."""
    tasks = [name for name in told if name not in ("set", "model", "causal questions", "not causal")]

    def found(part: str, system: str, field: str) -> dict[str, Any]:
        return next(line for line in told[part] if (line["system"], line["field"]) == (system, field))

    systems = list(dict.fromkeys(line["system"] for line in told["causal questions"]))
    head = ["system", "all exact", "95 %", "all soft", "task", *tasks, "refused when not causal"]
    lines = [head, ["---"] * len(head)]
    for system in systems:
        whole = found("causal questions", system, "all")
        cells = [
            system,
            f"{whole['share']:.3f} ({whole['right']} of {whole['questions']})",
            f"{whole['low']:.2f} to {whole['high']:.2f}",
            *(f"{found('causal questions', system, field)['share']:.3f}" for field in ("all, soft", "task")),
        ]
        parts = [found(task, system, "all") for task in tasks]
        if "not causal" in told:
            parts.append(found("not causal", system, "all"))
        lines.append([*cells, *(f"{part['right']} of {part['questions']}" for part in parts)])
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return (
        f"Set `{told['set']}`, causal questions, all fields exactly right (95 % intervals by bootstrap over topics or data sets; "
        f"`causalsmith evaluate {told['set']}`):\n\n{rows}"
    )


if __name__ == "__main__":
    typer.run(main)
