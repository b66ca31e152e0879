"""The command line: ask, parse, schema, and the commands of cli_sdscm."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration import cli_annotations, cli_evaluate, cli_models, cli_nights, cli_run, cli_sdscm
from orchestration.faults import clear_errors, print_json
from orchestration.language_model import load_chosen
from orchestration.outputs import require_file
from orchestration.readings import check_lines, examples, reading_line

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
    question: Annotated[
        str, typer.Argument(help="The question, in quotes; may be left out where --task and its fields say all.")
    ] = "",
    as_json: AsJson = False,
    model: Model = None,
    task: Annotated[Literal["CGL", "ATE", "HTE", "MA", "OPO"] | None, typer.Option(help="Set the task.")] = None,
    treatment: Annotated[str | None, typer.Option(help="Set the treatment: a column.")] = None,
    second_treatment: Annotated[
        str | None, typer.Option(help="Set a second decision (OPO): a column to the right of the treatment.")
    ] = None,
    response: Annotated[str | None, typer.Option(help="Set the response: a column.")] = None,
    mediator: Annotated[str | None, typer.Option(help="Set the mediator: a column.")] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Set the nodes of a graph: a column, or all. Repeat it.")
    ] = None,
    condition: Annotated[list[str] | None, typer.Option(help='Set the conditions: "age >= 60". Repeat it.')] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="Set what is adjusted for: a column. Repeat it.")] = None,
    no_adjustment: Annotated[
        bool, typer.Option("--no-adjustment", help="Adjust for nothing, as in a randomised trial.")
    ] = False,
    contrast: Annotated[str | None, typer.Option(help="Compare two levels of the treatment: FROM,TO.")] = None,
    lower_is_better: Annotated[
        bool | None,
        typer.Option(
            "--lower-is-better/--higher-is-better", help="Seek the lowest mean response, or the highest (OPO)."
        ),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Show the reading in $EDITOR before anything runs.")] = False,
    wording: Annotated[
        bool, typer.Option("--wording/--no-wording", help="Let the model word the answer too, checked by program.")
    ] = True,
    checks: Annotated[
        bool, typer.Option("--checks/--no-checks", help="Test the answer too: refutations, a forest beside, groups.")
    ] = True,
    plot: Annotated[Path | None, typer.Option(help="Also draw the result into this PNG file.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of cross-fitting and resampling.")] = 0,
) -> None:
    """Answer a causal question about a data file: parse it, run the causal tool, explain the numbers.

    Five kinds of question: the causal graph of the columns (CGL), an average effect (ATE), an effect where a condition holds
    (HTE), how much of an effect runs through a mediator (MA), and which action is best (OPO). The reading is shown; options set
    fields of it anew, and `--edit` opens it. With `--task` and its fields no question is needed, and with `--no-wording` no
    language model either. `causalsmith schema` prints the fields as a JSON schema.

    Example: `causalsmith ask trial.csv "What is the effect of drug on pain?"`

    Example: `causalsmith ask trial.csv --task ATE --treatment drug --response pain --contrast placebo,high --no-wording`
    """
    with clear_errors():
        from causal_tools import Assistant
        from causal_tools.assistant import known_levels
        from causal_tools.data import read_table
        from causal_tools.editing import Changes, changed, query_text, read_query_text
        from causal_tools.errors import QueryError

        changes = Changes(
            task=task,
            treatment=treatment,
            second_treatment=second_treatment,
            response=response,
            mediator=mediator,
            nodes=tuple(node) if node else None,
            conditions=tuple(condition) if condition else None,
            covariates=() if no_adjustment else tuple(covariate) if covariate else None,
            contrast=_two_levels(contrast) if contrast else None,
            lower_is_better=lower_is_better,
        )
        if no_adjustment and covariate:
            raise QueryError("--no-adjustment and --covariate contradict each other; give one of them")
        if plot is not None:
            require_file(plot, "--plot", ".png")
        table = read_table(data)
        columns, levels = [str(name) for name in table.frame.columns], known_levels(table)
        whole = changed(None, changes, columns, levels) if changes.are_a_query() else None
        if whole is None or question:
            _require_question(question)
        lm = _load(model) if whole is None or wording else None

        def settle(query: Any) -> Any:
            query = changed(query, changes, columns, levels) if changes.any() else query
            if edit and (text := click.edit(query_text(query), extension=".yaml")) is not None:
                return read_query_text(text, columns, levels)
            return query

        answer = Assistant(lm).ask(
            table,
            question,
            query=settle(whole) if whole is not None else None,
            edit=lambda reading: settle(reading.query),
            seed=seed,
            wording=wording,
            checks=checks,
        )
        if plot is not None:
            from causal_tools.plots import plot_result

            plot_result(answer.result, plot)
        used = lm.describe() if lm is not None else "none: the query was given, and the template explains"
        if as_json:
            print_json(answer.record(used))
            return
        typer.echo(f"Model     {used}")
        typer.echo(f"Reading   {reading_line(answer.result.query)}")
        typer.echo("Time      " + ", ".join(f"{what} {seconds:.1f} s" for what, seconds in answer.seconds.items()))
        typer.echo(f"Method    {answer.result.method}\n")
        typer.echo(f"{answer.explanation}\n")
        for title, lines in (
            ("Assumes", answer.result.assumptions),
            ("Check", check_lines(answer.result) if checks else []),
            ("Note", [*answer.result.warnings, *answer.notes]),
        ):
            for line in dict.fromkeys(lines):
                typer.echo(f"{title}: {line}")


@app.command()
def columns(data: Data, as_json: AsJson = False) -> None:
    """Show how a data file is read: its columns, what each is taken for, its gaps, and what was substituted.

    Example: `causalsmith columns trial.csv`
    """
    with clear_errors():
        from causal_tools.data import read_table

        table = read_table(data)
        frame = table.frame
        rows = [
            (str(name), table.kinds[str(name)], int(frame[name].isna().sum()), examples(frame[name])) for name in frame
        ]
        if as_json:
            fields = ("column", "read_as", "missing", "such_as")
            described = [dict(zip(fields, row, strict=True)) for row in rows]
            print_json({"rows": len(frame), "columns": described, "notes": table.notes})
            return
        shown = Table(*("column", "read as", "missing", "such as"), title=f"{table.name}, {len(frame)} rows")
        for name, *others in rows:
            shown.add_row(escape(name), *(escape(str(other)) for other in others))
        Console(soft_wrap=not sys.stdout.isatty()).print(shown)
        for note in table.notes:
            typer.echo(f"Note: {note}")


@app.command()
def schema(
    of: Annotated[Literal["query", "result"], typer.Argument(help="The query, or what the tools return.")] = "query",
) -> None:
    """Print the contract as a JSON schema: what may be asked, or what comes back.

    Example: `causalsmith schema result`
    """
    from pydantic import TypeAdapter

    from causal_tools.contract import CausalQuery, EffectResult, GraphResult, MediationResult, PolicyResult

    results = TypeAdapter(GraphResult | EffectResult | MediationResult | PolicyResult)
    print_json(CausalQuery.model_json_schema() if of == "query" else results.json_schema())


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
    with clear_errors():
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
            print_json(
                {
                    "query": reading.query.model_dump(mode="json", exclude_none=True),
                    "confidence": reading.confidence,
                    "said": reading.said,
                    "model": lm.describe(),
                    "notes": [*table.notes, *reading.notes],
                }
            )
            return
        typer.echo(f"Model     {lm.describe()}")
        typer.echo(f"Reading   {reading_line(reading.query)}")
        typer.echo("Sure of   " + ", ".join(f"{slot} {share:.0%}" for slot, share in reading.confidence.items()))
        if reading.said:
            typer.echo("Words     " + ", ".join(f"{column}: “{words}”" for column, words in reading.said.items()))
        for note in dict.fromkeys([*table.notes, *reading.notes]):
            typer.echo(f"Note: {note}")


@app.command()
def web(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 7860,
    model: Model = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Load no language model: the form is filled in by hand.")
    ] = False,
) -> None:
    """Open a web page on this machine: upload a data file, ask, correct the reading, see the answer.

    The page listens on 127.0.0.1 alone, asks nothing of any other host, and removes what was uploaded when it ends (Ctrl-C).
    The language model is loaded when the first question is read.

    Example: `causalsmith web --port 7861 --model smollm2-135m`
    """
    with clear_errors():
        from causal_tools.errors import QueryError
        from orchestration.web import serve
        from orchestration.web_model import SharedModel

        if no_model and model is not None:
            raise QueryError(f"--no-model and --model {model} say opposite things; give one of them")
        serve(port, None if no_model else SharedModel.named(model))


def _two_levels(text: str) -> tuple[str, str]:
    import csv

    from causal_tools.errors import QueryError

    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]  # one with a comma in quotes
    if len(parts) != 2 or not all(parts):
        raise QueryError(f"--contrast takes two levels, FROM,TO; given {text!r}")
    return parts[0], parts[1]


def _require_question(question: str) -> None:
    from causal_tools.errors import QueryError

    if not question.strip():
        raise QueryError('the question is empty. Ask, for example: "What is the effect of drug on pain?"')


def _load(name: str | None) -> Any:
    """The language model; by default the assistant where there is one, else the bundled model, which is then said."""
    lm, note = load_chosen(name)
    if note:
        typer.echo(f"Note: {note}", err=True)
    return lm


app.add_typer(cli_annotations.app)
for command in (
    cli_sdscm.sample,
    cli_sdscm.scenarios,
    cli_sdscm.audit,
    cli_evaluate.evaluate,
    cli_run.run,
    cli_nights.failures,
    cli_nights.nights,
    cli_nights.models,
    cli_nights.rollback,
    cli_models.export,
):
    app.command()(command)

if __name__ == "__main__":
    app()
