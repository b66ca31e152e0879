"""Tune the shipped adapter to tell the right reading from what is proposed beside it.

First lists of readings are made, by as many processes as there are cores, then the adapter is tuned on them:

python scripts/train_judge.py lists 0 2 lists_0.jsonl & python scripts/train_judge.py lists 1 2 lists_1.jsonl; wait
torchrun --nproc-per-node 2 -- scripts/train_judge.py tune lists_0.jsonl lists_1.jsonl --explanations 60

A run that was killed goes on from its last checkpoint. Topics of the frozen sets are left out, as everywhere, and those that the
nights of profile laptop hold out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import Progress

from assets.profile import read_profile
from lm.places import home
from lm.pointer import SHIPPED_SECOND
from lm.registry import shipped_adapter
from orchestration.settings import PROFILES
from training.grammar.engine import FamilyTask
from training.interpretation import interpretation_corpus
from training.listwise import Choice, Proposal, choices_of
from training.listwise_training import train_judge
from training.queries import QueryItem, make_queries
from training.recipe import ListwiseRecipe
from training.restyling import restyled
from training.second_reader import files_of
from training.test_sets import unseen_topics
from training.topic_library import Topic, load_topics, split_topics
from training.written import load_written

app = typer.Typer(help=__doc__, no_args_is_help=True)
CHOICES = TypeAdapter(list[Choice])
GENERATED = 300  # questions of each task
WRITTEN_PER_GENERATED = 4  # files
SEED = 77


@app.command()
def lists(
    part: Annotated[int, typer.Argument(min=0, help="Which part of the files this process takes, from 0.")],
    parts: Annotated[int, typer.Argument(min=1, help="How many parts there are.")],
    out: Annotated[Path, typer.Argument(help="Where the lists go, a file's questions on a line.")],
    most: Annotated[int | None, typer.Option(help="Files of questions, at most.")] = None,
    seed: Annotated[int, typer.Option(help="Of order, headers and generated questions.")] = SEED,
) -> None:
    """Let the second reader propose readings of training questions, and keep what is hard to tell apart.

    Lines that are there already are not made again.
    """
    done = sum(1 for _ in out.open(encoding="utf-8")) if out.exists() else 0
    files = list(_files(seed))[part::parts][:most]
    console = Console()
    with out.open("a", encoding="utf-8") as lines:
        for number, items in enumerate(files[done:], start=done + 1):
            found = [choice for choice in choices_of(items, [SHIPPED_SECOND]) if choice]
            lines.write(CHOICES.dump_json(found).decode() + "\n")
            lines.flush()
            if number % 20 == 0:
                console.print(f"{number} of {len(files)} files")


@app.command()
def tune(
    made: Annotated[list[Path], typer.Argument(help="Outputs of `lists`.")],
    explanations: Annotated[int, typer.Option(help="Explanations of results that are imitated beside the lists.")] = 60,
    learning_rate: Annotated[float, typer.Option(help="At its height.")] = 4e-4,
    rows: Annotated[
        int, typer.Option(min=1, help="Of each process in a step; questions about a file share a row.")
    ] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="How often each list is seen.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
) -> None:
    """Tune the adapter on lists; it lies in the working folder then, and is shipped by hand once it proved better."""
    if (start := shipped_adapter()) is None:
        raise typer.BadParameter("this copy comes without the adapter to go on from")
    files = [CHOICES.validate_json(line) for path in made for line in path.read_text(encoding="utf-8").splitlines()]
    files = [choices for choices in files if choices] * rounds + [[one] for one in _explained(explanations)]
    first = os.environ.get("RANK", "0") == "0"  # of the processes; it also reports
    console = Console(quiet=not first)
    with Progress(console=Console(stderr=True), disable=not first) as bar:
        line = bar.add_task("training", total=None)

        def report(step: int, steps: int, loss: float) -> None:
            bar.update(line, completed=step, total=steps, description=f"loss {loss:.3f}")
            if not console.is_terminal:
                console.print(f"step {step} of {steps}, loss {loss:.3f}")

        recipe = ListwiseRecipe(learning_rate=learning_rate, rows_of_process=rows, seed=seed)
        adapter = train_judge(files, recipe, start, home() / "work" / "judge" / str(seed), report)
    console.print(f"{sum(map(len, files))} questions; the adapter lies in {adapter}")


def _files(seed: int) -> Iterator[list[QueryItem]]:
    """Questions file by file, in random order and over other headers: every so many by hand, some generated."""
    random = np.random.default_rng(seed)
    topics = _topics()
    by_hand = files_of(load_written())
    generated = files_of(
        [i for task in get_args(FamilyTask) for i in make_queries(task, GENERATED, seed, topics, "train")]
    )
    between = iter(random.permutation(len(generated)))
    for number, place in enumerate(random.permutation(len(by_hand)), start=1):
        yield restyled(by_hand[place], random)
        if number % WRITTEN_PER_GENERATED == 0 and (other := next(between, None)) is not None:
            yield restyled(generated[other], random)


def _explained(count: int) -> list[Choice]:
    """Explanations of results of training questions, as choices of one."""
    if not count:
        return []
    sizes, tasks = read_profile(PROFILES / "laptop.yaml"), [task for task in get_args(FamilyTask) if task != "NONE"]
    items = [i for task in tasks for i in make_queries(task, -(-count // len(tasks)), SEED, _topics(), "train")]
    pairs = interpretation_corpus(items, sizes.interpretation.rows, SEED)
    return [
        Choice(MESSAGES.validate_json(messages), (Proposal(text, (), 0.0, True),))
        for messages, text in zip(pairs["messages"], pairs["completion"], strict=True)
    ]


MESSAGES = TypeAdapter(tuple[dict[str, str], ...])


def _topics() -> tuple[Topic, ...]:
    sizes = read_profile(PROFILES / "laptop.yaml")
    offered = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    return split_topics(offered, sizes.queries.held_out_topics, sizes.seed)[0]


if __name__ == "__main__":
    app()
