"""The command line on annotation: tasks out, to a folder or a Label Studio server, judgements in, disputes to decide."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from orchestration.faults import clear_errors, print_json
from orchestration.outputs import write_file

Judged = Literal["questions", "explanations"]
app = typer.Typer(
    name="annotations",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Questions for annotators, and what they said: see docs/annotation.md for what annotators are to do.",
)
Url = Annotated[str, typer.Option(help="Label Studio's address; its access token is read from LABEL_STUDIO_API_KEY.")]
Title = Annotated[
    str | None, typer.Option(help="Title of the project on the server.", show_default="by what is judged")
]
Of = Annotated[
    Judged, typer.Option("--of", help="What people judge: questions and readings, or explanations of results.")
]
_URL = "http://127.0.0.1:8080"
_TITLES: dict[Judged, str] = {"questions": "Causalsmith questions", "explanations": "Causalsmith explanations"}
_ASSETS: dict[Judged, str] = {"questions": "annotation_tasks", "explanations": "explanation_tasks"}


@app.command()
def tasks(
    out: Annotated[Path, typer.Option(help="Folder to write tasks.json and labelling.xml into.")],
    of: Of = "questions",
) -> None:
    """Write the annotation tasks and the labelling interface, to be imported in Label Studio by hand.

    The tasks are those of the asset `annotation_tasks` or `explanation_tasks`; materialize it first (`make demo` does).

    Example: `causalsmith annotations tasks --out for_label_studio`
    """
    import json

    with clear_errors():
        made = _stored_tasks(of)
        out.mkdir(parents=True, exist_ok=True)
        write_file(out / "tasks.json", json.dumps(made["tasks"], ensure_ascii=False, indent=1).encode())
        write_file(out / "labelling.xml", made["labelling_configuration"].encode())
        typer.echo(f"{len(made['tasks'])} tasks in {out / 'tasks.json'}, their interface in {out / 'labelling.xml'}")


@app.command()
def send(url: Url = _URL, project: Title = None, of: Of = "questions") -> None:
    """Put the annotation tasks into a project of a Label Studio server; those that are there already are passed over.

    Example: `LABEL_STUDIO_API_KEY=… causalsmith annotations send --url http://127.0.0.1:8080`
    """
    with clear_errors():
        from training.label_studio import AnnotationServer

        made, title = _stored_tasks(of), project or _TITLES[of]
        new = AnnotationServer(url).send(title, made["tasks"], made["labelling_configuration"])
        typer.echo(f"{new} of {len(made['tasks'])} tasks were new to {title!r} at {url}")


@app.command()
def fetch(url: Url = _URL, project: Title = None, of: Of = "questions") -> None:
    """Fetch a project's annotations into the inbox, where the next run (or the sensor) imports them.

    Example: `LABEL_STUDIO_API_KEY=… causalsmith annotations fetch`
    """
    with clear_errors():
        from assets.errors import SettingsError
        from orchestration.settings import ANNOTATIONS_VARIABLE, explanation_inbox, inbox_folder
        from training.label_studio import AnnotationServer, save_export

        named = Path(os.environ.get(ANNOTATIONS_VARIABLE, ""))
        if of == "questions" and named.is_file():
            raise SettingsError(
                f"{ANNOTATIONS_VARIABLE} names one file, {named}, so what is fetched would not be imported; name its folder"
            )
        title = project or _TITLES[of]
        export = AnnotationServer(url).fetch(title)
        if not export:
            typer.echo(f"{title!r} at {url} has no annotation yet; nothing was written")
            return
        folder = inbox_folder() if of == "questions" else explanation_inbox()
        typer.echo(f"{len(export)} annotated tasks in {save_export(export, folder)}")


@app.command()
def disputes(url: Url = _URL, project: Title = None) -> None:
    """Put what annotators disagree on into a project of its own, for one person to decide.

    Example: `LABEL_STUDIO_API_KEY=… causalsmith annotations disputes`
    """
    with clear_errors():
        from training.agreement import adjudicate, adjudication_tasks
        from training.label_studio import AnnotationServer

        waiting = adjudication_tasks(adjudicate(_judgements().items).disputed)
        title = project or f"{_TITLES['questions']}: disputes"
        new = AnnotationServer(url).send(title, waiting, annotators=1) if waiting else 0
        typer.echo(f"{len(waiting)} disputes; {new} of them were new to {title!r} at {url}")


@app.command()
def status(
    of: Of = "questions",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Show what the inbox holds: judgements, refusals with their reasons, disputes, and how far annotators agree.

    Example: `causalsmith annotations status --of explanations`
    """
    with clear_errors():
        if of == "explanations":
            _explanations_status(as_json)
            return
        from training.agreement import adjudicate, measure_agreement

        report = _judgements()
        settled, agreement = adjudicate(report.items), measure_agreement(report.items)
        counts = {
            "judgements": len(report.items),
            "repeated": report.repeated,
            "not usable": len(report.rejected),
            "settled": len(settled.settled),
            "refused": len(settled.refused),
            "in dispute": len(settled.disputed),
        }
        if as_json:
            fields = {name: vars(found) for name, found in agreement.fields.items()}
            print_json({**counts, "agreement": fields, "reasons": [entry.reason for entry in report.rejected]})
            return
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
        for entry in report.rejected:
            typer.echo(f"Not usable: {entry.reason}")
        shown = Table("field", "items judged twice", "equal", "kappa", "alpha")
        for name, found in agreement.fields.items():
            shown.add_row(name, str(found.n_shared), *map(_figure, (found.share_equal, found.kappa, found.alpha)))
        Console().print(shown)


def _explanations_status(as_json: bool) -> None:
    from orchestration.settings import explanation_inbox
    from training.rubric_annotation import read_judgement_inbox, rubric_agreement

    judgements, refused = read_judgement_inbox(explanation_inbox())
    agreement = rubric_agreement(judgements) if judgements else {}
    if as_json:
        fields = {flag: vars(found) for flag, found in agreement.items()}
        print_json({"judgements": len(judgements), "not usable": len(refused), "agreement": fields, "reasons": refused})
        return
    typer.echo(f"{len(judgements)} judgements of explanations, {len(refused)} not usable")
    for reason in refused:
        typer.echo(f"Not usable: {reason}")
    shown = Table("flag", "explanations judged twice", "equal", "kappa", "alpha")
    for flag, found in agreement.items():
        shown.add_row(flag, str(found.n_shared), *map(_figure, (found.share_equal, found.kappa, found.alpha)))
    Console().print(shown)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _stored_tasks(of: Judged) -> Any:
    from causal_tools.errors import QueryError
    from orchestration.settings import chosen_settings
    from orchestration.storage import file_store

    stored = file_store(chosen_settings())
    asset = _ASSETS[of]
    if stored.find(asset) is None:
        raise QueryError(f"there are no annotation tasks yet: run `make demo`, or materialize the asset {asset}")
    return stored.get(asset)


def _judgements() -> Any:
    """What has arrived; the sample that stands in for runs while nothing has is nobody's judgement."""
    from orchestration.settings import annotation_inbox, watched_inbox
    from training.annotation_inbox import exports_in, read_inbox

    inbox = watched_inbox()
    if not exports_in(inbox):
        sample = "" if annotation_inbox() == inbox else "; until one comes, runs take the sample of the project"
        typer.echo(f"No export in {inbox} yet{sample}", err=True)
    return read_inbox(inbox)
