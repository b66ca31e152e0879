"""The command line: ask, parse, sample, scenarios."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="causalsmith",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Causal questions about data files, answered with checkable evidence; "
    "and data from language models whose true effects are known.",
)
_MODEL_HELP = (
    "Language model: `assistant` (the tuned champion), `smollm2-135m`, `hf:org/name`, `models:/name@alias`, or a folder. "
    "By default the assistant, or the untuned bundled model where none has been tuned yet."
)
Model = Annotated[str | None, typer.Option("--model", "-m", help=_MODEL_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Data = Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or Excel file with a header line.", show_default=False)]
Question = Annotated[
    str, typer.Argument(help='The question, in quotes: "How does tutoring affect grade?"', show_default=False)
]


@app.command()
def ask(
    data: Data,
    question: Question,
    as_json: AsJson = False,
    model: Model = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw the result into this PNG file.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of cross-fitting and resampling.")] = 0,
) -> None:
    """Answer a causal question about a data file: parse it, run the causal tool, explain the numbers.

    Five kinds of question: the causal graph of the columns (CGL), an average effect (ATE), an effect where a condition holds
    (HTE), how much of an effect runs through a mediator (MA), and which action is best (OPO).

    Example: `causalsmith ask trial.csv "What is the effect of drug on pain?"`
    """
    with _clear_errors():
        from causal_tools import Assistant
        from causal_tools.data import read_table

        table = read_table(data)
        _require_question(question)
        lm = _load(model)
        answer = Assistant(lm).ask(table, question, seed=seed)
        if plot is not None:
            from causal_tools.plots import plot_result

            plot_result(answer.result, plot)
        if as_json:
            _print_json(
                {
                    "query": answer.query.model_dump(mode="json", exclude_none=True),
                    "result": answer.result.model_dump(mode="json"),
                    "explanation": answer.explanation,
                    "worded_by": answer.worded_by,
                    "model": lm.describe(),
                    "confidence": answer.reading.confidence,
                    "notes": answer.notes,
                }
            )
            return
        typer.echo(f"Model     {lm.describe()}")
        typer.echo(f"Reading   {_reading_line(answer.query)}")
        typer.echo(f"Method    {answer.result.method}\n")
        typer.echo(answer.explanation)
        for warning in [*answer.result.warnings, *answer.notes]:
            typer.echo(f"Note: {warning}")


@app.command()
def parse(
    question: Question,
    data: Annotated[Path, typer.Option("--data", "-d", help="The data file; only its header and levels are used.")],
    as_json: AsJson = False,
    model: Model = None,
) -> None:
    """Show how a question is read, and run nothing.

    Example: `causalsmith parse "What is the effect of drug on pain?" --data trial.csv`
    """
    with _clear_errors():
        from causal_tools import Assistant
        from causal_tools.assistant import known_levels
        from causal_tools.data import read_table

        table = read_table(data)
        _require_question(question)
        lm = _load(model)
        reading = Assistant(lm).read(
            question, [str(name) for name in table.frame.columns], table.name, known_levels(table)
        )
        if as_json:
            _print_json(
                {
                    "query": reading.query.model_dump(mode="json", exclude_none=True),
                    "confidence": reading.confidence,
                    "model": lm.describe(),
                    "notes": reading.notes,
                }
            )
            return
        typer.echo(f"Model     {lm.describe()}")
        typer.echo(f"Reading   {_reading_line(reading.query)}")
        typer.echo("Sure of   " + ", ".join(f"{slot} {share:.0%}" for slot, share in reading.confidence.items()))


@app.command()
def sample(
    scenario: Annotated[
        str,
        typer.Argument(help="Name of a scenario (see `causalsmith scenarios`), or a YAML file.", show_default=False),
    ],
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same units, with and without --do.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    lm: Annotated[str, typer.Option(help="Language model whose beliefs are sampled.")] = "smollm2-135m",
    do: Annotated[
        list[str] | None, typer.Option(help="Pin a variable: NAME=LEVEL. May be given several times.")
    ] = None,
    phrasing: Annotated[int, typer.Option(min=0, help="Which draw of phrasings.")] = 0,
    rule: Annotated[Literal["sum", "mean", "pmi"], typer.Option(help="Scoring rule.")] = "sum",
) -> None:
    """Draw rows from a scenario, with a language model as the structural causal model.

    Example: `causalsmith sample tutoring --rows 1000 --seed 0 --do tutoring=yes --out tutored.parquet`
    """
    with _clear_errors():
        from assets.storage import LocalBlobs
        from lm import load_language_model
        from sdscm import ScenarioError, SequenceSCM, load_scenario

        if out.suffix != ".parquet":
            raise ScenarioError(f"--out must end in .parquet; given {out.name}")
        if not out.absolute().parent.is_dir():
            raise ScenarioError(f"the folder {out.absolute().parent} does not exist")
        chosen = load_scenario(scenario, phrasing)
        pinned = dict(_pin(text) for text in do or [])
        for name, level in pinned.items():
            if level not in chosen[name].levels:
                raise ScenarioError(
                    f"variable {name!r} has no level {level!r}; it has: {', '.join(chosen[name].levels)}"
                )
        model = load_language_model(lm)
        scm = SequenceSCM(chosen, model, rule)
        drawn = scm.sample(rows, seed, pinned)
        import io

        buffer = io.BytesIO()
        drawn.frame.astype(str).to_parquet(buffer, index=False)
        LocalBlobs(str(out.absolute().parent)).write(out.name, buffer.getvalue())
        typer.echo(
            f"{rows:,} rows of {chosen.name} under {model.describe()} in {out} ({scm.tables.contexts_scored} contexts scored)"
        )


@app.command()
def scenarios() -> None:
    """List the scenarios that come with the project: variables, edges, treatment and outcome."""
    with _clear_errors():
        from rich.console import Console
        from rich.table import Table

        from sdscm import list_scenarios, load_scenario

        table = Table("name", "variables", "edges", "treatment", "outcome", "about")
        for name in list_scenarios():
            scenario = load_scenario(name)
            table.add_row(
                name,
                str(len(scenario.variables)),
                str(len(scenario.edges())),
                scenario.only("treatment").name,
                scenario.only("outcome").name,
                scenario.title,
            )
        Console().print(table)


def _pin(text: str) -> tuple[str, str]:
    from sdscm import ScenarioError

    name, separator, level = text.partition("=")
    if not separator or not name.strip() or not level.strip():
        raise ScenarioError(f"--do takes NAME=LEVEL; given {text!r}")
    return name.strip(), level.strip()


def _require_question(question: str) -> None:
    from causal_tools.errors import QueryError

    if not question.strip():
        raise QueryError('the question is empty. Ask, for example: "What is the effect of drug on pain?"')


def _load(name: str | None) -> Any:
    """The language model; by default the assistant where there is one, else the bundled model, which is then said."""
    from lm import ModelNotFound, load_language_model

    _quiet()
    if name is not None:
        return load_language_model(name)
    try:
        return load_language_model("assistant")
    except ModelNotFound as error:
        typer.echo(f"Note: {error} Using the untuned bundled model; its readings are often wrong.", err=True)
        return load_language_model()


def _reading_line(query: Any) -> str:
    from causal_tools.contract import TASKS

    fields = query.model_dump(exclude_none=True)
    parts = [f"{key} {fields[key]}" for key in ("treatment", "response", "mediator") if key in fields]
    if query.nodes:
        parts.append("all columns" if query.nodes == "all" else f"columns {', '.join(query.nodes)}")
    parts += [f"where {condition}" for condition in query.conditions]
    return f"{query.task}, {TASKS[query.task]}: {', '.join(parts)}"


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, default=str))


def _quiet() -> None:
    """Libraries' progress bars and warnings are not for a person who asked a question."""
    import os
    import warnings

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")


@contextmanager
def _clear_errors() -> Iterator[None]:
    """A fault that the user can mend is one message and exit code 2, never a traceback."""
    from pydantic import ValidationError

    from causal_tools.errors import CausalToolsError
    from lm.errors import LanguageModelError
    from sdscm.errors import ScenarioError

    try:
        yield
    except (CausalToolsError, LanguageModelError, ScenarioError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(2)
    except ValidationError as error:
        typer.echo(f"QueryError: {'; '.join(problem['msg'] for problem in error.errors())}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"FileError: {error.strerror or error}: {error.filename or ''}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    app()
