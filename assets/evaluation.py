"""How well held-out questions are read, answered and explained: by the tuned model, by what it has to beat, by baselines."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import dagster as dg
import pandas as pd

from assets.contenders import (
    COMPARED_WITH,
    EVALUATED,
    UNTUNED,
    challenger_of,
    contenders,
    incumbent_among,
    incumbent_of,
)
from assets.making import Made, log_progress, make, markdown
from assets.models import LanguageModels
from assets.profile import Profile
from assets.storage import FileStore
from training.digests import code_digest
from training.ledger import Ledger
from training.queries import QueryItem
from training.tracking import Tracking


@dg.asset(
    group_name="evaluation", owners=["team:causalsmith"], kinds={"pytorch", "parquet"}, code_version="3", pool="gpu"
)
def assistant_evaluation(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
    tracking: dg.ResourceParam[Tracking],
    ledger: dg.ResourceParam[Ledger],
    retrieval_corpus: pd.DataFrame,
    registered_assistant: dict,
    gpt4_baseline: pd.DataFrame,
) -> dg.MaterializeResult:
    """Each held-out question as read by the tuned model, the untuned one, the incumbent and the baselines."""
    from training.baseline_api import READING, TASK_GIVEN
    from training.baselines import majority_readings, nearest_readings
    from training.corpora import items_from
    from training.evaluation import AT_ONCE, timed_readings

    incumbent = incumbent_of(tracking, registered_assistant)
    models_here = contenders(profile, models, challenger_of(files, registered_assistant), incumbent)

    def build() -> Made:
        train, items = (
            items_from(retrieval_corpus[retrieval_corpus["split"] == side]) for side in ("train", "held_out")
        )
        columns: dict[str, list[Any]] = {}
        for name, one in models_here.items():
            say = log_progress(context.log.info, 5, f"{name}, questions read: ")
            shown_alone = name == UNTUNED and incumbent_among(list(models_here)) != UNTUNED
            places = _first_of_each_task(items, profile.evaluation.untuned_per_task if shown_alone else None)
            lines = timed_readings(ledger, one.digest, cache(one.load), [items[n] for n in places], say, AT_ONCE)
            known = dict(zip(places, lines, strict=True))
            columns[name] = [known[n]["reading"] if n in known else MISSING for n in range(len(items))]
            columns[f"seconds {name}"] = [known[n]["seconds"] if n in known else None for n in range(len(items))]
        columns["nearest question"] = nearest_readings(train, items)
        columns["majority"] = majority_readings(train, items)
        for kind, name in ((READING, profile.baseline.model), (TASK_GIVEN, f"{profile.baseline.model}, task given")):
            answered = gpt4_baseline[(gpt4_baseline["kind"] == kind) & (gpt4_baseline["failure"] == "")]
            if len(answered):
                told_by_id = dict(zip(answered["id"], answered["answer"], strict=True))
                columns[name] = [json.loads(told_by_id[i.id]) if i.id in told_by_id else MISSING for i in items]
        facts = {name: [getattr(i, name) for i in items] for name in ("id", "task", "topic", "question", "query")}
        told = {
            name: values if name.startswith("seconds ") else [_text(value) for value in values]
            for name, values in columns.items()
        }
        frame = pd.DataFrame({**facts, "query": [json.dumps(query) for query in facts["query"]], **told})
        compared = {
            "questions": len(items),
            COMPARED_WITH: incumbent.version if incumbent else "",
            EVALUATED: registered_assistant["adapter_digest"],
        }
        return Made(frame, {**compared, **_reading_figures(frame, profile.seed)})

    chosen = {
        "models": {name: one.digest for name, one in models_here.items()},
        COMPARED_WITH: incumbent.version if incumbent else "",
        EVALUATED: registered_assistant["adapter_digest"],
        "seed": profile.seed,
        "untuned": profile.evaluation.untuned_per_task,
        "code": code_digest("training"),
    }
    return make(context, files, chosen, build)


@dg.asset(group_name="evaluation", owners=["team:causalsmith"], kinds={"python", "parquet"}, code_version="1")
def answer_evaluation(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    ledger: dg.ResourceParam[Ledger],
    retrieval_corpus: pd.DataFrame,
    held_out_results: pd.DataFrame,
    assistant_evaluation: pd.DataFrame,
) -> dg.MaterializeResult:
    """What comes of the readings on simulated files: delivered (pass), relevant, correct (win), for every system."""
    from training.answers import answers_of
    from training.corpora import items_from
    from training.scoreboard import systems_of

    sizes = profile.evaluation

    def build() -> Made:
        truths = held_out_results.groupby("task").head(sizes.answers_per_task)
        readings = assistant_evaluation.set_index("id").loc[truths["id"]]
        held_out = {item.id: item for item in items_from(retrieval_corpus[retrieval_corpus["split"] == "held_out"])}
        tables = []
        for system in systems_of(assistant_evaluation):
            there = readings[system].notna().to_numpy()
            given = [json.loads(text) for text in readings[system][there]]
            items = [held_out[name] for name in truths["id"][there]]
            say = log_progress(context.log.info, 5, f"{system}, questions answered: ")
            found = answers_of(ledger, items, given, truths[there], sizes.rows, profile.seed, say)
            tables.append(found.assign(system=system))
        frame = pd.concat(tables, ignore_index=True)
        by_system = frame.groupby("system", sort=False)[["delivered", "relevant", "correct"]]
        shares = by_system.mean().assign(questions=by_system.size()) if len(frame) else frame
        return Made(frame, {"questions": len(truths), "shares": markdown(shares.to_markdown(floatfmt=".3f"))})

    settings = {**sizes.model_dump(), "seed": profile.seed, "code": code_digest("causal_tools", "training")}
    return make(context, files, settings, build)


@dg.asset(
    group_name="evaluation", owners=["team:causalsmith"], kinds={"pytorch", "parquet"}, code_version="1", pool="gpu"
)
def explanation_evaluation(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
    tracking: dg.ResourceParam[Tracking],
    ledger: dg.ResourceParam[Ledger],
    held_out_results: pd.DataFrame,
    registered_assistant: dict,
    gpt4_baseline: pd.DataFrame,
) -> dg.MaterializeResult:
    """Raw explanations of results by every system, judged by the rubric: hallucination, incompleteness, non-fluency."""
    from training.answers import explained
    from training.baseline_api import EXPLANATION
    from training.explaining import NOTHING_SAID, judged, raw_explanations

    models_here = contenders(
        profile, models, challenger_of(files, registered_assistant), incumbent_of(tracking, registered_assistant)
    )
    sizes = profile.evaluation

    def build() -> Made:
        results = explained(held_out_results, sizes.explanations_per_task)
        texts: dict[str, list[str]] = {}
        for name, one in models_here.items():
            say = log_progress(context.log.info, 5, f"{name}, results explained: ")
            texts[name] = raw_explanations(ledger, one.digest, cache(one.load), results, say)
        texts["template"] = [result.summary for _, _, result in results]
        texts["fixed sentence"] = [NOTHING_SAID for _ in results]
        frame = judged(results, texts)
        hosted = gpt4_baseline[(gpt4_baseline["kind"] == EXPLANATION) & (gpt4_baseline["failure"] == "")]
        known = dict(zip(hosted["id"], hosted["answer"], strict=True))
        if known:
            there = [one for one in results if one[0] in known]
            theirs = judged(there, {profile.baseline.model: [known[name] for name, _, _ in there]})
            frame = pd.concat([frame, theirs], ignore_index=True)
        topics = dict(zip(held_out_results["id"], held_out_results["topic"], strict=True))
        frame.insert(2, "topic", frame["id"].map(topics))
        by_system = frame.groupby("system", sort=False)[["faithful", "complete", "fluent"]]
        shares = by_system.mean().assign(explanations=by_system.size()) if len(frame) else frame
        example = frame[frame["system"] == "challenger"].groupby("task").head(1)[["task", "text"]]
        return Made(
            frame,
            {
                "explanations": len(results),
                "shares": markdown(shares.to_markdown(floatfmt=".3f")),
                "examples": markdown(example.to_markdown(index=False)),
            },
        )

    chosen = {
        "models": {name: one.digest for name, one in models_here.items()},
        "per_task": sizes.explanations_per_task,
        "code": code_digest("training", "causal_tools"),
    }
    return make(context, files, chosen, build)


MISSING = object()  # a question that a system was not asked, or has not answered


def _first_of_each_task(items: Sequence[QueryItem], count: int | None) -> list[int]:
    """Places of the first so many items of each task; of all, where there is no count."""
    seen: Counter[str] = Counter()
    found = []
    for place, item in enumerate(items):
        seen[item.task] += 1
        if count is None or seen[item.task] <= count:
            found.append(place)
    return found


def _text(reading: Any) -> str | None:
    return None if reading is MISSING else json.dumps(reading, ensure_ascii=False)


def _reading_figures(frame: pd.DataFrame, seed: int) -> dict[str, Any]:
    """What the UI plots over time, and the table of scores."""
    from training.scoreboard import field_scores, outcomes_of, scoreboard

    none = pd.DataFrame(columns=["id", "task", "topic", "system"])
    board = scoreboard(outcomes_of(frame, none, none), seed)
    whole = board[(board["metric"] == "reading_exact") & (board["task"] == "all")].to_dict("records")
    fields = field_scores(frame).set_index(["system", "field"])["exact"]
    lines = [
        {
            "system": row["system"],
            "all fields": f"{row['share']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            "right": f"{row['right']} of {row['questions']}",
            **{str(field): f"{share:.2f}" for field, share in fields[row["system"]].items()},
        }
        for row in whole
    ]
    figures = {f"exact_{row['system'].replace(' ', '_')}": float(row["share"]) for row in whole}
    return {**figures, "scores": markdown(str(pd.DataFrame(lines).to_markdown(index=False)))}
