"""Where a question speaks of columns by their names, and how like a name some words are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from causal_tools.columns import name_parts, shortens
from causal_tools.question_words import FILE_NAME, IDLE_WORDS

_RUN = re.compile(r"[^\W_]+")
_BREAK = re.compile(r"[.?!,;:]\s")  # between two words: they are no one name
_MOST_RUNS = 10  # of letters and figures that one name may have
_SHORT = 2  # letters up to which a name must be written as in the file
_FEWEST_INITIALS = 3  # that are a name of their own


class Mention(NamedTuple):
    """A column that the question names: where, in characters."""

    start: int
    end: int
    column: str


def column_mentions(text: str, columns: Sequence[str]) -> list[Mention]:
    """Where a text names columns, whatever the case and the separators, file names aside; of names within names the longest."""
    text = FILE_NAME.sub(lambda file: " " * len(file.group()), text)
    runs = [(run.start(), run.end(), run.group().casefold()) for run in _RUN.finditer(text)]
    by_letters: dict[str, list[str]] = {}
    for column in columns:
        by_letters.setdefault("".join(_RUN.findall(column)).casefold(), []).append(column)
    found: list[Mention] = []
    for first, (start, _, _) in enumerate(runs):
        letters, last = "", start
        for begin, end, run in runs[first : first + _MOST_RUNS]:
            if _BREAK.search(text, last, begin):
                break
            letters, last = letters + run, end
            for column in by_letters.get(letters, ()):
                if len(letters) > _SHORT or text[start:end] == column:
                    found.append(Mention(start, end, column))
    return [one for one in found if not any(_within(one, other) for other in found)]


def _within(one: Mention, other: Mention) -> bool:
    return other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start


def likeness(words: str, column: str) -> float:
    """How like a column's name is to some words, 0 to 1: the mean share of the name's parts and of the words that match.

    >>> likeness("boat length", "boat_length_m") > likeness("boat length", "length_m") > likeness("boat length", "catch")
    True
    >>> likeness("debt to income", "dti")
    0.8
    """
    parts = name_parts(column)
    spoken = [word for word in name_parts(words) if word not in IDLE_WORDS] or name_parts(words)
    if not parts or not spoken:
        return 0.0
    initials = _initials(spoken)
    if len(parts) == 1 and len(parts[0]) >= _FEWEST_INITIALS and parts[0] in (initials, _initials(name_parts(words))):
        return 0.8
    matches = [[_match(part, word) for word in spoken] for part in parts]
    of_parts = [
        max([*row, 0.8 * (len(part) > 1 and part in initials)]) for part, row in zip(parts, matches, strict=True)
    ]
    of_words = [max(column) for column in zip(*matches, strict=True)]
    return (sum(of_parts) / len(parts) + sum(of_words) / len(spoken)) / 2


def _match(part: str, word: str) -> float:
    """Whether a part of a name and a word are the same (1), or one is cut short or bent otherwise (0.8)."""
    from rapidfuzz import fuzz

    if part == word:
        return 1.0
    if part[0] != word[0] or min(len(part), len(word)) < 2:
        return 0.0
    bent = min(len(part), len(word)) >= 4 and (part[:4] == word[:4] or fuzz.ratio(part, word) >= 80)
    return 0.8 if bent or shortens(part, word) or shortens(word, part) else 0.0


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words)


def written_out(column: str, words: Sequence[str]) -> str | None:
    """A column's name with the words of a question in place of parts that are these words cut short, or their initials.

    Args:
        words: of the question, in their order, in lower case.

    Returns:
        None where no part is cut short.

    >>> words = "does the bone density depend on thigh strength and debt to income".split()
    >>> written_out("thgh_strn_2", words), written_out("dti", words), written_out("bone", words)
    ('thigh strength 2', 'debt to income', None)
    """
    parts = name_parts(column)
    initials = _run_of_initials(parts[0], words) if len(parts) == 1 else None
    if initials:
        return initials
    full = [part if part in words else _cut_short(part, words) for part in parts]
    changed = [place for place, word in enumerate(full) if word not in (None, parts[place])]
    sure = any(len(parts[place]) >= _FEWEST_INITIALS for place in changed) or len(changed) > 1
    if not changed or not (sure or any(part in words and not part.isdigit() for part in parts)):
        return None
    return " ".join(word or part for word, part in zip(full, parts, strict=True))


def _cut_short(part: str, words: Sequence[str]) -> str | None:
    """The first of the words that a part of a name is a short form of, or a bent one; those that it begins come first."""
    fitting = [word for word in words if len(word) > len(part) and word not in IDLE_WORDS and _match(part, word)]
    return min(fitting, key=lambda word: not word.startswith(part), default=None)


def _run_of_initials(part: str, words: Sequence[str]) -> str | None:
    size = len(part)
    if size < _FEWEST_INITIALS:
        return None
    runs = (words[start : start + size] for start in range(len(words) - size + 1))
    return next((" ".join(run) for run in runs if _initials(run) == part), None)
