"""Checks of an explanation by program: nothing invented, nothing left out, causal wording only.

Source: the rubric of LLM4Causal (arXiv 2312.17122): hallucination and incompleteness, here decided without a judge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from causal_tools.contract import CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult, Scalar
from causal_tools.wording_edges import missing_edges
from causal_tools.wording_sense import contradictions

_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?:\s?%|\spercent\b)?", re.IGNORECASE)
_ASSOCIATION = re.compile(r"\b(?:correlat|associat)\w*", re.IGNORECASE)
# "one" is left out: it is mostly no number
_NUMBER_WORD = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|half|halves|twice|thrice|double[sd]?|"
    r"triple[sd]?|twofold|threefold|quarters?|thirds?|dozens?)\b",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"(?<![\w.])(?:\w+_\w+|[\w\-]+\.(?:csv|tsv|txt|parquet|xlsx))(?!\w)", re.IGNORECASE)
_METHOD = re.compile(
    r"(?<!\w)(?:\w*(?:LiNGAM|DRLearner|DML|CausalForest\w*)|PC|FCI|GES|NOTEARS|propensity[- ]score matching|matching|"
    r"instrumental[- ]variables?|difference[- ]in[- ]differences?|regression discontinuity|synthetic controls?|causal forests?|"
    r"two[- ]stage least squares|(?:linear|logistic|ridge|lasso) regression|random forests?|neural networks?|"
    r"randomi[sz]ed (?:controlled )?trial|t-?test|ANOVA|Bayesian)(?!\w)",
    re.IGNORECASE,
)
# a number at the end may yet get its percent sign
_UNFINISHED = re.compile(r"[-−\d.,%\s]+$")
_MAKES = r"\b(?:makes?|made|leads? to|led to|results? in|resulted in|brings?|brought|gives?|gave)\s+(?:\w+\s+){0,3}?"
_RAISES = re.compile(
    rf"\b(?:rais|increas|boost|grow|rise|rose|elevat|heighten)\w*|{_MAKES}(?:higher|greater|larger|more|worse)\b",
    re.IGNORECASE,
)
_LOWERS = re.compile(
    r"\b(?:lowers|lowered|lowering|decreas|reduc|drops|dropped|fall|fell|declin|diminish|cuts)\w*|"
    rf"{_MAKES}(?:lower|smaller|less|fewer)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class WordingCheck:
    """What is wrong with an explanation; it may be shown when both lists are empty."""

    invented: list[str]
    missing: list[str]

    @property
    def passed(self) -> bool:
        return not self.invented and not self.missing


def numbers_in(text: str) -> set[str]:
    """The numbers of a text in one spelling: no thousands separators, ASCII minus, shares with a percent sign."""
    found = set()
    for match in _NUMBER.finditer(text):
        number = match.group(0).casefold().replace(",", "").replace("−", "-")
        bare = number.removesuffix("percent").rstrip(" %")
        found.add(f"{bare}%" if bare != number else bare)
    return found


def check_wording(text: str, result: CausalResult, columns: Sequence[str] = ()) -> WordingCheck:
    """Hold an explanation against the result's own summary.

    Every number must stand in the summary and every number of the summary in the text; names of columns, files and methods and
    the direction of an effect must be the summary's, and nothing may stand in another's place (:mod:`wording_sense`); the names
    of the data set and of the columns with a role must appear, and what was compared with what, and where; association words
    may not.

    Args:
        columns: of the data file; those that the summary does not name may not appear.
    """
    names = _names(result)
    facts, told = numbers_in(_without(result.summary, names)), numbers_in(_without(text, names))
    absent = facts - told
    missing = [f"the number {number}" for number in sorted(absent)]
    missing += [f"the name {name!r}" for name in names if not _whole(name).search(text)]
    told_of = [("level", _levels(result)), ("condition", _conditions(result))]
    missing += [
        f"the {what} {said!r}" for what, all_said in told_of for said in all_said if not _whole(said).search(text)
    ]
    method = result.method.split(" ")[0].strip(",;")
    if not _whole(method.casefold()).search(text.casefold()):
        missing.append(f"the method {method!r}")
    missing += missing_edges(text, result) if isinstance(result, GraphResult) else []
    wrong = [*invented(text, result, columns), *contradictions(text, result, absent)] if text.strip() else []
    return WordingCheck(wrong, missing)


def invented(text: str, result: CausalResult, columns: Sequence[str] = ()) -> list[str]:
    """What a text, whole or still growing, says that the result's summary does not."""
    names, summary = _names(result), result.summary
    told, rest = _without(text, names), _without(summary, names)
    found = [f"the number {number}" for number in sorted(numbers_in(told) - numbers_in(rest))]
    for what, pattern in (("number", _NUMBER_WORD), ("name", _IDENTIFIER), ("method", _METHOD)):
        known = {match.group(0).casefold() for match in pattern.finditer(summary)}
        strange = {match.group(0).casefold() for match in pattern.finditer(told)} - known
        found += [f"the {what} {word!r}" for word in sorted(strange)]
    found += [f"the wording {match.group(0)!r}" for match in _ASSOCIATION.finditer(told)]
    found += [
        f"the column {name!r}" for name in columns if _whole(name).search(told) and not _whole(name).search(summary)
    ]
    if result.task in ("ATE", "HTE"):
        for mine, other in ((_RAISES, _LOWERS), (_LOWERS, _RAISES)):
            wrong = mine.search(told)
            if wrong and other.search(rest) and not mine.search(rest):
                found.append(f"the direction {wrong.group(0)!r}")
    return found


def is_hopeless(text: str, result: CausalResult, columns: Sequence[str] = ()) -> bool:
    """Whether a text that is still being written has already invented something; its last word may not be finished."""
    whole = _UNFINISHED.sub("", text[: max(text.rfind(" "), text.rfind("\n"), 0)])
    return bool(invented(whole, result, columns))


def _names(result: CausalResult) -> list[str]:
    query = result.query
    roles = (query.dataset, query.treatment, query.second_treatment, query.response, query.mediator)
    return [name for name in roles if name]


def _levels(result: CausalResult) -> list[str]:
    """Levels in words that were compared: without them a reader cannot tell which of two the effect is of."""
    compared: list[Scalar] = []
    if isinstance(result, (EffectResult, MediationResult)):
        compared = [*result.contrast, *(row["to"] for row in result.diagnostics.get("contrasts", []))]
    elif isinstance(result, PolicyResult):
        compared = list(result.values)
    return list(dict.fromkeys(str(level) for level in compared if not _is_number(str(level))))


def _conditions(result: CausalResult) -> list[str]:
    """Columns and levels in words of the conditions: *older than 50* may be read of a column that is no age."""
    said = [str(part) for one in result.query.conditions for part in (one.column, *one.all_values)]
    return list(dict.fromkeys(part for part in said if not _is_number(part)))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _whole(name: str) -> re.Pattern[str]:
    """A name as whole words: the column 'ad' does not stand in 'adjusted', nor 'age' in 'age2'."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _without(text: str, names: list[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = _whole(name).sub(" ", text)
    return text
