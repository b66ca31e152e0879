"""Drawing what a question asks, before it has words: variables for the roles, conditions, and an imagined header."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from causal_tools.contract import CausalQuery, Condition
from training.grammar.conditions import ConditionSpeaker, DrawnCondition, draw_condition
from training.grammar.engine import Draws, FamilyTask
from training.grammar.mentions import Speaker, choose_columns
from training.topic_library import Role, Topic, Variable

COVARIATE_SHARE = 0.08
ANY_ROLE_SHARE = 0.2
FILLER_SHARE, MOST_FILLERS = 0.4, 4
STRANGER_SHARE, MOST_STRANGERS = 0.6, 16
FILLERS = (
    "id", "ID", "row", "row_id", "Unnamed: 0", "index", "X", "rownames", "uid", "record_no", "obs", "serial", "case_id",
    "date", "Date", "timestamp", "year", "month", "wave", "batch", "created_at", "updated", "source", "version", "notes",
    "comment", "remarks", "flag", "status_code", "checksum", "weight_var", "strata", "cluster", "fold", "split_no", "tag",
    "name", "label", "entered_by", "site_no", "file_part", "ref", "key", "hash", "qc", "lat", "lon", "zip", "cntry", "v1",
    "V2", "col_3", "temp1", "misc_a", "score_z", "raw_total", "grp_no", "seq", "num", "is_test", "ln_ref", "sq_term",
)  # fmt: skip
_NEEDED: tuple[tuple[int, Callable[[Variable], bool]], ...] = (  # for every task to be asked of a file
    (2, lambda v: "treatment" in v.roles and v.discrete),
    (2, lambda v: v.better == "higher"),
    (1, lambda v: "mediator" in v.roles),
    (2, lambda v: "condition" in v.roles),
)


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


@dataclass(frozen=True)
class Header:
    """The imagined file that questions are asked about.

    Attributes:
        names: by variable, its column, in file order.
        columns: all of the file's columns in order: those, and some that belong to no variable, as files have.
    """

    names: dict[str, str]
    columns: tuple[str, ...]

    def variables(self, topic: Topic) -> tuple[Variable, ...]:
        """The topic's variables that the file holds."""
        return tuple(variable for variable in topic.variables if variable.name in self.names)


def draw_header(topic: Topic, others: Sequence[Topic], draws: Draws) -> Header:
    """A file of which every task can be asked: some of the topic's variables, and often columns that are none of them.

    Those are the identifiers and leftovers that files have, and columns of ``others`` which have no word in
    common with the topic.
    """
    needed: list[Variable] = []
    for count, fits in _NEEDED:
        needed += draws.sample([v for v in topic.variables if fits(v) and v not in needed], count)
    left = [variable for variable in topic.variables if variable not in needed]
    extra = int((len(left) + 1) * draws.number() ** 1.3)
    held = [*needed, *draws.sample(left, extra)]
    names = choose_columns(draws.sample(held, len(held)), draws)
    known = set(topic.spellings)
    strangers: list[str] = []
    if draws.chance(FILLER_SHARE):
        strangers += draws.sample(FILLERS, draws.between(1, MOST_FILLERS))
    if draws.chance(STRANGER_SHARE) and others:
        apart = [v for other in draws.sample(others, 2) for v in other.variables if not topic.stems & v.stems]
        called = choose_columns(draws.sample(apart, draws.between(2, MOST_STRANGERS)), draws)
        strangers += called.values()
    columns = list(names.values())
    for name in strangers:
        if name.casefold() not in known:
            columns.insert(draws.between(0, len(columns)), name)
            known.add(name.casefold())
    return Header(names, tuple(columns))


def draw_meaning(
    task: FamilyTask, topic: Topic, header: Header, open_slots: frozenset[str], draws: Draws
) -> Meaning | None:
    """Draw variables for the slots that the chosen wording has open; None where they cannot be filled.

    In some questions any variable may stand in any role, so that who acts on whom has to be read off the words.
    """
    variables = header.variables(topic)
    if task == "NONE":
        return Meaning(spoken_of=tuple(draws.sample(variables, len(open_slots & {"a", "b"}))))
    if task == "CGL":
        if "nodes" not in open_slots:
            return Meaning()
        return Meaning(nodes=tuple(draws.sample(variables, draws.between(2, 6))))
    taken: set[str] = set()
    any_role = task != "OPO" and draws.chance(ANY_ROLE_SHARE)

    def take(role: Role, worded: bool, allowed: Callable[[Variable], bool] = lambda _: True) -> Variable | None:
        fits = [
            v
            for v in variables
            if (any_role or role in v.roles) and v.name not in taken and allowed(v)
            if not worded or (header.names[v.name] != v.code and (v.doing if role == "treatment" else v.happening))
        ]  # fmt: skip
        if not fits:
            return None
        found = draws.pick(fits)
        taken.add(found.name)
        return found

    mediator = take("mediator", "between" in open_slots) if task == "MA" else None
    higher: Callable[[Variable], bool] = lambda v: v.better == "higher" if task == "OPO" else True  # noqa: E731
    response = take("response", "happening" in open_slots, higher)
    treatment = take("treatment", "doing" in open_slots, (lambda v: v.discrete) if task == "OPO" else lambda _: True)
    if response is None or treatment is None or (task == "MA" and mediator is None):
        return None
    conditions: list[DrawnCondition] = []
    if open_slots & {"group", "when", "one", "facts"}:
        number = draws.number()
        wanted = (1 if number < 0.72 else 2) if task == "HTE" else (1 if number < 0.45 else 2 if number < 0.85 else 3)
        fits = [v for v in variables if (any_role or "condition" in v.roles) and v.name not in taken]
        for variable in draws.sample(fits, wanted):
            taken.add(variable.name)
            conditions.append(draw_condition(variable, draws, equality_share=0.85 if task == "OPO" else 0.12))
        if not conditions:
            return None
    covariates: tuple[Variable, ...] = ()
    if task in ("ATE", "HTE", "MA") and draws.chance(COVARIATE_SHARE):
        left = [v for v in variables if "covariate" in v.roles and v.name not in taken]
        covariates = tuple(draws.sample(left, draws.between(1, 3)))
    return Meaning(treatment, response, mediator, tuple(conditions), covariates)


def as_query(task: FamilyTask, meaning: Meaning, header: Mapping[str, str], dataset: str | None) -> CausalQuery | None:
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


def _worded(variable: Variable | None, deed: bool) -> tuple[Variable, tuple[str, ...]]:
    if variable is None:
        raise ValueError("a slot for words is open, but no variable was drawn for it")
    return variable, variable.doing if deed else variable.happening


_WORDED: dict[str, Callable[[Meaning], tuple[Variable, tuple[str, ...]]]] = {
    "doing": lambda meaning: _worded(meaning.treatment, deed=True),
    "happening": lambda meaning: _worded(meaning.response, deed=False),
    "between": lambda meaning: _worded(meaning.mediator, deed=False),
}


def say_slots(
    meaning: Meaning, topic: Topic, header: Mapping[str, str], file: str, open_slots: Sequence[str], draws: Draws
) -> tuple[dict[str, str], dict[str, str]]:
    """Words for every open slot; and by column, the words for it where they are not its name."""
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
        elif slot in _WORDED:
            variable, wordings = _WORDED[slot](meaning)
            slots[slot] = speaker.said[header[variable.name]] = draws.pick(wordings)
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
    return slots, speaker.said
