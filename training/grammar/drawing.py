"""Drawing what a question asks, before it has words: variables for the roles, conditions, and an imagined header."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from causal_tools.contract import CausalQuery, Condition
from training.grammar.conditions import ConditionSpeaker, DrawnCondition, draw_condition
from training.grammar.engine import Draws, FamilyTask
from training.grammar.mentions import Speaker, choose_columns
from training.topic_library import Role, Topic, Variable

COVARIATE_SHARE = 0.08
FEWEST_DISTRACTORS, MOST_DISTRACTORS = 4, 12


@dataclass(frozen=True)
class Meaning:
    """The variables that a question is about, by role; ``nodes`` is None for 'all columns' and for other tasks."""

    treatment: Variable | None = None
    response: Variable | None = None
    mediator: Variable | None = None
    conditions: tuple[DrawnCondition, ...] = ()
    covariates: tuple[Variable, ...] = ()
    nodes: tuple[Variable, ...] | None = None
    spoken_of: tuple[Variable, ...] = ()

    @property
    def used(self) -> tuple[Variable, ...]:
        single = (self.treatment, self.response, self.mediator)
        several = (*(c.variable for c in self.conditions), *self.covariates, *(self.nodes or ()), *self.spoken_of)
        return tuple({v.name: v for v in (*single, *several) if v is not None}.values())


def draw_meaning(task: FamilyTask, topic: Topic, open_slots: frozenset[str], draws: Draws) -> Meaning:
    """Draw variables for the slots that the chosen wording has open."""
    if task == "NONE":
        return Meaning(spoken_of=tuple(draws.sample(topic.variables, len(open_slots & {"a", "b"}))))
    if task == "CGL":
        if "nodes" not in open_slots:
            return Meaning()
        return Meaning(nodes=tuple(draws.sample(topic.variables, draws.between(2, 6))))
    taken: set[str] = set()

    def take(role: Role, allowed: Callable[[Variable], bool] = lambda _: True) -> Variable:
        fits = [v for v in topic.variables if role in v.roles and v.name not in taken and allowed(v)]
        found = draws.pick(fits)
        taken.add(found.name)
        return found

    mediator = take("mediator") if task == "MA" else None
    response = take("response", (lambda v: v.better == "higher") if task == "OPO" else lambda _: True)
    treatment = take("treatment", (lambda v: v.discrete) if task == "OPO" else lambda _: True)
    conditions: list[DrawnCondition] = []
    if open_slots & {"group", "when", "one", "facts"}:
        number = draws.number()
        wanted = (1 if number < 0.72 else 2) if task == "HTE" else (1 if number < 0.45 else 2 if number < 0.85 else 3)
        fits = [v for v in topic.variables if "condition" in v.roles and v.name not in taken]
        for variable in draws.sample(fits, wanted):
            taken.add(variable.name)
            conditions.append(draw_condition(variable, draws, equality_share=0.85 if task == "OPO" else 0.12))
    covariates: tuple[Variable, ...] = ()
    if task in ("ATE", "HTE", "MA") and draws.chance(COVARIATE_SHARE):
        left = [v for v in topic.variables if "covariate" in v.roles and v.name not in taken]
        covariates = tuple(draws.sample(left, draws.between(1, 3)))
    return Meaning(treatment, response, mediator, tuple(conditions), covariates)


def draw_header(meaning: Meaning, topic: Topic, draws: Draws) -> dict[str, str]:
    """Name the columns of the imagined file, in file order: those in use, and others of the same topic."""
    used = {variable.name for variable in meaning.used}
    unused = [variable for variable in topic.variables if variable.name not in used]
    others = draws.sample(unused, draws.between(FEWEST_DISTRACTORS, MOST_DISTRACTORS))
    present = draws.sample([*meaning.used, *others], len(used) + len(others))
    return choose_columns(present, draws)


def as_query(task: FamilyTask, meaning: Meaning, header: dict[str, str], dataset: str | None) -> CausalQuery | None:
    """The structured query, its columns named as in the header; None for a question that is no causal task."""
    if task == "NONE":
        return None

    def column(variable: Variable | None) -> str | None:
        return None if variable is None else header[variable.name]

    return CausalQuery(
        task=task,
        dataset=dataset,
        nodes=None if meaning.nodes is None else tuple(header[v.name] for v in meaning.nodes),
        treatment=column(meaning.treatment),
        response=column(meaning.response),
        mediator=column(meaning.mediator),
        conditions=tuple(
            Condition(column=header[c.variable.name], operator=c.operator, value=c.value) for c in meaning.conditions
        ),
        covariates=tuple(header[v.name] for v in meaning.covariates) or None,
    )


def say_slots(
    meaning: Meaning, topic: Topic, header: dict[str, str], file: str, open_slots: Sequence[str], draws: Draws
) -> dict[str, str]:
    """Words for every open slot."""
    speaker = Speaker(header, draws)
    said_conditions = ConditionSpeaker(speaker, topic.unit, topic.units)
    used = {variable.name for variable in meaning.used}
    spare = [variable for variable in topic.variables if variable.name in header and variable.name not in used]
    role_slots = {"treatment": meaning.treatment, "response": meaning.response, "mediator": meaning.mediator}
    slots = {"file": file, "unit": topic.unit, "units": topic.units, "topic": topic.name}
    for slot in open_slots:
        variable = role_slots.get(slot)
        if variable is not None:
            slots[slot] = speaker.name(variable)
        elif slot in ("group", "one", "when", "facts"):
            slots[slot] = getattr(said_conditions, slot)(meaning.conditions)
        elif slot == "nodes":
            slots[slot] = speaker.listing(meaning.nodes or (), plain=False)
        elif slot == "covariates":
            slots[slot] = speaker.listing(meaning.covariates)
        elif slot == "other":
            slots[slot] = speaker.name(draws.pick(spare))
        elif slot in ("a", "b"):
            slots[slot] = speaker.name(meaning.spoken_of[-1 if slot == "b" else 0])
    return slots
