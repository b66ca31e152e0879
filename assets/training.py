"""Tuned adapters, and their versions in the registry."""

import io
import shutil
from pathlib import Path

import dagster as dg
import pandas as pd

from assets.making import Made, make, picture
from assets.partitions import by_variant
from assets.profile import Profile
from assets.storage import FileStore
from lm import LanguageModel
from training.corpora import MADE
from training.tracking import Tracking


@dg.asset(
    group_name="training",
    owners=["team:causalsmith"],
    kinds={"pytorch", "mlflow"},
    code_version="1",
    pool="gpu",
)
def second_reader(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    tracking: dg.ResourceParam[Tracking],
    retrieval_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """The second reader of questions, tuned on from the one that ships; where the profile has no recipe for it, that one."""
    from lm.places import home
    from lm.pointer import SHIPPED_SECOND, load_pointer
    from training.corpora import items_from
    from training.digests import folder_digest, frame_digest
    from training.second_reader import reader_matches, train_second_reader
    from training.test_sets import load_test_set

    recipe = profile.training.second_reader

    def build() -> Made:
        if recipe is None:
            return Made(SHIPPED_SECOND, {"tuned": False})
        train = retrieval_corpus[retrieval_corpus["split"] == "train"]
        made = train["source"].isin(MADE)
        corpus = frame_digest(retrieval_corpus)
        run_id = tracking.start_run(
            f"second reader ({profile.name})",
            recipe.model_dump(),
            {"retrieval_corpus": corpus, "dagster.run_id": context.run_id, "dagster.asset": "second_reader"},
        )

        def report(step: int, steps: int, loss: float) -> None:
            context.log.info(f"step {step} of {steps}, loss {loss:.3f}")

        with tracking.finishing(run_id) as client:
            trained = train_second_reader(
                items_from(train[~made]),
                items_from(train[made]),
                recipe,
                home() / "work" / "second-reader",
                report,
                SHIPPED_SECOND,
            )
            found = reader_matches(load_pointer(trained.folder), load_test_set("development"))
            figures = {
                "development_task_right": float(found["task_right"].mean()),
                "development_columns_right": float(found["all_right"].mean()),
            }
            for step, loss in trained.losses:
                client.log_metric(run_id, "loss", loss, step=step)
            for name, figure in figures.items():
                client.log_metric(run_id, name, figure)
        return Made(
            trained.folder,
            {
                "tuned": True,
                "questions": trained.questions,
                "steps": trained.steps,
                "seconds": trained.seconds,
                "resumed_at_step": trained.resumed_at,
                **figures,
                "mlflow_run": run_id,
                "retrieval_corpus": corpus,
                "loss": picture("training loss", _curve(trained.losses, [])),
            },
        )

    settings = {"recipe": recipe and recipe.model_dump(), "begun_from": folder_digest(SHIPPED_SECOND)}
    return make(context, files, settings, build)


@dg.asset(
    group_name="training",
    owners=["team:causalsmith"],
    kinds={"pytorch", "huggingface", "mlflow"},
    partitions_def=by_variant,
    code_version="3",
    pool="gpu",
)
def assistant_adapter(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    tracking: dg.ResourceParam[Tracking],
    retrieval_corpus: pd.DataFrame,
    interpretation_corpus: pd.DataFrame,
    second_reader: Path,
) -> dg.MaterializeResult:
    """A LoRA adapter that reads questions (retrieve), explains results (interpret), or both (mixed); the second reader that it
    goes with lies inside its folder."""
    from lm.load import weights_version
    from lm.places import home
    from lm.pointer import SECOND, SHIPPED_THIRD, THIRD
    from lm.registry import shipped_adapter
    from training.corpora import training_examples
    from training.digests import folder_digest, frame_digest
    from training.evaluation import share_read_right
    from training.model_card import write_model_card
    from training.sft import train_adapter
    from training.test_sets import load_test_set

    variant = context.partition_key
    recipe = profile.training.of(variant)

    def build() -> Made:
        examples = training_examples(retrieval_corpus, interpretation_corpus, recipe)
        digests = {
            "retrieval_corpus": frame_digest(retrieval_corpus),
            "interpretation_corpus": frame_digest(interpretation_corpus),
            SECOND: folder_digest(second_reader),
            THIRD: folder_digest(SHIPPED_THIRD),
        }
        run_id = tracking.start_run(
            f"assistant {variant} ({profile.name})",
            {**recipe.model_dump(), "variant": variant, "examples": len(examples)},
            {
                **digests,
                "dagster.run_id": context.run_id,
                "dagster.asset": "assistant_adapter",
                "dagster.partition": variant,
            },
        )
        work = home() / "work" / f"assistant-{variant}"
        work.mkdir(parents=True, exist_ok=True)

        def report(step: int, steps: int, loss: float) -> None:
            context.log.info(f"step {step} of {steps}, loss {loss:.3f}")

        def evaluate(model: LanguageModel) -> float:
            share = share_read_right(model, load_test_set("development")[:: recipe.every_development_question])
            context.log.info(f"development questions read right: {share:.3f}")
            return share

        with tracking.finishing(run_id) as client:
            trained = train_adapter(
                examples, recipe, work, evaluate=evaluate, tracking=tracking.environment(run_id), report=report
            )
            client.log_metric(run_id, "tokens_per_second", trained.tokens / trained.seconds)
            for step, score in trained.scores:
                client.log_metric(run_id, "development_exact_match", score, step=step)
        figures = {
            "examples": trained.examples,
            "trainable_parameters": trained.trainable_parameters,
            "last_loss": trained.losses[-1][1],
            "seconds": trained.seconds,
            "tokens_per_second": trained.tokens / trained.seconds,
            "resumed_at_step": trained.resumed_at,
            "kept_step": trained.kept_step,
            **({"development_exact_match": max(score for _, score in trained.scores)} if trained.scores else {}),
        }
        write_model_card(trained.folder, variant, digests, figures)
        for name, folder in ((SECOND, second_reader), (THIRD, SHIPPED_THIRD)):
            shutil.copytree(folder, trained.folder / name, dirs_exist_ok=True)
        return Made(
            trained.folder,
            {
                **figures,
                "mlflow_run": run_id,
                **digests,
                "loss": picture("training loss", _curve(trained.losses, trained.scores)),
            },
        )

    shipped = shipped_adapter() if recipe.start == "shipped" else None
    begun = folder_digest(shipped) if shipped is not None else None
    settings = {
        **recipe.model_dump(),
        "begun_from": begun,
        "weights": weights_version(recipe.base),
        THIRD: folder_digest(SHIPPED_THIRD),
    }
    return make(context, files, settings, build)


@dg.asset(
    group_name="training",
    owners=["team:causalsmith"],
    kinds={"mlflow"},
    code_version="1",
    ins={"assistant_adapter": dg.AssetIn(partition_mapping=dg.SpecificPartitionsPartitionMapping(["mixed"]))},
)
def registered_assistant(
    context: dg.AssetExecutionContext,
    files: dg.ResourceParam[FileStore],
    tracking: dg.ResourceParam[Tracking],
    assistant_adapter: Path,
) -> dg.MaterializeResult:
    """The mixed adapter as a version in MLflow's registry, with the alias ``challenger``."""
    stored = files.find("assistant_adapter", "mixed")
    if stored is None:
        raise dg.Failure("the adapter of variant 'mixed' has not been materialized")

    def build() -> Made:
        facts = stored.metadata
        held = ("retrieval_corpus", "interpretation_corpus", "second_reader", "third_reader")
        tags = {name: str(facts[name]) for name in held}
        version = tracking.register(
            assistant_adapter,
            stored.digest,
            facts["mlflow_run"],
            {
                **tags,
                "dagster.run_id": context.run_id,
                "dagster.data_version": stored.digest,
                "dagster.code_version": str(context.assets_def.specs_by_key[context.asset_key].code_version),
            },
        )
        return Made(
            {
                "name": version.name,
                "version": version.version,
                "run_id": version.run_id,
                "adapter_digest": stored.digest,
            },
            {
                "model": version.name,
                "version": int(version.version),
                "alias": "challenger",
                "mlflow_run": version.run_id,
                "adapter_digest": stored.digest,
                **tags,
            },
        )

    return make(
        context,
        files,
        {"uri": tracking.uri, "digest": stored.digest},
        build,
        still_holds=lambda registered: tracking.version_of_adapter(registered.metadata["adapter_digest"]) is not None,
    )


def _curve(losses: list[tuple[int, float]], scores: list[tuple[int, float]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 2.4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="training loss")
    axes.plot([step for step, _ in losses], [loss for _, loss in losses], marker=".", color="#3b6ea5")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if scores:
        right = axes.twinx()
        right.plot([step for step, _ in scores], [score for _, score in scores], marker="o", color="#b5532a")
        right.set(ylabel="read right (development)", ylim=(0, 1))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=70)
    return buffer.getvalue()
