"""Audits of language models: which effect each encodes, and how far it is the wording's."""

from typing import get_args

import dagster as dg

from assets.making import Made, log_progress, make, markdown, picture
from assets.models import LanguageModels
from assets.partitions import by_scenario_and_lm, scenario_and_lm
from assets.profile import Profile
from assets.storage import FileStore
from lm.model import Rule


@dg.asset(
    group_name="sdscm",
    owners=["team:causalsmith"],
    kinds={"pytorch", "parquet"},
    partitions_def=by_scenario_and_lm,
    code_version="2",
    deps=["conditional_tables"],
)
def encoded_effects(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    models: dg.ResourceParam[LanguageModels],
) -> dg.MaterializeResult:
    """The effect that a language model encodes for one scenario, per phrasing, and what it hangs on."""
    from assets.sdscm import chosen_scenario
    from sdscm.audit import BASE, audit
    from sdscm.audit_picture import draw_audit

    name, lm_name = scenario_and_lm(context)
    sizes, scenario = profile.sdscm.audit, chosen_scenario(name, profile)

    def build() -> Made:
        model = models.load(lm_name)
        found = audit(
            scenario,
            model,
            sizes.phrasings,
            rules=(profile.sdscm.rule, *(rule for rule in get_args(Rule) if rule != profile.sdscm.rule)),
            variant_phrasings=sizes.variant_phrasings,
            seeds=sizes.seeds,
            rows=sizes.rows,
            temperature=profile.sdscm.temperature,
            memo=models.memo(),
            progress=log_progress(context.log.info, 2),
        )
        base = found.effects.loc[found.effects["variant"] == BASE, "effect"]
        numbers = {
            "mean_effect": float(base.mean()),
            "sd_over_phrasings": float(base.std()),
            "sign_stability": found.sign_stability,
            "phrasing_share": found.variance["phrasing"],
            "between_phrasings": found.between_phrasings,
        }
        return Made(
            found.effects,
            {
                **{
                    key: value for key, value in numbers.items() if value == value
                },  # NaN, where nothing varies, is no number
                "lm_digest": model.digest,
                "sign": found.sign,
                "effects": picture(name, draw_audit(found, name)),
                "sensitivity": markdown(found.sensitivity.to_markdown(index=False, floatfmt=".3g")),
            },
        )

    chosen = {
        "scenario": scenario.digest,
        "lm": lm_name,
        "rule": profile.sdscm.rule,
        "temperature": profile.sdscm.temperature,
        "audit": sizes.model_dump(),
    }
    return make(context, files, chosen, build, still_holds=models.still(lm_name))
