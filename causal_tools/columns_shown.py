"""How the second readers are shown the columns of a file that a question is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from causal_tools.columns import name_parts, plain_name
from causal_tools.contract import Scalar
from causal_tools.names_said import column_mentions, written_out
from causal_tools.question_words import says_level, yes_or_no
from lm.pointer import Item

MOST_LEVELS = 6


def items_of(question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]]) -> list[Item]:
    """How the reader is shown the columns of a question's file: in plain words, as the question spells them where it names them
    or writes out what they cut short, with some of their levels."""
    named = {one.column: question[one.start : one.end] for one in column_mentions(question, columns)}
    words = name_parts(question)
    return [
        Item(
            _name_shown(column, named.get(column), words),
            tuple(_level_shown(level, own) for level in shown_levels(question, own)),
        )
        for column in columns
        for own in [levels.get(column, ())]
    ]


def _name_shown(column: str, spelt: str | None, words: Sequence[str]) -> str:
    plain = plain_name(column)
    if spelt is None:
        full = written_out(column, words)
        return f"{full} , {plain}" if full else plain
    return f"named {spelt}" if spelt.casefold() == plain.casefold() else f"named {spelt} , {plain}"


def shown_levels(question: str, levels: Sequence[Scalar]) -> list[Scalar]:
    """At most six levels of a column, those that the question says first."""
    return sorted(levels, key=lambda level: not says_level(question, str(level)))[:MOST_LEVELS]


def _level_shown(level: Scalar, levels: Sequence[Scalar]) -> str:
    said = yes_or_no(level, levels)
    return str(level) if said is None else "yes" if said else "no"
