"""How assets are split: questions by task, adapters by variant, SD-SCM data by scenario and language model."""

from __future__ import annotations

from typing import get_args

import dagster as dg

from assets.profile import LanguageModelName, Profile, Variant
from sdscm import list_scenarios

TASKS = ("CGL", "ATE", "HTE", "MA", "OPO", "NONE")  # NONE: questions that ask for no causal task, to be refused
VARIANTS = get_args(Variant)
LANGUAGE_MODELS = get_args(LanguageModelName)

by_task = dg.StaticPartitionsDefinition(list(TASKS))
by_variant = dg.StaticPartitionsDefinition(list(VARIANTS))
by_scenario_and_lm = dg.MultiPartitionsDefinition(
    {
        "scenario": dg.StaticPartitionsDefinition(list_scenarios()),
        "lm": dg.StaticPartitionsDefinition(list(LANGUAGE_MODELS)),
    }
)


def scenario_and_lm(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """The scenario and the language model of the run's partition."""
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise TypeError(f"expected a partition of scenario and lm; got {key!r}")
    return key.keys_by_dimension["scenario"], key.keys_by_dimension["lm"]


def sdscm_partitions(profile: Profile) -> list[dg.MultiPartitionKey]:
    """The partitions that a profile makes."""
    return [
        dg.MultiPartitionKey({"scenario": s, "lm": m})
        for s in profile.sdscm.scenarios
        for m in profile.sdscm.language_models
    ]
