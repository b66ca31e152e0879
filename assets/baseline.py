"""What held-out questions are measured by: the tools' results on simulated files, and a hosted model's answers."""

import dagster as dg
import pandas as pd

from assets.checks import as_check_result
from assets.making import Made, log_progress, make, markdown
from assets.profile import Profile
from assets.recordings import StoredRecordings
from assets.storage import FileStore, Stored
from training.ledger import Ledger


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"python", "parquet"}, code_version="1")
def held_out_results(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    ledger: dg.ResourceParam[Ledger],
    retrieval_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """What the causal tools make of held-out questions, read perfectly, each on a simulated file whose truth is known."""
    from training.answers import true_results
    from training.corpora import items_from
    from training.digests import code_digest

    sizes = profile.evaluation
    most = max(sizes.answers_per_task, sizes.explanations_per_task)

    def build() -> Made:
        held_out = retrieval_corpus[(retrieval_corpus["split"] == "held_out") & (retrieval_corpus["task"] != "NONE")]
        items = items_from(held_out.groupby("task").head(most))
        say = log_progress(context.log.info, 5, "simulated files, true queries answered: ")
        found = true_results(ledger, items, sizes.rows, profile.seed, say)
        shares = found.groupby("task")["correct"].agg(["sum", "size", "mean"]) if len(found) else found
        return Made(
            found,
            {
                "questions": len(found),
                "results": int((found["result"] != "").sum()),
                "correct": float(found["correct"].mean()) if len(found) else 0.0,
                "seconds": float(found["seconds"].sum()),
                "by_task": markdown(shares.to_markdown() if len(found) else "none"),
            },
        )

    settings = {**sizes.model_dump(), "seed": profile.seed, "code": code_digest("causal_tools", "training")}
    return make(context, files, settings, build)


@dg.asset(
    group_name="evaluation", owners=["team:causalsmith"], kinds={"openai", "parquet"}, code_version="2", pool="api"
)
def gpt4_baseline(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    recordings: dg.ResourceParam[StoredRecordings],
    retrieval_corpus: pd.DataFrame,
    held_out_results: pd.DataFrame,
) -> dg.MaterializeResult:
    """A hosted model on the same questions: readings zero-shot and with the task given, explanations. Recorded, or absent."""
    from training.answers import explained
    from training.baseline_api import baseline_answers
    from training.corpora import items_from
    from training.digests import code_digest

    settings = profile.baseline
    endpoint = recordings.endpoint(settings)
    held_out = items_from(retrieval_corpus[retrieval_corpus["split"] == "held_out"])

    def build() -> Made:
        results = explained(held_out_results, profile.evaluation.explanations_per_task)
        say = log_progress(context.log.info, 5, f"{settings.model}, requests done: ") if endpoint.can_call else None
        found = baseline_answers(endpoint, held_out, results, say)
        failed = found[found["failure"] != ""]
        kinds = found.assign(answered=found["failure"] == "").groupby("kind", sort=False)
        counts = kinds.agg(
            asked=("id", "size"),
            answered=("answered", "sum"),
            prompt_tokens=("prompt_tokens", "sum"),
            completion_tokens=("completion_tokens", "sum"),
            dollars=("dollars", "sum"),
        )
        why = failed["failure"].str.slice(0, 200).value_counts()
        return Made(
            found,
            {
                "model": settings.model,
                "questions": len(found),
                "answers": len(found) - len(failed),
                "failed": len(failed),
                "calls": endpoint.calls,
                "dollars_tonight": endpoint.spent,
                "dollars_in_all": float(found["dollars"].sum()),
                "unpriced": int(found["dollars"].isna().sum()),
                "recorded": recordings.count(),
                "counts": markdown(counts.to_markdown()),
                "why_absent": "; ".join(f"{n} × {text}" for text, n in why.head(3).items()) or "nothing is absent",
            },
        )

    def nothing_to_ask(stored: Stored) -> bool:
        """Complete; or no key, and no recording that has come since."""
        absent = int(stored.metadata["failed"]) > 0
        return not absent or (not endpoint.can_call and stored.metadata["recorded"] == recordings.count())

    chosen = settings.model_dump(exclude={"spend_cap", "timeout", "tries", "first_wait", "calls_per_minute"})
    chosen |= {"explanations": profile.evaluation.explanations_per_task, "code": code_digest("training")}
    return make(context, files, chosen, build, still_holds=nothing_to_ask)


@dg.asset_check(asset="gpt4_baseline", description="The hosted model has answered everything that it was asked.")
def baseline_is_there(gpt4_baseline: pd.DataFrame, profile: dg.ResourceParam[Profile]) -> dg.AssetCheckResult:
    """Warns where the comparison with the hosted model is missing; no number is made up for it."""
    from validation.results import CheckResult

    failed = gpt4_baseline[gpt4_baseline["failure"] != ""]
    asked, answered = len(gpt4_baseline), len(gpt4_baseline) - len(failed)
    model = profile.baseline.model
    text = (
        f"{answered} of {asked} requests answered by {model}."
        if answered
        else f"No answers of {model}: neither recordings nor {profile.baseline.key_variable}, or it refused. "
        "The reports have no column for it."
    )
    reasons = failed.assign(reason=failed["failure"].str.slice(0, 160)).value_counts(["kind", "reason"]).reset_index()
    return as_check_result(CheckResult("baseline", asked == answered, text, reasons), warn_only=True)
