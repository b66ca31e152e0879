"""The report of a night, and whether its figures are where the nights before let expect them."""

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from assets.alerts import Alerts
from assets.checks import as_check_result
from assets.contenders import CHALLENGER
from assets.dates import Calendar
from assets.making import Made, make, markdown, picture
from assets.storage import FileStore, NotStored
from training.digests import code_digest

NIGHT_TAG = "causalsmith/night"  # of a run: the date it belongs to
PAGE, FIGURES, INDEX = "night.html", "figures.json", "index"
EXAMPLES = 5  # of each kind of failure
DRAWN = ("reading_exact challenger", "answer_correct challenger", "explanation_faithful challenger")
RESTS_ON = ("retrieval_corpus", "interpretation_corpus", "held_out_results", "gpt4_baseline", "assistant_evaluation")


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"html", "json"}, code_version="1")
def nightly_report(
    context: dg.AssetExecutionContext,
    files: dg.ResourceParam[FileStore],
    alerts: dg.ResourceParam[Alerts],
    calendar: dg.ResourceParam[Calendar],
    assistant_evaluation: pd.DataFrame,
    gpt4_baseline: pd.DataFrame,
    regression_report: dict,
    promoted_assistant: dict,
) -> dg.MaterializeResult:
    """One static page a night: what changed, scoreboard, gate, failures with examples, plots, cost. Old nights stay."""
    from training.failures import counted, failures_of
    from validation.drift import drifted
    from validation.night_page import Night, night_page
    from validation.published import published_figures
    from validation.scoreboard_pictures import nights_picture, scoreboard_picture

    date = context.run.tags.get(NIGHT_TAG) or calendar.tonight()

    def build() -> Made:
        tables = {name: pd.DataFrame(regression_report[name]) for name in ("table", "scores", "fields", "costs")}
        figures = _figures(tables["scores"])
        before = [night for night in recorded_nights(files) if night["night"] < date]
        history = [(night["night"], _as_pairs(night["figures"])) for night in before] + [(date, figures)]
        drift = drifted([each for _, each in history])
        digests = _digests(files)
        failures = failures_of(assistant_evaluation, CHALLENGER)
        counts = counted(failures)
        examples: dict[str, Any] = {
            str(kind): failures[failures["kinds"].str.contains(str(kind), regex=False)]
            .head(EXAMPLES)
            .to_dict("records")
            for kind in counts.index
        }
        baseline = files.find("gpt4_baseline")
        spending = _spending(baseline.metadata if baseline else {})
        drawn = [name for name in DRAWN if name in figures]
        pictures = {"Shares right, by system": scoreboard_picture(tables["scores"])}
        if len(history) > 1 and drawn:
            pictures["The challenger over nights"] = nights_picture(history, drawn)
        champion = promoted_assistant["champion"]
        # the asset is reused on quiet nights, and says for ever after that it has promoted
        promoted = bool(promoted_assistant["promoted"]) and not (before and before[-1]["version"] == champion)
        told = f"version {champion}" if champion else "none; the adapter that comes with the project stands in"
        told += ", promoted tonight" if promoted else ""
        changes = _changes(before[-1]["digests"] if before else {}, digests) if before else []
        night = Night(
            date=date,
            passed=regression_report["passed"],
            verdict=regression_report["text"],
            champion=told,
            changes=changes,
            gate=tables["table"],
            scores=tables["scores"],
            fields=tables["fields"],
            costs=tables["costs"],
            published=published_figures(),
            failure_counts=counts.reset_index(),
            examples=examples,
            drift=drift.text,
            in_control=drift.passed,
            spending=spending,
            first=not before,
            pictures=pictures,
            digests=digests,
        )
        facts = {
            "night": date,
            "figures": {name: list(pair) for name, pair in figures.items()},
            "digests": digests,
            "passed": night.passed,
            "in_control": drift.passed,
            "drift": drift.text,
            "champion": told,
            "version": champion,
            "promoted": promoted,
        }
        if not drift.passed:
            alerts.send(f"Figures of {date} outside their control band", drift.text, context.log.warning)
        if promoted:
            alerts.send(f"New champion on {date}", promoted_assistant["reason"], context.log.info)
        folder = Path(scratch)
        (folder / PAGE).write_text(night_page(night), encoding="utf-8")
        (folder / FIGURES).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
        return Made(
            folder,
            {
                "night": date,
                "passed": night.passed,
                "in_control": drift.passed,
                "failures": len(failures),
                **{name.replace(" ", "_"): share for name, (share, _) in figures.items() if name in DRAWN},
                "changed": markdown(
                    "\n".join(f"- {what}: `{was}` → `{now}`" for what, was, now in changes) or "nothing"
                ),
                "drift": drift.text,
                "failure_kinds": markdown(counts.to_markdown()),
                "over_nights": picture("over nights", list(pictures.values())[-1]),
            },
        )

    with tempfile.TemporaryDirectory(prefix="causalsmith-night") as scratch:
        result = make(context, files, {"night": date, "code": code_digest("validation")}, build, place=date)
    stored = files.find("nightly_report", date)
    pages = {"all_nights": _put_index(files), "page": f"{stored.location}/{PAGE}" if stored else ""}
    links = {name: dg.MetadataValue.url(_as_link(address)) for name, address in pages.items()}
    return dg.MaterializeResult(metadata={**(result.metadata or {}), **links}, data_version=result.data_version)


@dg.asset_check(
    asset="nightly_report", description="The figures are within the control bands that the nights before set."
)
def figures_in_control(files: dg.ResourceParam[FileStore]) -> dg.AssetCheckResult:
    """Warns where a figure of the newest night has left its band."""
    from validation.drift import drifted

    return as_check_result(drifted([_as_pairs(night["figures"]) for night in recorded_nights(files)]), warn_only=True)


def recorded_nights(files: FileStore) -> list[dict[str, Any]]:
    """What each night's report recorded, oldest first; one that is gone or damaged is warned of and left out."""
    found = []
    for name, digest in sorted(files.versions("nightly_report").items()):
        if name != INDEX:
            place = f"nightly_report/{name}/{digest}/files"
            try:
                content: dict[str, Any] = json.loads(files.blobs.read(f"{place}/{FIGURES}"))
            except (NotStored, ValueError) as error:
                warnings.warn(f"the report of {name} is left out, since it is gone or damaged: {error}", stacklevel=2)
            else:
                found.append({**content, "address": f"../../../{name}/{digest}/files/{PAGE}"})
    return found


def _put_index(files: FileStore) -> str:
    """Write the list of nights; its place is the same as long as the nights are."""
    from validation.night_page import index_page

    nights = [
        {
            "date": night["night"],
            "exact": night["figures"].get(DRAWN[0], [None])[0],
            **{name: night[name] for name in ("address", "passed", "in_control", "champion")},
        }
        for night in reversed(recorded_nights(files))
    ]
    with tempfile.TemporaryDirectory(prefix="causalsmith-nights") as folder:
        Path(folder, "index.html").write_text(index_page(nights), encoding="utf-8")
        return f"{files.put('nightly_report', INDEX, Path(folder), recipe='').location}/index.html"


def _as_link(address: str) -> str:
    return address if "://" in address else Path(address).resolve().as_uri()


def _figures(scores: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Every metric of every system over all tasks: its share, and the questions it is of."""
    whole = scores[scores["task"] == "all"]
    return {
        f"{row['metric']} {row['system']}": (float(row["share"]), int(row["questions"]))
        for row in whole.to_dict("records")
    }


def _as_pairs(figures: dict[str, list[float]]) -> dict[str, tuple[float, int]]:
    return {name: (float(share), int(questions)) for name, (share, questions) in figures.items()}


def _digests(files: FileStore) -> dict[str, str]:
    """What the figures rest on."""
    found = {name: stored.digest for name in RESTS_ON if (stored := files.find(name)) is not None}
    adapter = files.find("assistant_adapter", "mixed")
    code = {f"code of {name}": code_digest(name) for name in ("lm", "causal_tools", "training", "validation")}
    return {**found, **({"assistant_adapter": adapter.digest} if adapter else {}), **code}


def _changes(before: dict[str, str], now: dict[str, str]) -> list[tuple[str, str, str]]:
    names = list(dict.fromkeys([*now, *before]))
    return [(n, before.get(n, "–"), now.get(n, "–")) for n in names if before.get(n) != now.get(n)]


def _spending(facts: dict[str, Any]) -> str:
    if not facts.get("answers"):
        return f"{facts.get('model', 'No hosted model')} has no column: {facts.get('why_absent', 'it was not asked')}."
    return (
        f"{facts['model']}: {facts['answers']} of {facts['questions']} requests answered, {facts['calls']} calls made for "
        f"{facts['dollars_tonight']:.4f} dollars when last made; all answers cost {facts['dollars_in_all']:.4f} dollars"
        + (f", {facts['unpriced']} of unknown price aside." if facts["unpriced"] else ".")
    )
