"""Which sentences explain a result, part by part; the words are in :mod:`training.interpretation_phrases`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from causal_tools.contract import CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.summary import format_number
from causal_tools.wording import numbers_in
from training import interpretation_phrases as phrases
from training.grammar.engine import Draws, expand, fill

NAMES_IN_FULL = 3
EDGES_IN_WORDS = 8
_ADJUSTED = re.compile(r"adjusted for (.*) \((as asked|every other usable column of the file)\)")


def sentences(result: CausalResult, draws: Draws) -> list[str]:
    """The sentences of one explanation, in order; the same draws give the same ones."""
    if isinstance(result, GraphResult):
        return _graph(result, draws)
    method = _say(
        phrases.METHOD,
        draws,
        method=_method(result),
        rows=str(result.n_rows),
        dataset=result.query.dataset or "the data",
        adjusted=_adjusted(result, draws),
    )
    if isinstance(result, MediationResult):
        said = _mediation(result, draws)
    elif isinstance(result, PolicyResult):
        said = _policy(result, draws)
    elif isinstance(result, EffectResult):
        said = _effect(result, draws)
    else:
        raise TypeError(f"no explanation for {type(result).__name__}; it takes the results of the five tasks")
    return [method, *said] if draws.chance(0.3) and not method.startswith("Th") else [*said, method]


def _say(template: str | Sequence[str], draws: Draws, **slots: str) -> str:
    """One reading of one of the templates, filled; a sentence that starts with a word of ours gets a capital."""
    chosen = template if isinstance(template, str) else draws.pick(template)
    text = re.sub(r" +([,.;])", r"\1", expand(chosen, draws, phrases.RULES))
    filled = fill(text, slots)
    own_word = not text.startswith("{") or text.startswith(("{move}", "{where_first}"))
    return filled[0].upper() + filled[1:] if text.endswith(".") and own_word else filled


def _interval(interval: tuple[float, float] | None, draws: Draws, template: str = phrases.INTERVAL) -> str:
    if interval is None:
        return phrases.NO_INTERVAL
    return _say(template, draws, low=format_number(interval[0]), high=format_number(interval[1]))


def _short_interval(interval: tuple[float, float] | None, draws: Draws) -> str:
    return _interval(interval, draws, phrases.SHORT_INTERVAL)


def _move(result: EffectResult | MediationResult, draws: Draws) -> str:
    before, after = map(str, result.contrast)
    per_unit = result.diagnostics.get("treatment_read_as") == "amount"
    template = phrases.MOVE_UNIT if per_unit else phrases.MOVE_LEVEL
    return _say(template, draws, treatment=str(result.query.treatment), before=before, after=after)


def _where(result: CausalResult, draws: Draws) -> dict[str, str]:
    conditions = " and ".join(map(str, result.query.conditions))
    everyone = phrases.WHERE_ANYONE if result.task == "OPO" else phrases.WHERE_ALL
    where = _say(phrases.WHERE_SOME if conditions else everyone, draws, conditions=conditions)
    return {"where": where, "where_first": where}


def _effect(result: EffectResult, draws: Draws) -> list[str]:
    verb = "raises" if result.estimate > 0 else "lowers" if result.estimate < 0 else "does not change"
    said = [
        _say(
            phrases.EFFECT,
            draws,
            move=_move(result, draws),
            verb=verb,
            response=str(result.query.response),
            estimate=format_number(result.estimate),
            interval=_interval(result.interval, draws),
            **_where(result, draws),
        )
    ]
    if result.interval is None:
        said.append(_say(phrases.NO_CERTAINTY, draws))
    else:
        apart = result.interval[0] > 0 or result.interval[1] < 0
        said.append(_say(phrases.CERTAIN if apart else phrases.UNCERTAIN, draws))
    others = [row for row in result.diagnostics.get("contrasts", []) if row["to"] != result.contrast[1]]
    if others:
        listed = [
            f"{format_number(row['estimate'])} for {row['to']} ({_short_interval(tuple(row['interval']), draws)})"
            for row in others
        ]
        said.append(
            _say(
                phrases.CONTRASTS if len(listed) > 1 else phrases.CONTRAST,
                draws,
                before=str(result.contrast[0]),
                listed=_listing(listed),
            )
        )
    return said


def _mediation(result: MediationResult, draws: Draws) -> list[str]:
    mediator, response = str(result.query.mediator), str(result.query.response)
    said = [
        _say(
            phrases.TOTAL,
            draws,
            move=_move(result, draws),
            response=response,
            total=format_number(result.total),
            interval=_interval(result.interval, draws),
        ),
        _say(
            phrases.PARTS,
            draws,
            mediator=mediator,
            direct=format_number(result.direct),
            indirect=format_number(result.indirect),
            direct_interval=_short_interval(result.direct_interval, draws),
            indirect_interval=_short_interval(result.indirect_interval, draws),
        ),
    ]
    share = result.diagnostics.get("proportion_mediated")
    return said if share is None else [*said, _say(phrases.SHARE, draws, mediator=mediator, share=format_number(share))]


def _policy(result: PolicyResult, draws: Draws) -> list[str]:
    intervals, response = result.diagnostics["action_intervals"], str(result.query.response)
    others = [
        f"{format_number(value)} under {action} ({_short_interval(tuple(intervals[action]), draws)})"
        for action, value in result.values.items()
        if action != str(result.action)
    ]
    # the part about the gain is said exactly where the data leave it open
    settled = result.diagnostics["gain_over_next_best_interval"][0] > 0
    template = draws.pick(phrases.OTHERS if len(others) > 1 else phrases.OTHER).replace(
        "[|; {gain}]", "" if settled else "; {gain}"
    )
    return [
        _say(
            phrases.ACTION,
            draws,
            treatment=str(result.query.treatment),
            action=str(result.action),
            response=response,
            value=format_number(result.estimate),
            interval=_interval(result.interval, draws),
            **_where(result, draws),
        ),
        _say(template, draws, listed=_listing(others), gain=_say(phrases.OPEN_GAIN, draws)),
        _say(
            phrases.BEHAVIOUR, draws, response=response, behaviour=format_number(result.diagnostics["behaviour_value"])
        ),
    ]


def _graph(result: GraphResult, draws: Draws) -> list[str]:
    count = f"{len(result.edges)} edge{'' if len(result.edges) == 1 else 's'}"
    said = [
        _say(
            phrases.GRAPH,
            draws,
            method=_method(result),
            rows=str(result.n_rows),
            dataset=result.query.dataset or "the data",
            count=count,
        )
    ]
    if not result.edges:
        return [*said, _say(phrases.NO_EDGES, draws)]
    said.append(_say(phrases.EDGES, draws, listed="; ".join(_edge_clauses(result, draws))))
    directed = sum(edge.mark == "-->" for edge in result.edges)
    if directed < len(result.edges):
        said.append(_say(phrases.SETTLED, draws, directed=str(directed)))
    weighted = any(edge.weight is not None for edge in result.edges)
    return [*said, _say(phrases.WEIGHTS if weighted else phrases.ARROWS, draws)]


def _edge_clauses(result: GraphResult, draws: Draws) -> Iterator[str]:
    """What each node drives, then the edges whose direction is open."""
    verb = "→" if len(result.edges) > EDGES_IN_WORDS else draws.pick(phrases.DRIVES)
    targets: dict[str, list[str]] = {}
    for edge in result.edges:
        if edge.mark == "-->":
            weight = "" if edge.weight is None else f" ({format_number(edge.weight)})"
            targets.setdefault(edge.source, []).append(f"{edge.target}{weight}")
    for source, reached in targets.items():
        yield f"{source} {verb} {_listing(reached)}"
    for mark, template in (("---", phrases.OPEN_EDGES), ("<->", phrases.CLASHING_EDGES)):
        pairs = [f"{edge.source} and {edge.target}" for edge in result.edges if edge.mark == mark]
        if pairs:
            yield _say(template, draws, pairs=", ".join(pairs))


def _listing(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _method(result: CausalResult) -> str:
    """The method's name with those of its details that hold numbers, such as folds and levels."""
    # the names of columns in "polynomial of degree 2 in age, income" belong together
    pieces = [
        piece
        for part in re.split(r"[:;] ", result.method)
        for piece in ([part] if "polynomial" in part else part.split(", "))
    ]
    name, details = pieces[0], "; ".join(piece for piece in pieces[1:] if numbers_in(piece))
    if not details:
        return name
    return f"{name[:-1]}; {details})" if name.endswith(")") else f"{name} ({details})"


def _adjusted(result: CausalResult, draws: Draws) -> str:
    """What was adjusted for: by name where that is short, or where a name holds a number that has to be said."""
    found = next((match for line in result.assumptions if (match := _ADJUSTED.match(line))), None)
    if found is None:
        nothing = any(line.startswith("nothing is adjusted for") for line in result.assumptions)
        template = phrases.ADJUSTED_NOTHING if nothing else phrases.ADJUSTED_UNSAID
        return _say(template, draws, treatment=str(result.query.treatment))
    if len(found[1].split(", ")) <= NAMES_IN_FULL or numbers_in(found[1]):
        return _say(phrases.ADJUSTED_NAMES, draws, names=_listing(found[1].split(", ")))
    return _say(phrases.ADJUSTED_ASKED if found[2] == "as asked" else phrases.ADJUSTED_ALL, draws)
