"""Knobs: how far a scenario is turned away from what the language model says, and the hidden cause that one of them adds.

Source: this project's own; the paper's data sets come as the language model gives them.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sdscm.variable import Number, Variable

HIDDEN_CAUSE = "hidden_cause"


class Knobs(BaseModel):
    """What is changed in the laws of treatment and outcome; the defaults change nothing.

    Attributes:
        overlap: weight of the uniform law mixed into the treatment's conditional law, in [0, 1]; 1 is a randomised trial.
        effect: factor on the treatment's effect on the outcome; 0 removes it, −1 turns it round.
        heterogeneity: factor on the spread of that effect around its mean, at least 0.
        hidden_confounding: tilt, in nats, of a silent common cause of treatment and outcome; 0 is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap: float = Field(default=0, ge=0, le=1, allow_inf_nan=False)
    effect: Number = 1
    heterogeneity: float = Field(default=1, ge=0, allow_inf_nan=False)
    hidden_confounding: Number = 0


def fit_knobs(
    knobs: Knobs, variables: tuple[Variable, ...], treatment: Variable, outcome: Variable
) -> tuple[Variable, ...]:
    """The variables that go with the knobs: with the hidden cause, unless it is there already or is not asked for.

    Raises:
        ValueError: the graph or a law has no place for what a knob changes, or another variable has the cause's name.
    """
    if (knobs.effect != 1 or knobs.heterogeneity != 1) and treatment.name not in outcome.parents:
        raise ValueError(
            f"the knobs effect and heterogeneity scale a direct effect, but {treatment.name!r} is not a parent of "
            f"{outcome.name!r}; leave both at 1, or take a scenario with that edge"
        )
    if knobs.hidden_confounding == 0:
        return variables
    if given := [variable for variable in (treatment, outcome) if variable.law != "language model"]:
        raise ValueError(
            f"the knob hidden_confounding tilts treatment and outcome, but the law of {given[0].name!r} is "
            f"{given[0].law!r}, and so without causes; leave that law to the language model"
        )
    children = (treatment.name, outcome.name)
    if all(variable.name != HIDDEN_CAUSE for variable in variables):
        return _add_hidden_cause(variables, knobs.hidden_confounding, children)
    if not _is_ours(variables, knobs.hidden_confounding, children):
        raise ValueError(
            f"the knob hidden_confounding adds a variable {HIDDEN_CAUSE!r}, and there already is another of that name; "
            f"rename it"
        )
    return variables


def drop_hidden_cause(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """The variables without the hidden cause, which no child then has as a parent."""
    return tuple(
        _with_parents(
            v,
            tuple(parent for parent in v.parents if parent != HIDDEN_CAUSE),
            {parent: tilt for parent, tilt in v.tilts.items() if parent != HIDDEN_CAUSE},
        )
        for v in variables
        if v.name != HIDDEN_CAUSE
    )


def _add_hidden_cause(variables: tuple[Variable, ...], tilt: float, children: tuple[str, str]) -> tuple[Variable, ...]:
    cause = Variable(name=HIDDEN_CAUSE, role="hidden", levels=("absent", "present"), law="uniform", silent=True)
    return (
        cause,
        *(
            _with_parents(v, (HIDDEN_CAUSE, *v.parents), {**v.tilts, HIDDEN_CAUSE: tilt}) if v.name in children else v
            for v in variables
        ),
    )


def _is_ours(variables: tuple[Variable, ...], tilt: float, children: tuple[str, str]) -> bool:
    tilted = {v.name: v.tilts.get(HIDDEN_CAUSE) for v in variables if HIDDEN_CAUSE in v.parents}
    return tilted == dict.fromkeys(children, tilt) and any(v.name == HIDDEN_CAUSE and v.silent for v in variables)


def _with_parents(variable: Variable, parents: tuple[str, ...], tilts: dict[str, float]) -> Variable:
    return Variable.model_validate({**variable.model_dump(), "parents": parents, "tilts": tilts})
