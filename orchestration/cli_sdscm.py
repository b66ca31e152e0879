"""The command line on language models as causal effect generators: sample, scenarios, audit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from orchestration.faults import clear_errors, print_json, quiet
from orchestration.options import level_or_law, pairs, require_levels, turned
from orchestration.outputs import require_file, write_file, write_table

if TYPE_CHECKING:
    from sdscm.audit import Audit

Name = Annotated[
    str, typer.Argument(help="Name of a scenario (see `causalsmith scenarios`), or a YAML file.", show_default=False)
]
LanguageModelName = Annotated[str, typer.Option(help="Language model whose beliefs are sampled.")]
Phrasing = Annotated[
    int | None, typer.Option(min=0, help="Which draw of phrasings; as the scenario says by default, else 0.")
]
Temperature = Annotated[float, typer.Option(help="Divides the scores; above 1 flattens every law.")]
Memo = Annotated[bool, typer.Option("--memo/--no-memo", help="Keep scores on disk, and use those that are there.")]
_TRUTHS = {  # of a benchmark, and what is said where there is none
    "exact_ate": "not worked out: the model's law is too large",
    "sample_ate": "none",
    "difference_in_means": "none: one group is empty",
    "unit_effect_sd": "none",
}


MOST_ROWS = 10**15  # beyond any memory, and within what numpy counts


def sample(
    scenario: Name,
    rows: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="How many rows.")],
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
    by: Annotated[
        Literal["rejection", "table"] | None,
        typer.Option(
            help="With --given: keep the rows where it holds (rejection, the default), or draw from the exact law (table)."
        ),
    ] = None,
    arms: Annotated[
        bool, typer.Option("--arms", help="Also each unit's outcome under every level of the treatment.")
    ] = False,
    outcome: Annotated[
        Literal["level", "log_prob", "expected_score"],
        typer.Option(help="With --arms: the level drawn, the log-probability of its last level, or its mean score."),
    ] = "level",
    phrasing: Phrasing = None,
    rule: Annotated[Literal["sum", "mean", "pmi"], typer.Option(help="Scoring rule.")] = "sum",
    temperature: Temperature = 1.0,
    coupling: Annotated[
        Literal["gumbel", "inverse_cdf"], typer.Option(help="How one unit's worlds share their noise.")
    ] = "gumbel",
    overlap: Annotated[
        float | None, typer.Option(help="Weight of the uniform law mixed into the treatment's, 0 to 1.")
    ] = None,
    effect: Annotated[float | None, typer.Option(help="Factor on the treatment's direct effect.")] = None,
    heterogeneity: Annotated[float | None, typer.Option(help="Factor on the spread of that effect.")] = None,
    hidden_confounding: Annotated[
        float | None,
        typer.Option(help="Nats by which an added hidden cause moves treatment and outcome."),
    ] = None,
    memo: Memo = True,
) -> None:
    """Draw rows from a scenario, with a language model as the structural causal model.

    The file's metadata (key `causalsmith`) say what the rows were made from, and with --arms the true effect. A knob
    (--overlap, --effect, --heterogeneity, --hidden-confounding) that is not given is as the scenario's file says.

    Example: `causalsmith sample tutoring --rows 1000 --seed 0 --do tutoring=yes --out tutored.parquet`
    """
    with clear_errors():
        from lm import load_language_model
        from sdscm import ScenarioError, SequenceSCM, load_scenario
        from sdscm.benchmark import make_benchmark

        quiet()
        require_file(out, "--out", ".parquet")
        if arms and (do or given):
            raise ScenarioError("--arms draws every arm from the observed world: leave out --do and --given")
        if outcome != "level" and not arms:
            raise ScenarioError(f"--outcome {outcome} goes with --arms")
        if by is not None and not given:
            raise ScenarioError(f"--by {by} goes with --given")
        knobs = {
            "overlap": overlap,
            "effect": effect,
            "heterogeneity": heterogeneity,
            "hidden_confounding": hidden_confounding,
        }
        chosen = turned(load_scenario(scenario, phrasing), knobs)
        held = pairs(given or [], "--given")
        intervention = {name: level_or_law(chosen[name], text) for name, text in pairs(do or [], "--do").items()}
        require_levels(chosen, intervention, held)
        model = load_language_model(lm)
        scm = SequenceSCM(chosen, model, rule, temperature, coupling, _memo() if memo else None)
        truths: dict[str, float | None] = {}
        with _progress("sampling") as progress:
            if arms:
                made = make_benchmark(scm, rows, seed, kind=outcome, progress=progress)
                frame, manifest = made.frame, made.manifest
                truths = {name: getattr(made, name) for name in _TRUTHS}
            else:
                drawn = scm.sample(
                    rows, seed, intervention, given=held or None, by=by or "rejection", progress=progress
                )
                frame, manifest = drawn.frame, drawn.manifest
        write_table(out, frame, {**manifest, **truths, "language_model_digest": model.digest})
        typer.echo(
            f"{rows:,} rows of {chosen.name} under {model.describe()} in {out} "
            f"({scm.tables.contexts_scored} contexts scored)"
        )
        for name, value in truths.items():
            typer.echo(f"{name:<20}{_TRUTHS[name] if value is None else f'{value:.6g}'}")


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Show this one: its variables, or a YAML file's.")] = None,
    phrasing: Annotated[
        int | None,
        typer.Option(min=0, help="With a name: which draw of phrasings; as the scenario says by default, else 0."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="With a name: draw the graph into this PNG file.")] = None,
) -> None:
    """List the scenarios that come with the project, or show one: variables, levels, parents and how its text reads.

    Example: `causalsmith scenarios tutoring --picture tutoring.png`
    """
    with clear_errors():
        from rich.console import Console
        from rich.table import Table

        from sdscm import ScenarioError, list_scenarios, load_scenario
        from sdscm.pictures import draw_dag

        console = Console(markup=False, emoji=False)  # a scenario's brackets and colons are text
        if picture is not None:
            if name is None:
                raise ScenarioError("--picture draws one scenario: name it")
            require_file(picture, "--picture", ".png")
        if phrasing is not None and name is None:
            raise ScenarioError("--phrasing goes with one scenario: name it")
        if name is None:
            table = Table("name", "variables", "edges", "treatment", "outcome", "about")
            for each in list_scenarios():
                one = load_scenario(each)
                ends = (one.only("treatment").name, one.only("outcome").name)
                table.add_row(each, str(len(one.variables)), str(len(one.edges())), *ends, one.title)
            console.print(table)
            return
        one = load_scenario(name, phrasing)
        table = Table("variable", "role", "levels", "parents", "phrasing", title=one.title)
        for variable in one.variables:
            stem = "(in no text)" if variable.silent else one.stem(variable.name)
            table.add_row(variable.name, variable.role, ", ".join(variable.levels), ", ".join(variable.parents), stem)
        console.print(one.description.strip())
        console.print(table)
        last = one.variables[-1]
        text = one.context(last.name, {parent: one[parent].levels[0] for parent in last.parents})
        console.print(f"A context of {last.name}: {text} …")
        console.print(f"{one.phrasings_count:,} combinations of phrasings; this is draw {one.phrasing}.")
        if picture is not None:
            write_file(picture, draw_dag(one, 110))


def audit(
    scenario: Name,
    lm: LanguageModelName = "smollm2-135m",
    phrasings: Annotated[
        int, typer.Option(min=2, help="How many draws of phrasings; as many as there are, where these are fewer.")
    ] = 20,
    variant_phrasings: Annotated[
        int, typer.Option(min=0, help="Of how many of them the changes of levels are tried too.")
    ] = 5,
    seeds: Annotated[int, typer.Option(min=2, help="Data sets a phrasing, to compare wording with chance.")] = 5,
    rows: Annotated[
        int,
        typer.Option(
            min=2, max=MOST_ROWS, help="Rows a data set, and of an effect whose law is too large to be exact."
        ),
    ] = 1000,
    temperature: Temperature = 1.0,
    picture: Annotated[Path | None, typer.Option(help="Draw the effects into this PNG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
    memo: Memo = True,
) -> None:
    """Which effect of a scenario's treatment does a language model encode, and how far is it the wording's?

    Example: `causalsmith audit tutoring --phrasings 20 --picture tutoring.png`
    """
    with clear_errors():
        from lm import load_language_model
        from sdscm import load_scenario
        from sdscm.audit import audit as audit_effect

        quiet()
        if picture is not None:
            require_file(picture, "--picture", ".png")
        chosen, model = load_scenario(scenario), load_language_model(lm)
        with _progress("auditing") as progress:
            found = audit_effect(
                chosen,
                model,
                phrasings,
                variant_phrasings=variant_phrasings,
                seeds=seeds,
                rows=rows,
                temperature=temperature,
                memo=_memo() if memo else None,
                progress=progress,
            )
        if as_json:
            tables = {"effects": found.effects, "sensitivity": found.sensitivity}
            print_json(vars(found) | {name: table.to_dict("records") for name, table in tables.items()})
        else:
            typer.echo(f"Model       {model.describe()}")
            _report(found, rows)
        if picture is not None:
            from sdscm.audit_picture import draw_audit

            write_file(picture, draw_audit(found, chosen.name, 110))


def _report(found: "Audit", rows: int) -> None:
    low, high = found.sign_interval
    phrasings = found.effects["phrasing"].nunique()  # fewer than asked for where the scenario has fewer
    typer.echo(found.sensitivity.to_string(index=False, float_format=lambda number: f"{number:.3g}"))
    if not found.effects["exact"].all():
        typer.echo(
            f"Effects     sampled from {rows:,} rows each where the law is too large to be exact: "
            f"standard errors up to {found.effects['error'].max():.3g}, and none seen is none in those rows"
        )
    sign = {1: "positive", -1: "negative", 0: "none"}[found.sign]
    typer.echo(
        f"Sign        {sign} under {found.sign_stability:.0%} of {phrasings} phrasings (95 % interval {low:.0%}–{high:.0%})"
    )
    known = not any(map(isnan, found.variance.values()))
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.variance.items()) if known else "nothing varies"
    between = "nothing varies" if isnan(found.between_phrasings) else f"{found.between_phrasings:.1%}"
    typer.echo(f"Variance    over phrasings and rules: {shares}")
    typer.echo(f"            of data sets' effects, between phrasings: {between}")


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
