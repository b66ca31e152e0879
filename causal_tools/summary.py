"""A result in two to four plain sentences that state every number, the method and the data set."""

from __future__ import annotations

import math

from causal_tools.contract import TASKS, CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult

DIGITS = 4
# of the marks of a search that allows hidden common causes
MEANINGS = {
    "o->": "'a o-> b' says that b does not cause a, but not whether a causes b or a hidden cause drives both",
    "<->": "'a <-> b' says that neither causes the other and a hidden cause drives both",
    "o-o": "'a o-o b' leaves open which causes which, and whether a hidden cause drives both",
}


def format_number(value: float) -> str:
    """Four significant digits, without exponents for ordinary sizes."""
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e9:
        return f"{value:.{DIGITS - 1}e}"
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_interval(interval: tuple[float, float] | None) -> str:
    """The interval as sentences say it."""
    if interval is None:
        return "no interval"
    return f"95 % interval {format_number(interval[0])} to {format_number(interval[1])}"


def summarise(result: CausalResult) -> str:
    """The templated text of any result."""
    if isinstance(result, GraphResult):
        return _graph(result)
    if isinstance(result, MediationResult):
        return _mediation(result)
    if isinstance(result, PolicyResult):
        return _policy(result)
    if isinstance(result, EffectResult):
        return _effect(result)
    raise TypeError(f"no template for {type(result).__name__}")


def _opening(result: CausalResult) -> str:
    data = result.query.dataset or "the data"
    return f"By {TASKS[result.task]} on {result.n_rows} rows of {data}, using {result.method}"


def _move(result: EffectResult | MediationResult) -> str:
    if result.diagnostics["treatment_read_as"] == "amount" and result.query.contrast is None:
        return f"raising {result.query.treatment} by one unit"
    return f"setting {result.query.treatment} to {result.contrast[1]} instead of {result.contrast[0]}"


def _direction(value: float) -> str:
    return "raises" if value > 0 else "lowers" if value < 0 else "does not change"


def _effect(result: EffectResult) -> str:
    conditions = " and ".join(map(str, result.query.conditions))
    where = f" where {conditions}" if conditions else " on average"
    numbers = f"the estimated effect is {format_number(result.estimate)} ({format_interval(result.interval)})"
    text = (
        f"{_opening(result)}, {_move(result)} {_direction(result.estimate)} {result.query.response}{where}: {numbers}. "
        f"{_certainty(result.interval)}"
    )
    contrasts = result.diagnostics.get("contrasts", [])
    if contrasts:
        listed = "; ".join(
            f"{row['to']} instead of {row['from']}: {format_number(row['estimate'])} "
            f"({format_interval(tuple(row['interval']))})"
            for row in contrasts
        )
        text += f" Every level compared: {listed}."
    return f"{text} {_adjustment(result)}"


def _certainty(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "No interval could be made."
    low, high = interval
    return (
        "The interval excludes zero."
        if low > 0 or high < 0
        else "The interval includes zero, so no effect is not ruled out."
    )


def _adjustment(result: CausalResult) -> str:
    stated = next((line for line in result.assumptions if "adjusted for" in line), "")
    return f"It was {stated}." if stated.startswith("adjusted") else f"Here {stated}." if stated else ""


def _mediation(result: MediationResult) -> str:
    query = result.query
    share = result.diagnostics.get("proportion_mediated")
    text = (
        f"{_opening(result)}, {_move(result)} has a total effect on {query.response} of {format_number(result.total)} "
        f"({format_interval(result.interval)}). Of this the indirect effect, through {query.mediator}, is "
        f"{format_number(result.indirect)} ({format_interval(result.indirect_interval)}), and the direct effect, "
        f"by other ways, "
        f"is {format_number(result.direct)} ({format_interval(result.direct_interval)}). "
    )
    if share is not None:
        text += f"The share that goes through {query.mediator} is {format_number(share)}. "
    return text + _adjustment(result)


def _policy(result: PolicyResult) -> str:
    query = result.query
    conditions = " and ".join(map(str, query.conditions))
    where = f"where {conditions}" if conditions else "over all units"
    others = "; ".join(
        f"{action}: {format_number(value)} ({format_interval(tuple(result.diagnostics['action_intervals'][action]))})"
        for action, value in result.values.items()
        if action != str(result.action)
    )
    settled = result.diagnostics["gain_over_next_best_interval"][0] > 0
    treatment, stage, onward = str(query.treatment), "", ""
    if query.second_treatment is not None:
        late = result.second_action is not None
        treatment, stage = (query.second_treatment, "second ") if late else (treatment, "first ")
        onward = "" if late else f", followed by the learned rule for {query.second_treatment},"
    return (
        f"{_opening(result)}, the {stage}action to take {where} is {treatment} = {result.action}, which{onward} causes the "
        f"{query.goal} mean {query.response}: {format_number(result.estimate)} ({format_interval(result.interval)}). "
        f"The other actions' means are "
        f"{others}. "
        + ("" if settled else "The gain over the next best action is not settled by these data. ")
        + f"What was done in the data gave {format_number(result.diagnostics['behaviour_value'])}, and a "
        f"{'smaller' if query.lower_is_better else 'larger'} {query.response} is taken to be better."
    )


def _graph(result: GraphResult) -> str:
    if not result.edges:
        return f"{_opening(result)}, no causal edge was found (0 edges)."
    directed = [edge for edge in result.edges if edge.mark == "-->"]
    listed = "; ".join(
        f"{edge}" + (f" (weight {format_number(edge.weight)})" if edge.weight is not None else "")
        for edge in result.edges
    )
    text = f"{_opening(result)}, the learned causal graph has {len(result.edges)} edge(s): {listed}."
    if len(directed) < len(result.edges):
        text += f" The data settle the direction of {len(directed)} of them."
    present = [words for mark, words in MEANINGS.items() if any(edge.mark == mark for edge in result.edges)]
    if present:
        text += f" Of the marks, {'; '.join(present)}."
    return text
