"""The last page of a job: what was made, the figures beside their baselines, and where everything lies."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from assets.nights import recorded_nights
from assets.storage import FileStore, Stored
from lm.places import home, shown, tracking_uri
from orchestration.running import JobOutcome
from orchestration.settings import chosen_profile, chosen_settings
from orchestration.storage import file_store

_FIGURES = {
    "causal_topics": ("topics", "variables", "held_out"),
    "synthetic_queries": ("questions", "families"),
    "annotation_tasks": ("tasks",),
    "human_annotations": ("annotations", "annotators", "rejected"),
    "annotation_agreement": ("kappa_verdict", "alpha_verdict", "settled", "disputed"),
    "retrieval_corpus": ("train", "held_out", "annotated", "written"),
    "interpretation_corpus": ("pairs", "mean_words"),
    "published_corpora": ("version",),
    "second_reader": ("tuned", "questions", "steps", "development_columns_right"),
    "assistant_adapter": ("examples", "last_loss", "tokens_per_second"),
    "registered_assistant": ("model", "version"),
    "conditional_tables": ("contexts", "lm_tokens"),
    "sdscm_benchmark": ("rows", "exact_ate", "sample_ate", "difference_in_means"),
    "encoded_effects": ("mean_effect", "sign_stability", "phrasing_share"),
    "held_out_results": ("questions", "results", "correct"),
    "gpt4_baseline": ("answers", "questions"),
    "assistant_evaluation": ("questions",),
    "answer_evaluation": ("questions",),
    "explanation_evaluation": ("explanations",),
    "judged_explanations": ("judge",),
    "regression_report": ("passed", "incumbent", "difference"),
    "promoted_assistant": ("champion", "promoted"),
    "nightly_report": ("failures", "in_control"),
}


def print_summary(console: Console, outcome: JobOutcome) -> None:
    """Tables of what was made and how well the tuned model reads, and how to look further."""
    files = file_store(chosen_settings())
    everything = [(asset, partition or None) for asset in _FIGURES for partition in sorted(files.versions(asset))]
    _print_figures(console, files, everything)
    _print_scores(console, files)
    report = files.find("regression_report")
    if report is not None:
        console.print(f"Gate: {_text_of(files)}")
    if nights := recorded_nights(files):
        page = f"{files.blobs.root}/nightly_report/{nights[-1]['address'].removeprefix('../../../')}"
        console.print(f"Report of the night, one HTML page: {page}", soft_wrap=True)
    _print_counts(console, files, outcome)
    console.print(
        "Next: [bold]make ui[/bold] opens Dagster on http://127.0.0.1:3000 and MLflow on http://127.0.0.1:5000."
    )
    console.print(
        '      [bold].venv/bin/causalsmith ask FILE "QUESTION"[/bold] asks the tuned assistant about a data file of yours.'
    )


def print_outcome(console: Console, outcome: JobOutcome) -> None:
    """What one run of a job made, and which checks did not pass."""
    files = file_store(chosen_settings())
    _print_figures(console, files, [(one.asset, one.partition) for one in outcome.made])
    if any(one.asset == "regression_report" for one in outcome.made):
        _print_scores(console, files)
        console.print(f"Gate: {_text_of(files)}")
    for one in outcome.failed_checks:
        console.print(f"Check {one.check} of {one.asset} did not pass: {one.message}", markup=False, soft_wrap=True)
    _print_counts(console, files, outcome)
    if not outcome.succeeded:
        console.print(
            f"[red]Job {outcome.job} did not finish; the line marked ✗ above says where.[/red] "
            "Run it again once that is mended: finished work is reused."
        )


def _print_figures(console: Console, files: FileStore, assets: Sequence[tuple[str, str | None]]) -> None:
    table = Table("asset", "partition", "figures", title="What was made", title_justify="left")
    for asset, partition in assets:
        stored = files.find(asset, partition)
        if stored is not None:
            names = _FIGURES.get(asset, ())
            figures = ", ".join(f"{name} {_short(stored.metadata[name])}" for name in names if name in stored.metadata)
            table.add_row(asset, partition or "", figures)
    console.print(table)


def _print_counts(console: Console, files: FileStore, outcome: JobOutcome) -> None:
    reused = sum(one.reused for one in outcome.made)
    console.print(f"\n{len(outcome.made) - reused} assets made anew, {reused} unchanged and reused.")
    console.print(
        f"Took {outcome.seconds / 60:.1f} min, peak memory {outcome.peak_gigabytes:.1f} GB, profile {chosen_profile().name}."
    )
    registry = shown(tracking_uri())
    console.print(f"Data: {files.blobs.root}   Models and runs: {registry}   Home: {home()}", soft_wrap=True)


def _print_scores(console: Console, files: FileStore) -> None:
    stored: Stored | None = files.find("regression_report")
    if stored is None:
        return
    content = files.get("regression_report")
    scores = pd.DataFrame(content["scores"] if isinstance(content, dict) else [])
    whole = scores[(scores["metric"] == "reading_exact") & (scores["task"] == "all")]
    unseen = chosen_profile().queries.unseen_families
    families = "phrasing families unseen too" if unseen else "phrasing families as in training"
    table = Table(
        "system",
        "right",
        "share",
        "95 % interval",
        title=f"Held-out topics ({families}): all fields exactly right",
        title_justify="left",
    )
    for row in whole.itertuples():
        table.add_row(
            str(row.system), f"{row.right} of {row.questions}", f"{row.share:.3f}", f"{row.low:.3f} to {row.high:.3f}"
        )
    console.print(table)
    if chosen_profile().baseline.model not in set(whole["system"]):
        console.print(
            f"{chosen_profile().baseline.model}: no recorded answers and no key, so no column (and no invented number)."
        )


def _text_of(files: FileStore) -> str:
    content = files.get("regression_report")
    return str(content["text"]) if isinstance(content, dict) else ""


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
