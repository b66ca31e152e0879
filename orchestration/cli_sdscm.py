"""The command line on language models as causal effect generators: sample, scenarios, audit."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from orchestration.faults import clear_errors, print_json, quiet

Name = Annotated[
    str, typer.Argument(help="Name of a scenario (see `causalsmith scenarios`), or a YAML file.", show_default=False)
]
LanguageModelName = Annotated[str, typer.Option(help="Language model whose beliefs are sampled.")]
Temperature = Annotated[float, typer.Option(help="Divides the scores; above 1 flattens every law.")]
Memo = Annotated[bool, typer.Option("--memo/--no-memo", help="Keep scores on disk, and use those that are there.")]


def sample(
    scenario: Name,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same units, with and without --do.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    lm: LanguageModelName = "smollm2-135m",
    do: Annotated[
        list[str] | None,
        typer.Option(
            help="Intervene: NAME=LEVEL, or NAME=LEVEL:SHARE|LEVEL:SHARE for a random level. May be repeated."
        ),
    ] = None,
    given: Annotated[list[str] | None, typer.Option(help="Only rows with NAME=LEVEL. May be repeated.")] = None,
    arms: Annotated[
        bool, typer.Option("--arms", help="Also each unit's outcome under every level of the treatment.")
    ] = False,
    outcome: Annotated[
        Literal["level", "log_prob", "expected_score"],
        typer.Option(help="With --arms: the level drawn, the log-probability of its last level, or its mean score."),
    ] = "level",
    phrasing: Annotated[int, typer.Option(min=0, help="Which draw of phrasings.")] = 0,
    rule: Annotated[Literal["sum", "mean", "pmi"], typer.Option(help="Scoring rule.")] = "sum",
    temperature: Temperature = 1.0,
    coupling: Annotated[
        Literal["gumbel", "inverse_cdf"], typer.Option(help="How one unit's worlds share their noise.")
    ] = "gumbel",
    overlap: Annotated[float, typer.Option(help="Weight of the uniform law mixed into the treatment's, 0 to 1.")] = 0.0,
    effect: Annotated[float, typer.Option(help="Factor on the treatment's direct effect.")] = 1.0,
    heterogeneity: Annotated[float, typer.Option(help="Factor on the spread of that effect.")] = 1.0,
    hidden_confounding: Annotated[
        float, typer.Option(help="Nats by which an added hidden cause moves treatment and outcome.")
    ] = 0.0,
    memo: Memo = True,
) -> None:
    """Draw rows from a scenario, with a language model as the structural causal model.

    The file's metadata (key `causalsmith`) say what the rows were made from.

    Example: `causalsmith sample tutoring --rows 1000 --seed 0 --do tutoring=yes --out tutored.parquet`
    """
    with clear_errors():
        from lm import load_language_model
        from sdscm import ScenarioError, SequenceSCM, load_scenario
        from sdscm.benchmark import make_benchmark

        quiet()
        _require_parquet(out)
        if arms and (do or given):
            raise ScenarioError("--arms draws every arm from the observed world: leave out --do and --given")
        if outcome != "level" and not arms:
            raise ScenarioError(f"--outcome {outcome} goes with --arms")
        chosen = load_scenario(scenario, phrasing).turned(
            overlap=overlap, effect=effect, heterogeneity=heterogeneity, hidden_confounding=hidden_confounding
        )
        intervention = {name: _level_or_law(text) for name, text in (_pair(text, "--do") for text in do or [])}
        held = dict(_pair(text, "--given") for text in given or [])
        _require_levels(chosen, intervention, held)
        model = load_language_model(lm)
        scm = SequenceSCM(chosen, model, rule, temperature, coupling, _memo() if memo else None)
        with _progress("sampling") as progress:
            if arms:
                made = make_benchmark(scm, rows, seed, kind=outcome, progress=progress)
                frame, manifest = made.frame, made.manifest
            else:
                drawn = scm.sample(rows, seed, intervention, given=held or None, progress=progress)
                frame, manifest = drawn.frame, drawn.manifest
        _write(out, frame, {**manifest, "language_model_digest": model.digest})
        typer.echo(
            f"{rows:,} rows of {chosen.name} under {model.describe()} in {out} "
            f"({scm.tables.contexts_scored} contexts scored)"
        )


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Show this one: its variables, or a YAML file's.")] = None,
    phrasing: Annotated[int, typer.Option(min=0, help="Which draw of phrasings to show.")] = 0,
    picture: Annotated[Path | None, typer.Option(help="With a name: draw the graph into this PNG file.")] = None,
) -> None:
    """List the scenarios that come with the project, or show one: variables, levels, parents and how its text reads.

    Example: `causalsmith scenarios tutoring --picture tutoring.png`
    """
    with clear_errors():
        from rich.console import Console
        from rich.table import Table

        from assets.storage import LocalBlobs
        from sdscm import ScenarioError, list_scenarios, load_scenario
        from sdscm.pictures import draw_dag

        if name is None:
            if picture is not None:
                raise ScenarioError("--picture draws one scenario: name it")
            table = Table("name", "variables", "edges", "treatment", "outcome", "about")
            for each in list_scenarios():
                one = load_scenario(each)
                ends = (one.only("treatment").name, one.only("outcome").name)
                table.add_row(each, str(len(one.variables)), str(len(one.edges())), *ends, one.title)
            Console().print(table)
            return
        one = load_scenario(name, phrasing)
        table = Table("variable", "role", "levels", "parents", "phrasing", title=one.title)
        for variable in one.variables:
            stem = "(in no text)" if variable.silent else one.stem(variable.name)
            table.add_row(variable.name, variable.role, ", ".join(variable.levels), ", ".join(variable.parents), stem)
        console = Console()
        console.print(one.description.strip())
        console.print(table)
        last = one.variables[-1]
        text = one.context(last.name, {parent: one[parent].levels[0] for parent in last.parents})
        console.print(f"A context of {last.name}: {text} …")
        console.print(f"{one.phrasings_count:,} combinations of phrasings; this is draw {phrasing}.")
        if picture is not None:
            LocalBlobs(str(picture.absolute().parent)).write(picture.name, draw_dag(one, 110))


def audit(
    scenario: Name,
    lm: LanguageModelName = "smollm2-135m",
    phrasings: Annotated[int, typer.Option(min=2, help="How many draws of phrasings.")] = 20,
    temperature: Temperature = 1.0,
    picture: Annotated[Path | None, typer.Option(help="Draw the effects into this PNG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    memo: Memo = True,
) -> None:
    """Which effect of a scenario's treatment does a language model encode, and how far is it the wording's?

    Example: `causalsmith audit tutoring --phrasings 20 --picture tutoring.png`
    """
    with clear_errors():
        from assets.storage import LocalBlobs
        from lm import load_language_model
        from sdscm import load_scenario
        from sdscm.audit import audit as audit_effect
        from sdscm.audit_picture import draw_audit

        quiet()
        chosen, model = load_scenario(scenario), load_language_model(lm)
        with _progress("auditing") as progress:
            found = audit_effect(
                chosen, model, phrasings, temperature=temperature, memo=_memo() if memo else None, progress=progress
            )
        if picture is not None:
            LocalBlobs(str(picture.absolute().parent)).write(picture.name, draw_audit(found, chosen.name, 110))
        if as_json:
            tables = {"effects": found.effects, "sensitivity": found.sensitivity}
            print_json(vars(found) | {name: table.to_dict("records") for name, table in tables.items()})
            return
        low, high = found.sign_interval
        typer.echo(f"Model       {model.describe()}")
        typer.echo(found.sensitivity.to_string(index=False, float_format=lambda number: f"{number:.3g}"))
        sign = {1: "positive", -1: "negative", 0: "none"}[found.sign]
        typer.echo(
            f"Sign        {sign} under {found.sign_stability:.0%} of {phrasings} phrasings (95 % interval {low:.0%}–{high:.0%})"
        )
        shares = ", ".join(f"{name} {share:.0%}" for name, share in found.variance.items())
        typer.echo(f"Variance    over phrasings and rules: {shares}")
        typer.echo(f"            of data sets' effects, between phrasings: {found.between_phrasings:.1%}")


def _pair(text: str, option: str) -> tuple[str, str]:
    from sdscm import ScenarioError

    name, separator, level = text.partition("=")
    if not separator or not name.strip() or not level.strip():
        raise ScenarioError(f"{option} takes NAME=LEVEL; given {text!r}")
    return name.strip(), level.strip()


def _level_or_law(text: str) -> str | dict[str, float]:
    """A level, or shares of levels: ``no:0.3|yes:0.7``."""
    law: dict[str, float] = {}
    for part in text.split("|"):
        level, separator, share = part.rpartition(":")
        try:
            law[level.strip()] = float(share)
        except ValueError:
            return text
        if not separator:
            return text
    return law


def _require_levels(scenario: Any, do: dict[str, Any], given: dict[str, str]) -> None:
    """Refuse what does not fit before a language model is loaded."""
    from sdscm.interventions import read_do, read_given

    read_do(scenario, do)
    read_given(scenario, given)


def _require_parquet(out: Path) -> None:
    from sdscm import ScenarioError

    if out.suffix != ".parquet":
        raise ScenarioError(f"--out must end in .parquet; given {out.name}")
    if not out.absolute().parent.is_dir():
        raise ScenarioError(f"the folder {out.absolute().parent} does not exist")


def _write(out: Path, frame: Any, manifest: dict[str, Any]) -> None:
    """A Parquet file whose metadata hold the manifest; whole or not there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from assets.storage import LocalBlobs

    texts = frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, str))
    table = pa.Table.from_pandas(texts, preserve_index=False)
    kept = {**(table.schema.metadata or {}), b"causalsmith": json.dumps(manifest, ensure_ascii=False).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(kept), buffer)
    LocalBlobs(str(out.absolute().parent)).write(out.name, buffer.getvalue())


def _memo() -> Any:
    from lm.places import cache
    from sdscm.memo import ScoreMemo

    return ScoreMemo(cache() / "scores.sqlite")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where a person is looking."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
