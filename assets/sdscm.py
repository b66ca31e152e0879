"""Language models as causal effect generators: their conditional tables, and data sets whose true effects are known."""

import dagster as dg
import pandas as pd

from assets.making import Made, log_progress, make, markdown, picture
from assets.models import LanguageModels
from assets.partitions import by_scenario_and_lm, scenario_and_lm
from assets.profile import Profile
from assets.storage import FileStore
from sdscm.scenario import Scenario

MOST_CONTEXTS = 5_000  # complete tables up to here; beyond, only the contexts that a sample meets


@dg.asset(
    group_name="sdscm",
    owners=["team:causalsmith"],
    kinds={"pytorch", "parquet"},
    partitions_def=by_scenario_and_lm,
    code_version="2",
)
def conditional_tables(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
) -> dg.MaterializeResult:
    """P(level | parents) of every variable of one scenario under one language model."""
    from sdscm import SequenceSCM, TooLarge
    from sdscm.pictures import draw_dag

    name, lm_name = scenario_and_lm(context)
    settings, scenario = profile.sdscm, chosen_scenario(name, profile)

    def build() -> Made:
        model = models.load(lm_name)
        before = model.meter.tokens
        scm = SequenceSCM(scenario, model, settings.rule, settings.temperature, settings.coupling, models.memo())
        try:
            scm.tables.complete(MOST_CONTEXTS)
        except TooLarge:
            context.log.info("the complete tables are too large; filling the contexts that the benchmark's worlds meet")
            treatment = scenario.only("treatment")
            worlds = [None, *({treatment.name: level} for level in treatment.levels)]
            scm.worlds(settings.rows, profile.seed, worlds, progress=log_progress(context.log.info))
        frame = scm.tables.frame()
        return Made(
            frame,
            {
                "contexts": int(frame["context"].nunique()),
                "contexts_scored": scm.tables.contexts_scored,
                "lm_tokens": model.meter.tokens - before,
                "lm_digest": model.digest,
                "graph": picture(name, draw_dag(scenario, 80 if len(scenario.variables) < 10 else 45)),
                "preview": markdown(
                    frame[["context", "level", "probability"]].head(12).to_markdown(index=False, floatfmt=".4f")
                ),
            },
        )

    chosen = {
        "scenario": scenario.digest,
        "lm": lm_name,
        "rule": settings.rule,
        "temperature": settings.temperature,
        "rows": settings.rows,
        "seed": profile.seed,
    }
    return make(context, files, chosen, build, still_holds=models.still(lm_name))


@dg.asset(
    group_name="sdscm",
    owners=["team:causalsmith"],
    kinds={"python", "parquet"},
    partitions_def=by_scenario_and_lm,
    code_version="2",
)
def sdscm_benchmark(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
    conditional_tables: pd.DataFrame,
) -> dg.MaterializeResult:
    """A data set of one scenario and language model: factual rows and every unit's potential outcomes."""
    from sdscm import SequenceSCM
    from sdscm.benchmark import make_benchmark

    name, lm_name = scenario_and_lm(context)
    settings, scenario = profile.sdscm, chosen_scenario(name, profile)

    def build() -> Made:
        scm = SequenceSCM(scenario, models.lazy(lm_name), settings.rule, settings.temperature, settings.coupling)
        scm.tables.adopt(conditional_tables)
        made = make_benchmark(scm, settings.rows, profile.seed, kind=settings.outcome, most_contexts=MOST_CONTEXTS)
        texts = made.frame.astype(dict.fromkeys(made.frame.select_dtypes("category").columns, str))
        truths = {
            "sample_ate": made.sample_ate,
            "exact_ate": made.exact_ate,
            "difference_in_means": made.difference_in_means,
        }
        return Made(
            texts,
            {
                "rows": len(made.frame),
                "unit_effect_sd": made.unit_effect_sd,
                "hidden": ", ".join(made.hidden),
                "manifest": made.manifest,
                "new_contexts": scm.tables.contexts_scored,
                **{key: value for key, value in truths.items() if value is not None},
                "preview": markdown(made.frame.head(8).to_markdown(index=False)),
            },
        )

    chosen = {
        "scenario": scenario.digest,
        "lm": lm_name,
        "rows": settings.rows,
        "seed": profile.seed,
        "coupling": settings.coupling,
        "outcome": settings.outcome,
    }
    return make(context, files, chosen, build)


def chosen_scenario(name: str, profile: Profile) -> Scenario:
    """The scenario under the profile's phrasing and knobs."""
    from sdscm import load_scenario

    return load_scenario(name, phrasing=profile.sdscm.phrasing).turned(**profile.sdscm.knobs.model_dump())
