"""Checks of an explanation by program: nothing invented, nothing left out, causal wording only.

Source: the rubric of LLM4Causal (arXiv 2312.17122): hallucination and incompleteness, here decided without a judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from causal_tools.contract import CausalResult

_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?", re.IGNORECASE)
_ASSOCIATION = re.compile(r"\b(?:correlat|associat)\w*", re.IGNORECASE)


@dataclass(frozen=True)
class WordingCheck:
    """What is wrong with an explanation; it may be shown when both lists are empty."""

    invented: list[str]
    missing: list[str]

    @property
    def passed(self) -> bool:
        return not self.invented and not self.missing


def numbers_in(text: str) -> set[str]:
    """The numbers of a text in one spelling: no thousands separators, ASCII minus, no sentence's full stop."""
    return {
        match.group(0).replace(",", "").replace("−", "-").rstrip("%").lstrip("+") for match in _NUMBER.finditer(text)
    }


def check_wording(text: str, result: CausalResult) -> WordingCheck:
    """Hold an explanation against the result's own summary.

    Every number must stand in the summary and every number of the summary in the text; the names of the data set and of the
    columns with a role must appear; association words may not.
    """
    query = result.query
    roles = (query.dataset, query.treatment, query.second_treatment, query.response, query.mediator)
    names = [name for name in roles if name]
    facts, told = numbers_in(_without(result.summary, names)), _without(text, names)
    said = numbers_in(told)
    invented = [f"the number {number}" for number in sorted(said - facts)]
    invented += [f"the wording {match.group(0)!r}" for match in _ASSOCIATION.finditer(told)]
    missing = [f"the number {number}" for number in sorted(facts - said)]
    missing += [f"the name {name!r}" for name in names if not _whole(name).search(text)]
    method = result.method.split(" ")[0].strip(",;")
    if not _whole(method.lower()).search(text.lower()):
        missing.append(f"the method {method!r}")
    return WordingCheck(invented, missing)


def _whole(name: str) -> re.Pattern[str]:
    """A name as whole words: the column 'ad' does not stand in 'adjusted', nor 'age' in 'age2'."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _without(text: str, names: list[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = _whole(name).sub(" ", text)
    return text
