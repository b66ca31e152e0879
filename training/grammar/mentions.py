"""How a question names a column: literally, in words, in words with the column in parentheses, or quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from training.grammar.engine import Draws
from training.topic_library import Variable

Manner = Literal["literal", "paren", "words", "quoted"]
MANNERS: tuple[tuple[Manner, float], ...] = (("words", 0.40), ("paren", 0.26), ("literal", 0.22), ("quoted", 0.12))
KEEP_MANNER = 0.75  # people mostly stay with one manner within a question
PHRASE_SHARE = 0.35  # words other than the variable's name
STYLES = ("snake", "camel", "any", "any")


def choose_manner(draws: Draws) -> Manner:
    number = draws.number()
    for manner, share in MANNERS:
        number -= share
        if number < 0:
            return manner
    return MANNERS[0][0]


def choose_columns(variables: Sequence[Variable], draws: Draws) -> dict[str, str]:
    """Name a column for each variable, mostly in one style, as files do; a coded file has codes throughout."""
    if all(variable.code for variable in variables) and draws.chance(0.25):
        return {variable.name: str(variable.code) for variable in variables}
    style = draws.pick(STYLES)
    return {variable.name: draws.pick(_in_style(variable.aliases, style)) for variable in variables}


def _in_style(aliases: tuple[str, ...], style: str) -> tuple[str, ...]:
    pattern = {"snake": r"[a-z0-9_]+", "camel": r"[A-Za-z][a-z0-9]*([A-Z][a-z0-9]*)+", "any": r".*"}[style]
    return tuple(alias for alias in aliases if re.fullmatch(pattern, alias)) or aliases


class Speaker:
    """Names columns within one question.

    ``columns`` maps a variable's name to its column; ``said`` collects by column the words for it, where its name is not said.
    """

    def __init__(self, columns: Mapping[str, str], draws: Draws) -> None:
        self.columns = columns
        self.draws = draws
        self.manner = choose_manner(draws)
        self.said: dict[str, str] = {}

    def name(self, variable: Variable, plain: bool = False) -> str:
        """Say a variable; ``plain`` keeps to its name, for places where a longer phrase would not read well."""
        draws, column = self.draws, self.columns[variable.name]
        manner = self.manner if draws.chance(KEEP_MANNER) else choose_manner(draws)
        if manner == "words" and column == variable.code:
            manner = "paren"  # no words lead to an opaque code
        if manner == "literal":
            return column
        if manner == "quoted":
            return draws.pick(('"{}"', "'{}'", "`{}`", "the {} column", "the column {}")).format(column)
        phrased = variable.phrases and not plain and draws.chance(PHRASE_SHARE)
        words = draws.pick(variable.phrases) if phrased else variable.name
        if manner == "words":
            self.said[column] = words
            return words
        return f"{words} ({column})"

    def listing(self, variables: Sequence[Variable], plain: bool = True) -> str:
        """Say several variables one after the other."""
        said = [self.name(variable, plain=plain) for variable in variables]
        if len(said) == 1:
            return said[0]
        last = self.draws.pick((" and ", " and ", ", and ", " as well as ", ", "))
        return ", ".join(said[:-1]) + last + said[-1]
