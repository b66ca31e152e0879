"""Blocking checks of an SD-SCM data set: schema, Markov property on data and on tables, consistency, positivity."""

from typing import Any

import dagster as dg
import pandas as pd

from assets.checks import as_check_result
from assets.models import LanguageModels
from assets.partitions import by_scenario_and_lm
from assets.profile import Profile
from assets.sdscm import MOST_CONTEXTS, chosen_scenario
from sdscm.scenario import Scenario


def _check_of_benchmark(name: str, description: str) -> dict[str, Any]:
    """What the checks of a benchmark share; partitioned checks are a preview of Dagster's, so they stand here once."""
    return {
        "asset": "sdscm_benchmark",
        "name": name,
        "description": description,
        "blocking": True,
        "partitions_def": by_scenario_and_lm,
    }


@dg.asset_check(
    **_check_of_benchmark("schema", "Great Expectations: columns in order, no value outside a sample space.")
)
def benchmark_schema(
    context: dg.AssetCheckExecutionContext, profile: dg.ResourceParam[Profile], sdscm_benchmark: pd.DataFrame
) -> dg.AssetCheckResult:
    """Whether the data have the scenario's columns and levels, and nothing else."""
    from sdscm.benchmark import DO
    from validation.suites import sample_expectations, validate

    scenario = _scenario_of(context, profile)
    levels = {v.name: v.levels for v in scenario.variables}
    outcome, treatment = scenario.only("outcome"), scenario.only("treatment")
    potential = [f"{outcome.name}{DO}{level}" for level in treatment.levels]
    levels |= dict.fromkeys(potential, outcome.levels)
    if profile.sdscm.outcome != "level":
        levels |= dict.fromkeys([outcome.name, *potential], ())
    expectations = sample_expectations(levels, profile.sdscm.rows)
    return as_check_result(validate(sdscm_benchmark, "sdscm benchmark", expectations))


@dg.asset_check(**_check_of_benchmark("markov", "Every independence that the graph implies, tested on the data."))
def benchmark_markov(
    context: dg.AssetCheckExecutionContext, profile: dg.ResourceParam[Profile], sdscm_benchmark: pd.DataFrame
) -> dg.AssetCheckResult:
    """Whether the data have the Markov property of the scenario's graph."""
    from validation.independence import check_markov

    scenario = _scenario_of(context, profile)
    left_out: set[str] = set()
    if profile.sdscm.outcome != "level":  # a number, and nothing that depends on the level drawn can be told from it
        outcome = scenario.only("outcome").name
        left_out = {outcome} | scenario.descendants({outcome})
    tested = [v for v in scenario.variables if v.name not in left_out]
    codes = pd.DataFrame(
        {v.name: pd.Categorical(sdscm_benchmark[v.name], categories=list(v.levels)).codes for v in tested}
    )
    edges = [edge for edge in scenario.edges() if not left_out & set(edge)]
    return as_check_result(check_markov(codes, edges, false_discovery=profile.sdscm.false_discovery, seed=profile.seed))


@dg.asset_check(
    **_check_of_benchmark("markov_exact", "The same independences, on the exact law of the complete tables."),
    additional_ins={"tables": dg.AssetIn("conditional_tables")},
)
def benchmark_markov_exact(
    context: dg.AssetCheckExecutionContext,
    profile: dg.ResourceParam[Profile],
    models: dg.ResourceParam[LanguageModels],
    sdscm_benchmark: pd.DataFrame,
    tables: pd.DataFrame,
) -> dg.AssetCheckResult:
    """Whether the model's own law has the Markov property, where its tables are small enough to tell."""
    from sdscm import SequenceSCM, TooLarge
    from validation.markov import check_markov_exact
    from validation.results import CheckResult

    settings, lm_name = profile.sdscm, context.partition_key.keys_by_dimension["lm"]
    scm = SequenceSCM(_scenario_of(context, profile), models.lazy(lm_name), settings.rule, settings.temperature)
    scm.tables.adopt(tables)
    try:
        result = check_markov_exact(
            scm.exact(most_contexts=MOST_CONTEXTS), rows=settings.rows, false_discovery=settings.false_discovery
        )
    except TooLarge as reason:
        return as_check_result(CheckResult("markov_exact", False, f"Not run: {reason}"), warn_only=True)
    return as_check_result(result)


@dg.asset_check(**_check_of_benchmark("consistency", "Under its factual treatment a unit keeps its factual outcome."))
def benchmark_consistency(
    context: dg.AssetCheckExecutionContext, profile: dg.ResourceParam[Profile], sdscm_benchmark: pd.DataFrame
) -> dg.AssetCheckResult:
    """Whether factual and counterfactual worlds agree where they must."""
    from validation.worlds import check_consistency

    scenario = _scenario_of(context, profile)
    return as_check_result(
        check_consistency(sdscm_benchmark, scenario.only("treatment").name, scenario.only("outcome").name)
    )


@dg.asset_check(
    **_check_of_benchmark("positivity", "Every treatment level is possible in every context."),
    additional_ins={"tables": dg.AssetIn("conditional_tables")},
)
def benchmark_positivity(
    context: dg.AssetCheckExecutionContext,
    profile: dg.ResourceParam[Profile],
    sdscm_benchmark: pd.DataFrame,
    tables: pd.DataFrame,
) -> dg.AssetCheckResult:
    """Whether the treatment overlaps everywhere."""
    from validation.worlds import check_positivity

    treatment = _scenario_of(context, profile).only("treatment")
    least = profile.sdscm.least_treatment_probability
    return as_check_result(check_positivity(tables, treatment.name, least, treatment.own_law))


def _scenario_of(context: dg.AssetCheckExecutionContext, profile: Profile) -> Scenario:
    return chosen_scenario(context.partition_key.keys_by_dimension["scenario"], profile)
