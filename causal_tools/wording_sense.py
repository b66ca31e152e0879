"""What an explanation may not turn round: numbers in one another's place, causes and effects, levels, certainty.

The right words in the wrong places invent nothing and leave nothing out; these checks look at the places. They are strict: a text
that cannot be told from a wrong one is refused, and the template stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import combinations, pairwise

from causal_tools.contract import CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.summary import format_number
from causal_tools.wording_edges import wrong_edges

_MOVES = r"(?:rais|lower|increas|decreas|reduc|affect|chang|caus|boost|improv|driv|influenc|lead|mov)\w*"
_NEGATION = re.compile(
    rf"(?:\b(?:not|never|cannot)|n't)\s+(?:been\s+|be\s+)?(?:{_MOVES}|adjust\w*|controlled)"
    r"|\bnothing (?:was|is) (?:adjusted|controlled)|\bwithout (?:any )?(?:adjust|controll)\w*",
    re.IGNORECASE,
)
_OVERCLAIM = re.compile(
    r"\b(?:prov(?:e|es|ed|en|ing)|guarantee\w*|beyond doubt|undoubtedly|certain(?:ly)?|definite(?:ly)?|always|cures?|cured"
    r"|random(?:ly|i[sz]ed|i[sz]ation))\b",
    re.IGNORECASE,
)
# how much was adjusted for: more of it than was, or less
_EXTENT = (
    re.compile(r"\b(?:every|all|the file's) (?:the )?other (?:usable )?columns?\b", re.IGNORECASE),
    re.compile(r"\b(?:no|without|not any) other\b|\bnothing (?:else|more|but)\b", re.IGNORECASE),
)
_COMPARED = re.compile(r"(?:[<>!]=|[<>=≤≥≠](?!=))\s*[\w\-]*\w(?:\.\d+)?")
_METHOD_TOLD = re.compile(r"\bmethod (?:used|applied|run|behind)\b", re.IGNORECASE)
_SURE = re.compile(
    r"\b(?:exclud\w*|leaves out|does not contain|does not include) (?:zero|nought|0)\b|\bsignificant(?:ly)?\b"
    r"|\bclear(?:ly)? shows?\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?<!not )(?:includ\w*|contains?|spans?) (?:zero|nought|0)\b|\b(?:not|cannot be) ruled out\b|\binconclusive\b"
    r"|\binsignificant\b|\bmay be no effect\b|\bdo(?:es)? not settle whether\b",
    re.IGNORECASE,
)
_STAMMER = re.compile(r"\b(\w+(?: \w+){1,6}) \1\b|\b(\w+) = \2\b", re.IGNORECASE)
_LABEL = re.compile(r"\b(indirect|direct|total)\b", re.IGNORECASE)
_FIGURE = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\s?%|\w)", re.IGNORECASE)
Triple = tuple[str, str, tuple[str, str] | None]  # what it is of, the estimate, the ends of its interval


def contradictions(text: str, result: CausalResult, absent: Collection[str] = ()) -> list[str]:
    """What a whole text says otherwise than the result, each in a few words; empty where nothing was found.

    Args:
        absent: numbers of the summary that the text does not say; what is left out is not in a wrong place.
    """
    summary = result.summary
    found = [
        *_misplaced(_figures(text), _triples(result), [one for one in _figures(summary) if one not in absent]),
        *_certainty(text, summary),
        *_turned(text, result),
    ]
    for what, pattern in (("negation", _NEGATION), ("claim", _OVERCLAIM)):
        mine, theirs = (list(pattern.finditer(each)) for each in (text, summary))
        if len(mine) > len(theirs):
            found.append(f"the {what} {mine[-1].group(0)!r}")
    found += _compared(text, summary) + _extent(text, f"{summary} {' '.join(result.assumptions)}")
    if not text.rstrip().endswith((".", "!", ")")):
        found.append("the end of a sentence that is not ended")
    if stammer := _STAMMER.search(text):
        found.append(f"the repetition {stammer.group(0)!r}")
    if isinstance(result, PolicyResult):
        opposite = {"highest": "lowest", "lowest": "highest"}[result.query.goal]
        found += [f"the goal {opposite!r}"] if _says(rf"{opposite}\s+mean", text) else []
    if isinstance(result, MediationResult):
        found += _mislabelled(text, result)
    if len(_METHOD_TOLD.findall(text)) > max(1, len(_METHOD_TOLD.findall(summary))):
        found.append("the method told twice")
    return found


def _compared(text: str, summary: str) -> list[str]:
    """What stands beside a sign of comparison, as in *where age >= 60*, and does not in the summary."""
    mine, theirs = ({match.group(0) for match in _COMPARED.finditer(each.replace(",", ""))} for each in (text, summary))
    return [f"the comparison {strange!r}" for strange in sorted(mine - theirs)]


def _extent(text: str, told: str) -> list[str]:
    found = (pattern.search(text) for pattern in _EXTENT if not pattern.search(told))
    return [f"the extent {match.group(0)!r}" for match in found if match]


def _triples(result: CausalResult) -> list[Triple]:
    def triple(label: str, value: float, ends: object) -> Triple:
        low_high = tuple(format_number(end) for end in ends) if isinstance(ends, (tuple, list)) else None
        return label, format_number(value), low_high  # type: ignore[return-value]

    if isinstance(result, MediationResult):
        return [
            triple("total", result.total, result.interval),
            triple("direct", result.direct, result.direct_interval),
            triple("indirect", result.indirect, result.indirect_interval),
        ]
    if isinstance(result, PolicyResult):
        ends = result.diagnostics["action_intervals"]
        return [triple(action, value, ends[action]) for action, value in result.values.items()]
    return [triple("effect", result.estimate, result.interval)] if isinstance(result, EffectResult) else []


def _figures(text: str) -> list[str]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-"))
    return [match.group(0).casefold() for match in _FIGURE.finditer(plain)]


def _misplaced(figures: list[str], triples: list[Triple], stated: list[str]) -> list[str]:
    """Intervals whose ends do not follow each other, and estimates that stand only as such ends; of those that are stated.

    An estimate may lose its sign to a verb: lowered by 2.
    """
    found = []
    triples = [
        (label, value, ends if ends and {*ends} <= {*stated} else None)
        for label, value, ends in triples
        if value in stated
    ]
    left = list(figures)
    for label, _, ends in triples:
        if ends is None:
            continue
        place = next((at for at, pair in enumerate(pairwise(left)) if pair == ends), None)
        if place is None:
            found.append(f"the interval of the {label}, which is {ends[0]} to {ends[1]}")
        else:
            left[place : place + 2] = ["", ""]
    missing = [(label, value) for label, value, _ in triples if not {value, value.lstrip("-")} & {*left}]
    found += [f"the estimate of the {label}, which is {value}" for label, value in missing]
    return found


def _certainty(text: str, summary: str) -> list[str]:
    if "interval excludes zero" in summary and (match := _UNSURE.search(text)):
        return [f"the doubt {match.group(0)!r}"]
    if "interval includes zero" in summary and (match := _SURE.search(text)):
        return [f"the certainty {match.group(0)!r}"]
    return []


def _turned(text: str, result: CausalResult) -> list[str]:
    """Causes and effects, levels, actions and edges the other way round."""
    query = result.query
    if isinstance(result, GraphResult):
        return wrong_edges(text, result)
    treatment, response = (re.escape(str(name)) for name in (query.treatment, query.response))
    found = []
    if _says(rf"(?:effect|impact|influence) of {response} on {treatment}|{response}\s+{_MOVES}\s+{treatment}", text):
        found.append(f"{query.response} as the cause of {query.treatment}")
    if isinstance(result, (EffectResult, MediationResult)):
        before, after = (re.escape(str(level)) for level in result.contrast)
        beside = r"(?:instead of|rather than|against|versus|vs\.?|compared (?:with|to))"
        swapped = rf"{before}\s+{beside}\s+{after}|from\s+{after}\s+to\s+{before}"
        if _says(swapped, text):
            found.append(f"the comparison, which is of {result.contrast[1]} with {result.contrast[0]}")
    if isinstance(result, PolicyResult):
        name = re.escape(str(query.second_treatment if result.second_action is not None else query.treatment))
        others = [action for action in result.values if action != str(result.action)]
        for action in others:
            if _says(rf"{name}\s*(?:=|is|to|:)\s*{re.escape(action)}(?![.,]?\d)", text):
                found.append(f"the action {action!r}, where {result.action!r} is recommended")
    return found


def _mislabelled(text: str, result: MediationResult) -> list[str]:
    """Two effects of a mediation that changed names: each stands first after the other's."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-"))
    values = {label: value for label, value, _ in _triples(result)}
    after: dict[str, set[str]] = {label: set() for label in values}
    for match in _LABEL.finditer(plain):
        number = _FIGURE.search(plain, match.end())
        if number:
            after[match.group(1).casefold()].add(number.group(0).casefold())
    return [
        f"the {one} effect in the place of the {other}"
        for one, other in combinations(values, 2)
        if values[other] in after[one] and values[one] in after[other] and values[one] not in after[one]
    ]


def _says(pattern: str, text: str) -> bool:
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None
