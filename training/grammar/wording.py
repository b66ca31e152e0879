"""Putting a whole question together: the core of a family, the clauses around it, and how people type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from training.grammar import wrappers
from training.grammar.engine import Draws, Family, Split, expand, fill
from training.grammar.rules import RULES

OPENER_SHARE, CLOSER_SHARE = 0.12, 0.08
MOTIVE_SHARE = 0.34
DISTRACTION_SHARE = 0.14
LOWER_CASE_SHARE, NO_FINAL_MARK_SHARE, TYPO_SHARE = 0.12, 0.14, 0.06
_FIRST_LETTER = re.compile(r"(^|[.?!]\s+)([a-z])")
_CARRIER_WORD = re.compile(r"(?<![\w{'])[A-Za-z]{5,}(?![\w}'])")


@dataclass(frozen=True)
class Frame:
    """What a question is to contain around its core."""

    split: Split
    file_named: bool
    adjusted: bool
    may_distract: bool


def word_core(family: Family, draws: Draws) -> str:
    """One reading of the family's template, its slots open."""
    return expand(family.template, draws, RULES)


def assemble(core: str, frame: Frame, draws: Draws) -> str:
    """Stand clauses around a core and set sentences in order; slots stay open."""
    split = frame.split

    def pool(part: Mapping[Split, str]) -> str:
        return expand(part[split], draws, RULES)

    before: list[str] = []
    after: list[str] = []
    file_inside = frame.file_named and "{in_file}" in core and draws.chance(0.5)
    in_file = pool(wrappers.IN_FILE) if file_inside else ""
    if not frame.file_named:
        in_file = expand(wrappers.IN_DATA, draws, RULES)
    if draws.chance(OPENER_SHARE):
        before.append(pool(wrappers.OPENERS) + draws.pick((",", ",", ".", "!")))
    if draws.chance(MOTIVE_SHARE):
        if draws.chance(0.6):
            before.append(pool(wrappers.MOTIVE_BEFORE))
        else:
            after.append(pool(wrappers.MOTIVE_AFTER))
    if frame.file_named and not file_inside and "{file}" not in core:
        if draws.chance(0.55):
            before.append(pool(wrappers.FILE_BEFORE))
        else:
            after.insert(0, pool(wrappers.FILE_AFTER))
    if frame.adjusted:
        if draws.chance(0.5):
            before.append(pool(wrappers.ADJUST_BEFORE))
        else:
            after.insert(0, pool(wrappers.ADJUST_AFTER))
    elif frame.may_distract and draws.chance(DISTRACTION_SHARE):
        distraction = pool(wrappers.DISTRACTION)
        if draws.chance(0.4):
            before.insert(0, distraction)
        else:
            after.insert(0, distraction)
    if draws.chance(CLOSER_SHARE):
        after.append(pool(wrappers.CLOSERS) + ".")
    if after and core[-1] not in ".?!":
        core += "."
    text = " ".join([*before, core.replace("{in_file}", in_file), *after])
    return re.sub(r"\s+(?=[.,;:?!])", "", re.sub(r"\s+", " ", text)).strip()


def type_out(text: str, slots: Mapping[str, str], columns: frozenset[str], draws: Draws) -> str:
    """Fill the slots, as a person types: capitals or none, a final mark or none, now and then a slip.

    Slips fall only on words of the carrier sentence, never on a name, a value or a file.
    """
    if draws.chance(TYPO_SHARE):
        text = _slip(text, draws)
    if draws.chance(NO_FINAL_MARK_SHARE) and len(text) > 1:
        text = text.rstrip("?.!")
    if draws.chance(LOWER_CASE_SHARE):
        return fill(re.sub(r"[^{}]+(?=\{|$)", lambda match: match.group(0).lower(), text), slots)
    text = _FIRST_LETTER.sub(lambda match: match.group(1) + match.group(2).upper(), text)
    starts_with_words = text.startswith("{") and not text.startswith("{file}")
    said = fill(text, slots)
    if starts_with_words and said[0].isalpha() and not any(said.startswith(column) for column in columns):
        return said[0].upper() + said[1:]
    return said


def _slip(text: str, draws: Draws) -> str:
    words = list(_CARRIER_WORD.finditer(text))
    if not words:
        return text
    word = draws.pick(words)
    letters, place = word.group(0), draws.between(1, len(word.group(0)) - 3)
    kind = draws.below(3)
    if kind == 0:
        slipped = letters[:place] + letters[place + 1] + letters[place] + letters[place + 2 :]
    elif kind == 1:
        slipped = letters[:place] + letters[place + 1 :]
    else:
        slipped = letters[:place] + letters[place] + letters[place:]
    return text[: word.start()] + slipped + text[word.end() :]
