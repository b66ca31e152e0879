"""The command line on evaluation: how well a model reads the frozen held-out sets, beside baselines."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from orchestration.faults import clear_errors, print_json, quiet
from orchestration.outputs import require_file, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.queries import QueryItem

GENERATED_FOR_BASELINES = 100  # training questions a task, beside the written ones


def evaluate(
    of: Annotated[
        Literal["unseen", "written", "development", "tuning", "fresh"],
        typer.Argument(
            help="unseen: generated, 100 a task. written: by hand, 30 a task. development: for choosing models. "
            "tuning: for fitting weights. "
            "fresh: by hand, 40 a task, not yet chosen on."
        ),
    ] = "written",
    model: Annotated[str, typer.Option("--model", "-m", help="Language model, as for `ask`.")] = "assistant",
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="What reads: assistant, without header, free generation, untuned, nearest question, majority. Repeat it; "
            "by default the assistant and the two baselines without a model."
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Take every so-manieth question alone, for a quick look.")] = 1,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Have the assistant answer too, each question on a simulated file of its own."),
    ] = False,
    explanations: Annotated[
        bool,
        typer.Option(
            "--explanations",
            help="Have the model, tuned and not, explain true results; judge what it writes, unchecked.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Also write every reading (answer, explanation) into this Parquet file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Read a frozen held-out set, and count what is exactly right, with 95 % intervals (bootstrap over topics).

    With `--answers` the assistant is asked about simulated files whose true answer is known (of `unseen` alone: the other
    sets have headers without a law): how often an answer is delivered, to the right question, and true. With `--explanations`
    the model explains such results in its own words, which the assistant would check before it showed them: how often nothing
    is invented, nothing left out, and the text fluent.

    Examples: `causalsmith evaluate written --system assistant --system untuned`,
    `causalsmith evaluate unseen --answers --every 4`,
    `causalsmith evaluate unseen --explanations --every 10`
    """
    with clear_errors():
        quiet()
        from causal_tools.errors import QueryError
        from lm import load_language_model
        from training.evaluation import System, compare_systems
        from training.metrics import score_table
        from training.test_sets import load_test_set

        chosen: Any = tuple(dict.fromkeys(system or ("assistant", "nearest question", "majority")))
        if strange := [name for name in chosen if name not in get_args(System)]:
            raise QueryError(f"no system {strange[0]!r}; there are: {', '.join(get_args(System))}")
        if out is not None:
            require_file(out, "--out", ".parquet")
        items = load_test_set(of)[::every]
        if answers or explanations:
            asked_for = "--answers" if answers else "--explanations"
            if system or (answers and explanations):
                raise QueryError(f"{asked_for} is of the assistant alone, and by itself; leave the other options out")
            if of != "unseen":
                raise QueryError(
                    f"{asked_for} needs questions whose files can be simulated: evaluate unseen {asked_for}"
                )
            asked = [item for item in items if item.query is not None]
            (_evaluate_answers if answers else _evaluate_explanations)(model, asked, out, as_json)
            return
        needed = set(chosen) - {"nearest question", "majority"}
        lm = load_language_model(model) if needed else None
        with Progress(console=Console(file=sys.stderr), transient=True) as bar:
            lines = {name: bar.add_task(name, total=len(items)) for name in chosen}
            predictions = compare_systems(
                lm, items, _training_questions(), chosen, lambda name, done, _: bar.update(lines[name], completed=done)
            )
        causal = predictions[predictions["task"] != "NONE"]
        parts = {"causal questions": causal, "not causal": predictions[predictions["task"] == "NONE"]}
        scores = {name: score_table(part, chosen) for name, part in parts.items() if len(part)}
        by_task = {str(task): score_table(part, chosen) for task, part in causal.groupby("task")}
        if out is not None:
            import json

            texts = predictions.assign(**{n: predictions[n].map(json.dumps) for n in ("query", *chosen)})
            write_table(out, texts, {"set": of, "model": lm.describe() if lm else None})
        if as_json:
            tables = {**scores, **by_task}
            print_json(
                {"set": of, "model": lm.describe() if lm else None}
                | {n: t.to_dict("records") for n, t in tables.items()}
            )
            return
        typer.echo(
            f"{len(predictions)} questions of the set {of!r}, read by {lm.describe() if lm else 'baselines alone'}"
        )
        for name, table in scores.items():
            Console().print(_shown(name, table))
        Console().print(_tasks(by_task))


def _evaluate_answers(model: str, causal: "Sequence[QueryItem]", out: Path | None, as_json: bool) -> None:
    from causal_tools import Assistant
    from lm import load_language_model
    from training.end_to_end import answer_questions
    from training.metrics import cluster_interval

    lm = load_language_model(model)
    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        line = bar.add_task("answering", total=len(causal))
        found = answer_questions(Assistant(lm), causal, report=lambda done, _: bar.update(line, completed=done))
    if out is not None:
        write_table(out, found, {"set": "unseen", "model": lm.describe()})
    figures = {}
    for name in ("delivered", "relevant", "correct", "tool_correct"):
        low, high = cluster_interval(found[name].to_numpy(float), found["topic"].to_numpy())
        figures[name] = {"share": float(found[name].mean()), "low": low, "high": high, "questions": len(found)}
    if as_json:
        print_json({"set": "unseen", "model": lm.describe(), **figures})
        return
    typer.echo(f"{len(found)} questions of the set 'unseen', answered by {lm.describe()} on simulated files")
    table = Table("of the answers", "all", "95 %", *found["task"].unique())
    for name, figure in figures.items():
        by_task = found.groupby("task", sort=False)[name]
        table.add_row(
            name.replace("tool_", "by the tool alone, "),
            f"{figure['share']:.3f}",
            f"{figure['low']:.2f} to {figure['high']:.2f}",
            *(f"{right.sum()} of {len(right)}" for _, right in by_task),
        )
    Console().print(table)
    for reason, count in found.loc[~found["delivered"], "reason"].str.partition(":")[0].value_counts().items():
        typer.echo(f"Not delivered: {count} with {reason}")


def _evaluate_explanations(model: str, causal: "Sequence[QueryItem]", out: Path | None, as_json: bool) -> None:
    from lm import load_language_model
    from lm.bundled import BUNDLED
    from training.explaining import explain_results
    from training.metrics import cluster_interval

    lm = load_language_model(model)
    systems = {model: lm} | ({} if lm.adapter is None else {BUNDLED: load_language_model(BUNDLED)})
    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        line = bar.add_task("explaining", total=len(causal) * len(systems))
        found = explain_results(
            systems, causal, report=lambda done, every: bar.update(line, completed=done, total=every)
        )
    if out is not None:
        write_table(out, found, {"set": "unseen", "model": lm.describe()})
    rubric = ("faithful", "complete", "fluent")
    figures: list[dict[str, Any]] = []
    for system, part in found.groupby("system", sort=False):
        for name in rubric:
            low, high = cluster_interval(part[name].to_numpy(float), part["topic"].to_numpy())
            figures.append(
                {"system": str(system), "rubric": name, "share": float(part[name].mean()), "low": low, "high": high}
            )
    if as_json:
        print_json({"set": "unseen", "results": int(found["id"].nunique()), "explanations": figures})
        return
    typer.echo(f"{found['id'].nunique()} results of the set 'unseen', explained in the models' own words, unchecked")
    table = Table("explanations", *(f"{name}, 95 %" for name in rubric))
    for start in range(0, len(figures), len(rubric)):
        own = figures[start : start + len(rubric)]
        table.add_row(own[0]["system"], *(f"{f['share']:.3f}, {f['low']:.2f} to {f['high']:.2f}" for f in own))
    Console().print(table)


def _training_questions() -> "list[QueryItem]":
    """What the baselines without a model know: written questions, and generated ones of topics outside the frozen set."""
    from training.queries import make_queries
    from training.test_sets import unseen_topics
    from training.topic_library import load_topics
    from training.written import load_written

    topics = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    tasks: Any = ("CGL", "ATE", "HTE", "MA", "OPO", "NONE")
    return [
        *load_written(),
        *(item for task in tasks for item in make_queries(task, GENERATED_FOR_BASELINES, 0, topics)),
    ]


def _shown(name: str, scores: Any) -> Table:
    fields = [field for field in scores["field"].unique() if field not in ("all", "all, soft")]
    table = Table("system", "all exact", "95 %", "all soft", *fields, title=name, title_justify="left")
    for system, part in scores.groupby("system", sort=False):
        rows = part.set_index("field")
        whole = rows.loc["all"]
        table.add_row(
            str(system),
            f"{whole['share']:.3f} ({whole['right']} of {whole['questions']})",
            f"{whole['low']:.2f} to {whole['high']:.2f}",
            f"{rows.loc['all, soft', 'share']:.3f}",
            *(f"{rows.loc[field, 'share']:.2f}" for field in fields),
        )
    return table


def _tasks(by_task: dict[str, Any]) -> Table:
    table = Table("system", *by_task, title="all fields exact, by task", title_justify="left")
    for system in next(iter(by_task.values()))["system"].unique():
        cells = []
        for scores in by_task.values():
            row = scores[(scores["system"] == system) & (scores["field"] == "all")].iloc[0]
            cells.append(f"{row['right']} of {row['questions']}")
        table.add_row(str(system), *cells)
    return table
