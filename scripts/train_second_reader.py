"""Tune readers on all questions for training, and put their mean where it ships: ``lm/second_reader``, ``lm/third_reader``.

``torchrun --nproc-per-node 2 -- scripts/train_second_reader.py --third`` shares a run out among processes, which pays where one
does not keep all cores busy. A run that was killed goes on from its last checkpoint. Topics of the frozen sets are left out, as
everywhere, and those that the nights of profile laptop hold out.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from assets.profile import read_profile
from lm.places import home
from lm.pointer import SHIPPED_SECOND, SHIPPED_THIRD, load_pointer
from lm.pointer_weights import average_pointers
from lm.registry import shipped_adapter
from orchestration.settings import PROFILES
from training.grammar.engine import FamilyTask
from training.queries import QueryItem, make_queries
from training.recipe import SecondReaderRecipe
from training.second_reader import reader_matches, train_second_reader
from training.test_sets import load_test_set, unseen_topics
from training.topic_library import load_topics, split_topics
from training.written import FOLDER as WRITTEN
from training.written import load_written, read_written


def main(
    third: Annotated[
        bool,
        typer.Option(help="The reader by the language model, begun from its adapter; else by the sentence encoder."),
    ] = False,
    repeats: Annotated[int, typer.Option(help="How often each question worded by hand is read.")] = 5,
    generated: Annotated[int, typer.Option(help="Generated questions of each task.")] = 1000,
    rank: Annotated[int, typer.Option(help="Of what is kept.")] = 48,
    batch_tokens: Annotated[int, typer.Option(help="Of a batch, padding included.")] = 2600,
    learning_rate: Annotated[float, typer.Option(help="Of the encoder, at its height.")] = 3e-4,
    head_learning_rate: Annotated[float, typer.Option(help="Of the heads, at its height.")] = 2e-3,
    start: Annotated[
        Path | None,
        typer.Option(help="Folder of a reader to go on from, as lm/second_reader; else as it is bundled."),
    ] = None,
    readers: Annotated[
        int, typer.Option(min=1, help="How many are tuned, by other orders and headers, and averaged; with --start.")
    ] = 1,
    steps: Annotated[int | None, typer.Option(help="Batches, at most, of each.")] = None,
    compiled: Annotated[
        bool, typer.Option(help="Translate the third reader's layers first: needs a C++ compiler, pays in long runs.")
    ] = False,
    again: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of files of written questions, as 's_*', that are read once more; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of order, headers and generated questions.")] = 1,
    ship: Annotated[bool, typer.Option(help="Put it into lm/second_reader, or lm/third_reader.")] = True,
) -> None:
    """Tune, score on the sets for choosing, and ship."""
    if compiled and not third:
        raise typer.BadParameter("--compiled is for the --third reader")
    if readers > 1 and start is None:
        raise typer.BadParameter("readers that begin apart have no mean: give them one --start")
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "96")  # rows of ever other lengths: the kernels kept for each would fill the memory
    sizes = read_profile(PROFILES / "laptop.yaml")
    offered = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    topics, _ = split_topics(offered, sizes.queries.held_out_topics, sizes.seed)
    adapter, ships = (shipped_adapter(), SHIPPED_THIRD) if third else (None, SHIPPED_SECOND)
    first = os.environ.get("RANK", "0") == "0"  # of the processes; it also reports, scores and ships
    by_hand = [*load_written(), *_again(again or [])]
    work, console = home() / "work" / ships.name, Console(quiet=not first)
    folders = []
    for number in range(seed, seed + readers):
        recipe = SecondReaderRecipe(
            encoder="language model" if third else "sentences",
            batch_tokens=batch_tokens,
            repeats=repeats,
            rank=rank,
            learning_rate=learning_rate,
            head_learning_rate=head_learning_rate,
            most_steps=steps,
            compiled=compiled,
            seed=number,
        )
        made = [i for task in get_args(FamilyTask) for i in make_queries(task, generated, number, topics, "train")]
        with Progress(console=Console(stderr=True), disable=not first) as bar:
            line = bar.add_task("training", total=None)

            def report(
                step: int, steps: int, loss: float, number: int = number, bar: Progress = bar, line: TaskID = line
            ) -> None:
                bar.update(line, completed=step, total=steps, description=f"reader {number}, loss {loss:.3f}")
                if not console.is_terminal:
                    console.print(f"reader {number}: step {step} of {steps}, loss {loss:.3f}")

            trained = train_second_reader(by_hand, made, recipe, work / str(number), report, start, adapter)
        console.print(
            f"{trained.questions} questions, {trained.steps} steps, {trained.seconds:.0f} s from step {trained.resumed_at}"
        )
        folders.append(trained.folder)
    if not first:
        return
    average_pointers(folders, rank, work / "reader")
    pointer = load_pointer(work / "reader")
    table = Table("set", "questions", "task right", "task and columns right")
    for name in ("development", "tuning"):
        found = reader_matches(pointer, load_test_set(name))
        table.add_row(name, str(len(found)), f"{found['task_right'].mean():.3f}", f"{found['all_right'].mean():.3f}")
    console.print(table)
    if ship:
        shutil.copytree(work / "reader", ships, dirs_exist_ok=True)
        size = sum(path.stat().st_size for path in Path(ships).iterdir())
        console.print(f"shipped: {ships} ({size / 1e6:.1f} MB)")


def _again(patterns: list[str]) -> list[QueryItem]:
    """The written questions of some files once more, as of other files, so that their headers are written otherwise."""
    return [
        item.model_copy(update={"topic": f"{item.topic} (again, {number})"})
        for number, pattern in enumerate(patterns, start=1)
        for path in sorted(WRITTEN.glob(f"{pattern}.yaml"))
        for item in read_written(path)
    ]


if __name__ == "__main__":
    typer.run(main)
