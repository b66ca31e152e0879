"""Is the challenger measurably better? The verdict with its reasons, and the alias ``champion``."""

import json
from typing import Any

import dagster as dg
import pandas as pd

from assets.contenders import CHALLENGER, CHAMPION, COMPARED_WITH, EVALUATED, incumbent_among
from assets.making import Made, make, markdown, picture
from assets.profile import Profile
from assets.storage import FileStore, Stored
from lm.places import shown
from training.digests import code_digest
from training.tracking import MOST_TOLD, OVER_TAG, REASON_TAG, ROLLED_BACK_TAG, Tracking


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"python", "json"}, code_version="3")
def regression_report(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    gpt4_baseline: pd.DataFrame,
    assistant_evaluation: pd.DataFrame,
    answer_evaluation: pd.DataFrame,
    explanation_evaluation: pd.DataFrame,
) -> dg.MaterializeResult:
    """Challenger, incumbent and baselines on the same items: the gate's verdict, and the scoreboard behind it."""
    from training.baseline_api import READING
    from training.scoreboard import METRICS, field_scores, outcomes_of, scoreboard, systems_of, time_and_cost
    from validation.gates import MARGINS, read_margins, regression_gate
    from validation.published import published_figures
    from validation.scoreboard_pictures import scoreboard_picture

    margins = read_margins(profile.margins or MARGINS)
    if unknown := sorted({margins.primary, *margins.margins} - set(METRICS)):
        raise dg.Failure(
            f"{(profile.margins or MARGINS).name} names {', '.join(unknown)}; there are: {', '.join(METRICS)}"
        )
    evaluated = files.find("assistant_evaluation")
    if evaluated is None or not {COMPARED_WITH, EVALUATED} <= set(evaluated.metadata):
        raise dg.Failure("assistant_evaluation does not say what it compared: materialize it again")
    compared = {name: str(evaluated.metadata[name]) for name in (COMPARED_WITH, EVALUATED)}

    def build() -> Made:
        outcomes = outcomes_of(assistant_evaluation, answer_evaluation, explanation_evaluation)
        systems = systems_of(assistant_evaluation)
        incumbent = incumbent_among(systems)
        verdict = regression_gate(outcomes, CHALLENGER, incumbent, margins, profile.seed)
        scores = scoreboard(outcomes, profile.seed)
        hosted = gpt4_baseline[(gpt4_baseline["kind"] == READING) & (gpt4_baseline["failure"] == "")]
        timed = [s for s in systems if f"seconds {s}" in assistant_evaluation]
        seconds = {s: assistant_evaluation[f"seconds {s}"].dropna().tolist() for s in timed}
        if len(hosted):
            seconds[profile.baseline.model] = hosted["seconds"].tolist()
        costs = time_and_cost(seconds, {profile.baseline.model: hosted["dollars"].tolist()}, profile.seed)
        fields = field_scores(assistant_evaluation)
        whole = scores[scores["task"] == "all"]
        told = [
            "### Gate",
            f"**{'passed' if verdict.passed else 'not passed'}**: {verdict.text}",
            verdict.table.to_markdown(index=False, floatfmt=".3f"),
            "### Scoreboard",
            whole.drop(columns="task").to_markdown(index=False, floatfmt=".3f"),
            "### By field",
            fields.to_markdown(index=False, floatfmt=".3f"),
            "### Seconds and dollars a question",
            costs.to_markdown(index=False, floatfmt=".4f"),
            "### Published figures, on other test sets",
            published_figures().to_markdown(index=False),
        ]
        return Made(
            {
                "passed": verdict.passed,
                "text": verdict.text,
                "incumbent": incumbent,
                **compared,
                "table": _records(verdict.table),
                "scores": _records(scores),
                "fields": _records(fields),
                "costs": _records(costs),
            },
            {
                "passed": verdict.passed,
                "verdict": verdict.text,
                "incumbent": incumbent,
                "difference": float(verdict.table["difference"].iloc[0]),
                "report": markdown("\n\n".join(told)),
                "picture": picture("scoreboard", scoreboard_picture(scores)),
            },
        )

    settings = {
        "gate": margins.model_dump(),
        "seed": profile.seed,
        **compared,
        "code": code_digest("training", "validation"),
    }
    return make(context, files, settings, build)


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"mlflow"}, code_version="2")
def promoted_assistant(
    context: dg.AssetExecutionContext,
    files: dg.ResourceParam[FileStore],
    tracking: dg.ResourceParam[Tracking],
    registered_assistant: dict,
    regression_report: dict,
) -> dg.MaterializeResult:
    """The alias ``champion``: moved to the challenger where the gate passed, left where it is otherwise."""

    def build() -> Made:
        if regression_report[EVALUATED] != registered_assistant["adapter_digest"]:
            raise dg.Failure(
                f"version {registered_assistant['version']} holds the adapter {registered_assistant['adapter_digest']}, but "
                f"{regression_report[EVALUATED]} was evaluated: evaluate again"
            )
        champion = tracking.version_at(CHAMPION)
        challenger = tracking.version_of_adapter(registered_assistant["adapter_digest"])
        if challenger is None:
            raise dg.Failure(
                f"version {registered_assistant['version']} of {registered_assistant['name']} "
                f"is not in the registry at {shown(tracking.uri)}"
            )
        reason = regression_report["text"]
        promote = regression_report["passed"] and (champion is None or champion.version != challenger.version)
        if promote and ROLLED_BACK_TAG in challenger.tags:
            promote = False
            reason = f"version {challenger.version} was rolled back ({challenger.tags[ROLLED_BACK_TAG]}); {reason}"
        if promote:
            tracking.promote(challenger, over=regression_report[COMPARED_WITH], reason=reason)
            champion = challenger
        elif champion is not None and champion.version == challenger.version:  # by this verdict, in a run then killed?
            tags = champion.tags
            promote = (tags.get(OVER_TAG), tags.get(REASON_TAG)) == (
                regression_report[COMPARED_WITH],
                reason[:MOST_TOLD],
            )
        facts = {"champion": champion.version if champion else None, "promoted": promote, "reason": reason}
        return Made(facts, {**facts, "champion": champion.version if champion else "none"})

    def still_champion(stored: Stored) -> bool:
        champion = tracking.version_at(CHAMPION)
        return (champion.version if champion else "none") == stored.metadata["champion"]

    return make(context, files, {"uri": tracking.uri}, build, still_holds=still_champion)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as plain records, missing values as null."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return found
