"""Names in a question against names in a file: spelling is forgiven, abbreviations are read and said, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pydantic import ValidationError

from causal_tools.contract import CausalQuery
from causal_tools.errors import ColumnNotFound, QueryError

CLOSE_ENOUGH = 65.0
FEWEST_LETTERS = 5
SHORTEST = 3
MOST_LISTED = 20
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_PARTS = re.compile(rf"[{_UPPER}]+(?![{_LOWER}])|[{_UPPER}]?[{_LOWER}]+|\d+|[^\W\d_{_UPPER}{_LOWER}]+")


def resolve_column(name: str, columns: Sequence[str], dataset: str = "the data", notes: list[str] | None = None) -> str:
    """The column that ``name`` means: the same text, or the same but for case, separators or a plural ending.

    Args:
        notes: receives what was read as an abbreviation or a misspelling; without it neither is forgiven, as it could not be
            said.

    Raises:
        ColumnNotFound: no column fits, or several do.
    """
    if name in columns:
        return name
    for reduce in (_letters, _singular):
        wanted = reduce(name)
        fitting = [column for column in columns if wanted and reduce(column) == wanted]
        if fitting:
            return _only(fitting, name, dataset)
    if notes is not None:
        short = [column for column in columns if abbreviates(name, column) or abbreviates(column, name)]
        fitting = short or _misspelt(name, columns)
        if fitting:
            found = _only(fitting, name, dataset)
            notes.append(f"{name!r} was read as the column {found!r}, {'an abbreviation' if short else 'misspelt'}")
            return found
    raise ColumnNotFound(_not_found(name, columns, dataset))


def _only(fitting: list[str], name: str, dataset: str) -> str:
    if len(fitting) == 1:
        return fitting[0]
    raise ColumnNotFound(
        f"column {name!r} is ambiguous in {dataset}: it may be "
        f"{' or '.join(map(repr, fitting))}. Write the name as it stands in the file."
    )


def abbreviates(short: str, name: str) -> bool:
    """Whether one name is a short form of the other, part by part: initials, beginnings, or words without their vowels.

    >>> abbreviates("sys_bp", "systolic blood pressure"), abbreviates("age", "average")
    (True, False)
    """
    parts, words = name_parts(short), name_parts(name)
    if len(words) == len(parts) == 1 and len(parts[0]) <= SHORTEST:
        return False  # of one word more must be left: 'age' is no 'agency', and 'tt' no 'treatment'
    return parts != words and len("".join(parts)) < len("".join(words)) and _covers(parts, words)


def _covers(parts: list[str], words: list[str]) -> bool:
    if not parts or not words:
        return not parts and not words
    first, size = parts[0], len(parts[0])
    if (
        2 <= size <= len(words)
        and first == "".join(word[0] for word in words[:size])
        and _covers(parts[1:], words[size:])
    ):
        return True
    return (first == words[0] or shortens(first, words[0])) and _covers(parts[1:], words[1:])


def shortens(short: str, word: str) -> bool:
    """Whether a part of a name is a word cut short: its beginning (``temp``), with or without consonants after (``dept``)."""
    if len(short) < 2 or len(short) > len(word) - 2 or short[0] != word[0] or not short.isalpha():
        return False
    same = next(place for place in range(len(short), 0, -1) if word.startswith(short[:place]))
    if same == len(short):
        return len(short) >= 3
    rest = short[same:]
    later = iter(word[same:])
    return not set(rest) & set("aeiou") and all(letter in later for letter in rest)


def name_parts(text: str) -> list[str]:
    """Words and numbers of a name or a text, in lower case: ``sysBP_2`` is sys, bp, 2."""
    return [part.casefold() for part in _PARTS.findall(text)]


def plain_name(column: str) -> str:
    """A column's name as words: ``sysBP_2`` is ``sys bp 2``."""
    return " ".join(name_parts(column)) or column


def _misspelt(name: str, columns: Sequence[str]) -> list[str]:
    """The columns that are the name but for one slip, where no other comes near.

    A slip is two letters that changed places, or one too many or too few after the first; another letter makes another word
    (birth and berth), and so does another beginning (maternal and paternal). Figures must be the same.
    """
    from rapidfuzz.distance import OSA

    wanted = _letters(name)
    if len(wanted) < FEWEST_LETTERS:
        return []
    distances = {column: OSA.distance(wanted, _letters(column)) for column in columns}
    near = [column for column, distance in distances.items() if distance <= 2]
    return [
        column
        for column in near
        if len(near) == 1
        and distances[column] == 1
        and _letters(column)[:1] == wanted[:1]
        and _digits(column) == _digits(name)
        and (len(_letters(column)) != len(wanted) or sorted(_letters(column)) == sorted(wanted))
    ]


def _digits(name: str) -> list[str]:
    return [character for character in name if character.isdigit()]


def _letters(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _singular(name: str) -> str:
    letters = _letters(name)
    if len(letters) > 4 and letters.endswith("ies"):
        return letters[:-3] + "y"
    if len(letters) > 4 and letters.endswith(("ches", "shes", "xes", "sses")):
        return letters[:-2]
    if len(letters) > 3 and letters.endswith("s") and not letters.endswith(("ss", "us", "is")):
        return letters[:-1]
    return letters


def _not_found(name: str, columns: Sequence[str], dataset: str) -> str:
    from rapidfuzz import fuzz, process

    listed = ", ".join(columns[:MOST_LISTED])
    more = f" and {len(columns) - MOST_LISTED} more" if len(columns) > MOST_LISTED else ""
    message = f"no column {name!r} in {dataset}. It has: {listed}{more}."
    by_letters = {column: _letters(column) for column in columns}
    close = process.extractOne(_letters(name), by_letters, scorer=fuzz.WRatio, score_cutoff=CLOSE_ENOUGH)
    return f"{message} Did you mean {close[2]!r}?" if close else message


def resolve_query(
    query: CausalQuery, frame: pd.DataFrame, dataset: str | None = None, notes: list[str] | None = None
) -> CausalQuery:
    """The query with every column named as in the frame.

    Args:
        notes: as of :func:`resolve_column`.

    Raises:
        ColumnNotFound: a name fits no column, or several.
        QueryError: two of the names mean one column, or a condition restricts the treatment or the response.
    """
    columns = [str(label) for label in frame.columns]
    where = dataset or query.dataset or "the data"

    def found(name: str) -> str:
        return resolve_column(name, columns, where, notes)

    fields = query.model_dump()
    for role in ("treatment", "second_treatment", "response", "mediator"):
        if fields[role]:
            fields[role] = found(fields[role])
    if isinstance(query.nodes, tuple):
        fields["nodes"] = tuple(found(node) for node in query.nodes)
    if query.covariates is not None:
        fields["covariates"] = tuple(found(covariate) for covariate in query.covariates)
    fields["conditions"] = [
        {**condition.model_dump(), "column": found(condition.column)} for condition in query.conditions
    ]
    try:
        resolved = CausalQuery.model_validate(fields)
    except ValidationError as error:
        raise QueryError(
            f"the query's columns, as found in {where}, do not fit together: "
            f"{error.errors()[0]['msg'].removeprefix('Value error, ')}."
        ) from error
    for condition in resolved.conditions:
        if condition.column in (resolved.treatment, resolved.response):
            role = "treatment" if condition.column == resolved.treatment else "response"
            raise QueryError(
                f"the condition {condition} restricts the {role} itself. Conditions describe units before "
                "they are treated: restrict another column, or ask for the average effect."
            )
    return resolved
