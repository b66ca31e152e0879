"""The same questions over a header written in another style, as another clerk would have written it.

Questions worded by hand are few and their headers fewer. Each time such a question is used again, its file's columns are spelt
anew: in another case, with other separators, cut short or without vowels; some unused ones are left out, some that many files
have are put in, and their order changes. Words of the question stay, save column names that it quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from causal_tools.contract import CausalQuery
from training.grammar.drawing import FILLERS
from training.queries import QueryItem

KEPT_COLUMNS = 0.75  # of those that no reading needs
RESTYLED = 0.7  # of the times that a file is used again
MOST_FILLERS = 3
FEWEST_LETTERS = 3  # of a part that is cut short or loses its vowels

_PARTS = re.compile(r"(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+)\d*|\d+")  # figures stay with what they follow
_QUOTED_NAME = re.compile(r"[\d_.]|[a-z][A-Z]|^[A-Z]{2,}$")  # no plain word: where it stands, the column is meant


def _joined(separator: str, change: Callable[[str], str] = str) -> Callable[[list[str]], str]:
    return lambda parts: separator.join(map(change, parts))


def _camel(parts: list[str]) -> str:
    return "".join([parts[0], *(part.capitalize() for part in parts[1:])])


def _pascal(parts: list[str]) -> str:
    return "".join(part.capitalize() for part in parts)


def _without_vowels(part: str) -> str:
    return part[0] + re.sub("[aeiou]", "", part[1:]) if len(part) > FEWEST_LETTERS else part


def _first(count: int) -> Callable[[str], str]:
    return lambda part: part[:count] + "".join(letter for letter in part[count:] if letter.isdigit())


STYLES: tuple[Callable[[list[str]], str], ...] = (
    _joined("_"),
    _joined("_"),
    _camel,
    _pascal,
    _joined("_", str.upper),
    _joined("."),
    _joined(" "),
    _joined(" ", str.capitalize),
    _joined("", str.lower),
)
CUTS: tuple[Callable[[str], str], ...] = (str, str, str, _first(3), _first(4), _without_vowels)


def restyled(pack: Sequence[QueryItem], random: np.random.Generator) -> list[QueryItem]:
    """Questions about one file, over a header in another order and often another style.

    A name is spelt anew only where that is sure to leave the reading the same: it must either be quoted in no question of the
    pack, or be no plain word, so that it can be exchanged wherever it is quoted.

    Args:
        pack: questions about one file, which stay together.
    """
    columns = pack[0].columns
    names = {name: name for name in columns}
    if random.random() < RESTYLED:
        style, cut = STYLES[random.integers(len(STYLES))], CUTS[random.integers(len(CUTS))]
        names = _respelt(columns, pack, lambda name: style([cut(part) for part in _parts(name)]))
    needed = {column for item in pack if item.query for column in CausalQuery.model_validate(item.query).columns()}
    kept = [names[name] for name in columns if name in needed or random.random() < KEPT_COLUMNS]
    known = {name.casefold() for name in kept}
    for name in map(str, random.choice(FILLERS, random.integers(MOST_FILLERS + 1), replace=False)):
        if name.casefold() not in known and not _quoted_in_any(name, pack):
            kept.append(name)
            known.add(name.casefold())
    order = tuple(kept[i] for i in random.permutation(len(kept)))
    return [_renamed(item, names, order) for item in pack]


def _respelt(columns: Sequence[str], pack: Sequence[QueryItem], spell: Callable[[str], str]) -> dict[str, str]:
    """By column, its name from now on; the old one where the new one would mean two columns, or change a reading."""
    taken = {name.casefold() for name in columns}
    names = {}
    for name in columns:
        new = spell(name) if _parts(name) else name
        free = new.casefold() == name.casefold() or new.casefold() not in taken
        sure = bool(_QUOTED_NAME.search(name)) or all(_unquoted(name, item) for item in pack)
        names[name] = new if free and sure and not _quoted_in_any(new, pack) else name
        taken.add(names[name].casefold())
    return names


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in _PARTS.findall(name)]


def _unquoted(name: str, item: QueryItem) -> bool:
    """Whether a question neither quotes a name nor asks for the column without the words that are taken for it."""
    asked = CausalQuery.model_validate(item.query).columns() if item.query else ()
    return not _quoted(name, item.question) and (name not in asked or name in item.said)


def _quoted(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _quoted_in_any(name: str, pack: Sequence[QueryItem]) -> bool:
    return any(_quoted(name, item.question) for item in pack)


def _renamed(item: QueryItem, names: dict[str, str], columns: tuple[str, ...]) -> QueryItem:
    changed = [name for name, new in names.items() if name != new and _quoted(name, item.question)]
    places = "|".join(re.escape(name) for name in sorted(changed, key=len, reverse=True))
    question = item.question
    if places:
        question = re.sub(rf"(?<!\w)(?:{places})(?!\w)", lambda found: names[found.group()], question)
    said = {names[column]: words for column, words in item.said.items() if words in " ".join(question.split())}
    return item.model_copy(
        update={
            "question": question,
            "columns": columns,
            "levels": {names[column]: levels for column, levels in item.levels.items() if names[column] in columns},
            "said": said,
            "query": _with_names(item.query, names),
        }
    )


def _with_names(query: dict[str, Any] | None, names: dict[str, str]) -> dict[str, Any] | None:
    if query is None:
        return None
    new = {key: names.get(value, value) if isinstance(value, str) else value for key, value in query.items()
           if key in ("treatment", "second_treatment", "response", "mediator")}  # fmt: skip
    for key in ("nodes", "covariates"):
        if isinstance(query.get(key), list | tuple):
            new[key] = [names[name] for name in query[key]]
    new["conditions"] = [{**condition, "column": names[condition["column"]]} for condition in query["conditions"]]
    return {**query, **new}
