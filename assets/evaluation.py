"""How well the assistant reads held-out questions, beside baselines; whether it is better; and its promotion."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from assets.checks import as_check_result
from assets.making import Made, make, markdown
from assets.models import LanguageModels
from assets.profile import Profile
from assets.recordings import Recordings
from assets.storage import FileStore, Stored
from training.tracking import OVER_TAG, Tracking, Version

CHALLENGER, SHIPPED, UNTUNED = "challenger", "shipped", "untuned"


@dg.asset(
    group_name="evaluation", owners=["team:causalsmith"], kinds={"openai", "parquet"}, code_version="1", pool="api"
)
def gpt4_baseline(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    recordings: dg.ResourceParam[Recordings],
    retrieval_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """Readings of the held-out questions by a hosted model: recorded, asked, or honestly absent."""
    from training.baseline_api import baseline_readings
    from training.corpora import items_from

    settings = profile.baseline
    endpoint = recordings.endpoint(settings)
    held_out = retrieval_corpus[retrieval_corpus["split"] == "held_out"]

    def build() -> Made:
        readings, reasons = baseline_readings(endpoint, items_from(held_out))
        frame = pd.DataFrame(
            {"id": list(readings), "reading": [json.dumps(reading) for reading in readings.values()]}, dtype=str
        )
        return Made(
            frame,
            {
                "model": settings.model,
                "answers": len(frame),
                "questions": len(held_out),
                "calls": endpoint.calls,
                "dollars": endpoint.spent,
                "why_absent": "; ".join(reasons)[:500] or "nothing is absent",
            },
        )

    return make(
        context, files, {**settings.model_dump(), "recorded": recordings.count(), "key": endpoint.can_call}, build
    )


@dg.asset_check(
    asset="gpt4_baseline",
    description="Every held-out question has an answer of the hosted model.",
    additional_ins={"retrieval_corpus": dg.AssetIn("retrieval_corpus")},
)
def baseline_is_there(
    gpt4_baseline: pd.DataFrame, retrieval_corpus: pd.DataFrame, profile: dg.ResourceParam[Profile]
) -> dg.AssetCheckResult:
    """Warns where the comparison with the hosted model is missing; no number is made up for it."""
    from validation.results import CheckResult

    questions = int((retrieval_corpus["split"] == "held_out").sum())
    model = profile.baseline.model
    text = (
        f"{len(gpt4_baseline)} of {questions} questions answered by {model}."
        if len(gpt4_baseline)
        else f"No answers of {model}: neither recordings nor {profile.baseline.key_variable}. The reports have no column for it."
    )
    return as_check_result(CheckResult("baseline", len(gpt4_baseline) == questions, text), warn_only=True)


@dg.asset(
    group_name="evaluation", owners=["team:causalsmith"], kinds={"pytorch", "parquet"}, code_version="1", pool="gpu"
)
def assistant_evaluation(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
    tracking: dg.ResourceParam[Tracking],
    retrieval_corpus: pd.DataFrame,
    registered_assistant: dict,
    gpt4_baseline: pd.DataFrame,
) -> dg.MaterializeResult:
    """Each held-out question as read by the tuned model, the untuned one, the incumbent and the baselines."""
    from lm.load import base_of
    from lm.registry import adapter_in, find_registered, shipped_adapter
    from training.baselines import majority_readings, nearest_readings
    from training.corpora import items_from
    from training.digests import folder_digest
    from training.evaluation import readings_of
    from training.metrics import score_table

    incumbent = incumbent_of(tracking, registered_assistant)
    shipped = shipped_adapter()
    if shipped is not None and base_of(shipped) != profile.base:
        shipped = None

    def build() -> Made:
        sides = {s: items_from(retrieval_corpus[retrieval_corpus["split"] == s]) for s in ("train", "held_out")}
        items = sides["held_out"]
        systems: dict[str, list[Any]] = {}

        def read(system: str, adapter: Path | None) -> None:
            def report(done: int, total: int) -> None:
                if done % max(1, total // 5) == 0 or done == total:
                    context.log.info(f"{system}: {done} of {total} questions read")

            systems[system] = readings_of(models.load(profile.base, adapter), items, report)

        adapter = files.get("assistant_adapter", "mixed")
        read(CHALLENGER, adapter if isinstance(adapter, Path) else None)
        read(UNTUNED, None)
        if incumbent is not None:
            read("champion", adapter_in(find_registered(f"models:/{incumbent.name}/{incumbent.version}").folder))
        elif shipped is not None:
            read(SHIPPED, shipped)
        systems["nearest question"] = nearest_readings(sides["train"], items)
        systems["majority"] = majority_readings(sides["train"], items)
        answered = dict(zip(gpt4_baseline["id"], gpt4_baseline["reading"], strict=True))
        if items and all(item.id in answered for item in items):
            systems[profile.baseline.model] = [json.loads(answered[item.id]) for item in items]
        facts = {
            "id": [i.id for i in items],
            "task": [i.task for i in items],
            "topic": [i.topic for i in items],
            "question": [i.question for i in items],
            "query": [i.query for i in items],
        }
        predictions = pd.DataFrame({**facts, **systems})
        scores = score_table(predictions, list(systems), profile.seed)
        whole = scores[scores["field"] == "all"]
        stored = predictions.assign(**{name: predictions[name].map(json.dumps) for name in ("query", *systems)})
        return Made(
            stored,
            {
                "questions": len(items),
                **{
                    f"exact_{name.replace(' ', '_')}": float(share)
                    for name, share in zip(whole["system"], whole["share"], strict=True)
                },
                "scores": markdown(_scores_markdown(scores)),
            },
        )

    chosen = {
        "incumbent": incumbent.version if incumbent else folder_digest(shipped) if shipped else None,
        "base": profile.base,
        "seed": profile.seed,
    }
    return make(context, files, chosen, build)


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"python", "json"}, code_version="1")
def regression_report(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    assistant_evaluation: pd.DataFrame,
) -> dg.MaterializeResult:
    """Is the challenger measurably better than the incumbent on the same questions? The verdict and its reasons."""
    from training.metrics import field_matches, score_table
    from validation.gates import regression_gate

    def build() -> Made:
        systems = [
            name for name in assistant_evaluation.columns if name not in ("id", "task", "topic", "question", "query")
        ]
        read = assistant_evaluation.assign(
            **{name: assistant_evaluation[name].map(json.loads) for name in ("query", *systems)}
        )
        right = read[["task", "topic"]].assign(
            **{
                name: [field_matches(p, t)["all"] for p, t in zip(read[name], read["query"], strict=True)]
                for name in systems
            }
        )
        incumbent = next(name for name in ("champion", SHIPPED, UNTUNED) if name in systems)
        verdict = regression_gate(right, CHALLENGER, incumbent, profile.gate, profile.seed)
        scores = score_table(read, systems, profile.seed)
        lines = [
            "### Readings, all fields exactly right",
            _scores_markdown(scores),
            "### Gate",
            verdict.text,
            verdict.table.to_markdown(index=False, floatfmt=".3f"),
        ]
        return Made(
            {
                "passed": verdict.passed,
                "text": verdict.text,
                "incumbent": incumbent,
                "table": verdict.table.to_dict("records"),
                "scores": scores.to_dict("records"),
            },
            {
                "passed": verdict.passed,
                "incumbent": incumbent,
                "difference": float(verdict.table["difference"].iloc[0]),
                "report": markdown("\n\n".join(lines)),
            },
        )

    return make(context, files, {"gate": profile.gate.model_dump(), "seed": profile.seed}, build)


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"mlflow"}, code_version="1")
def promoted_assistant(
    context: dg.AssetExecutionContext,
    files: dg.ResourceParam[FileStore],
    tracking: dg.ResourceParam[Tracking],
    registered_assistant: dict,
    regression_report: dict,
) -> dg.MaterializeResult:
    """The alias ``champion``: moved to the challenger where the gate passed, left where it is otherwise."""

    def build() -> Made:
        champion = tracking.version_at("champion")
        challenger = tracking.version_of_adapter(registered_assistant["adapter_digest"])
        if challenger is None:
            raise dg.Failure(
                f"version {registered_assistant['version']} of {registered_assistant['name']} "
                f"is not in the registry at {tracking.uri}"
            )
        promote = regression_report["passed"] and (champion is None or champion.version != challenger.version)
        if promote:
            tracking.promote(challenger, over=champion.version if champion else "", reason=regression_report["text"])
            champion = challenger
        return Made(
            {
                "champion": champion.version if champion else None,
                "promoted": promote,
                "reason": regression_report["text"],
            },
            {
                "champion": champion.version if champion else "none",
                "promoted": promote,
                "reason": regression_report["text"],
            },
        )

    def still_champion(stored: Stored) -> bool:
        champion = tracking.version_at("champion")
        return (champion.version if champion else "none") == stored.metadata["champion"]

    return make(context, files, {"uri": tracking.uri}, build, still_holds=still_champion)


def incumbent_of(tracking: Tracking, registered: dict[str, Any]) -> Version | None:
    """The version to beat: the champion, or, where the challenger is champion already, the one it replaced.

    None stands for the shipped adapter, and where there is none for the untuned model.
    """
    champion = tracking.version_at("champion")
    if champion is None or champion.version != str(registered["version"]):
        return champion
    replaced = champion.tags.get(OVER_TAG)
    return Version(champion.name, replaced, "", {}) if replaced else None


def _scores_markdown(scores: pd.DataFrame) -> str:
    """Systems by field: share right, and for all fields the 95 % interval and counts."""
    whole = scores[scores["field"] == "all"].set_index("system")
    shown = [
        {
            "system": system,
            "all fields": f"{row['share']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            "right": f"{row['right']} of {row['questions']}",
            **{
                field: f"{share:.2f}"
                for field, share in zip(part["field"], part["share"], strict=True)
                if field != "all"
            },
        }
        for (system, row), (_, part) in zip(whole.iterrows(), scores.groupby("system", sort=False), strict=True)
    ]
    return str(pd.DataFrame(shown).to_markdown(index=False))
