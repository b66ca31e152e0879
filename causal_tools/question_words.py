"""What a question's words hold as they stand: file names, numbers, and levels of the file's columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from causal_tools.contract import Scalar

FILE_NAME = re.compile(r"[\w\-]+(?:\.[\w\-]+)*\.(?:csv|tsv|txt|parquet|xlsx|xls)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-−+]?\d*\.?\d+")
MOST_HINTS = 8
_FEWEST_OF_JOINED = 7  # letters of a level whose words may be said apart
_FEWEST_OF_LEVEL = 3  # letters from which a level in the question is no accident
_STEM = 5  # letters that a word and a level must share, where it has as many
_EVERYDAY = frozenset(
    {"yes", "no", "off", "true", "false", "other", "none", "all", "the", "and", "not", "unknown", "low", "high"}
)
_BEGINNINGS = frozenset(
    ["any", "call", "for", "int", "man", "med", "mid", "mon", "oth", "per", "pro", "some", "std"]
)  # of many words
_IDLE_WORDS = (
    "a an the of in on at to for by with from as is are was were be been being do does did has have had having it its they "
    "their them he she his her who whom whose which that this these those there how much many more less most least few "
    "fewer some any all each every one"
)
IDLE_WORDS = frozenset(_IDLE_WORDS.split())  # that say nothing of a column
_DENIALS = frozenset(
    {"no", "not", "non", "never", "without", "none", "neither", "nor", "nobody", "cannot", "lack", "lacks", "lacking"}
)
_FEW = 2  # words before a level, in which a denial may stand
_BUT = re.compile(
    r"\b(?:but|except(?:ing)?(?:\s+for)?|excluding|other\s+than|outside)(?:\s+(?:the|an?|for|of))?\s+$", re.IGNORECASE
)
CHOICE = re.compile(r"\b(?:or|yes,|with or)\s+(?:not?|none|never|without)\b", re.IGNORECASE)  # denies nothing
_CLAUSE = re.compile(r"[.?!,;:](?=\s|$)|\s[-–—]\s")
MALE = frozenset(["male", "males", "m", "man", "men", "boy", "boys", "gentleman", "gentlemen"])
FEMALE = frozenset(["female", "females", "fem", "f", "woman", "women", "girl", "girls", "lady", "ladies"])
_OPPOSITES = (
    (MALE, FEMALE),
    *(
        tuple(frozenset(side.split()) for side in pair.split(" / "))
        for pair in (
            "married / single unmarried unwed divorced widowed bachelor bachelors",
            "urban city cities town towns metropolitan / rural country countryside country village villages villagers",
            "employed job jobs working / unemployed jobless",
            "owner owners owned / renter renters rented tenant tenants",
            "public / private",
            "weekend weekends / weekday weekdays",
            "adult adults grown / child children minor minors kid kids",
            "indoor indoors inside / outdoor outdoors outside",
            "domestic native natives / foreign foreigner foreigners abroad imported immigrant immigrants",
            "alive survivor survivors survived / dead died deceased",
            "positive / negative",
            "day daytime daylight / night nighttime dark darkness",
            "full fulltime / part parttime",
            "dry / wet rain rainy",
            "sick ill / healthy",
            "insider insiders / outsider outsiders",
        )
    ),
)
_NEGATING_STARTS = ("non", "un", "in", "dis")
_YES_OR_NO = {"0": False, "no": False, "n": False, "false": False, "1": True, "yes": True, "y": True, "true": True}
_WORDS = re.compile(r"[^\W_]+")
_FIGURES = re.compile(r"\d+(?:\.\d+)?")
_UNIT = r"(?:\s*%|\s+[^\W\d_]+)?"
_TO = re.compile(rf"{_UNIT}\s+(?:up\s+)?(?:to|through|till|until)\s+|\s?[-–—]\s?", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:.*\W)?between\s+", re.IGNORECASE)
_AND = re.compile(rf"{_UNIT}\s+and\s+", re.IGNORECASE)
_UNITS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety hundred"
NUMBER_WORDS: dict[str, int] = {
    **{word: value for value, word in enumerate(_UNITS.split(), start=1)},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), start=2)},
    "dozen": 12,
    "thousand": 1000,
}


def numbers_in(question: str) -> dict[str, Scalar]:
    """The numbers in a text, each under the one spelling that a reading has for it (``.5`` and ``0.50`` are 0.5)."""
    found = (match.group(0).lstrip("+").replace(",", "").replace("−", "-") for match in NUMBER.finditer(question))
    values: list[Scalar] = [float(text) if "." in text else int(text) for text in found if np.isfinite(float(text))]
    return {str(value): value for value in sorted(values)}


def numbers_shared(words: str, column: str, levels: Sequence[Scalar]) -> set[Scalar]:
    """The numbers of some words for a column that its name or a level has too. Others are not the column's: or words would be
    taken for it for the sake of a number beside them.

    >>> numbers_shared("pain at week 6 in 2 of 3", "pain_w06", ()), numbers_shared("under 30, at 3", "band", ["<30", "30+"])
    ({6}, {30})
    """
    known = {float(figures) for text in [column, *map(str, levels)] for figures in _FIGURES.findall(text)}
    return {number for _, _, number in number_places(words) if number in known}


def spelt_numbers_in(question: str) -> dict[str, Scalar]:
    """The numbers that a text says in one word, such as ``three``, under their figures."""
    words = set(_WORDS.findall(question.casefold()))
    return {str(value): value for word, value in NUMBER_WORDS.items() if word in words}


def places_of(words: str, text: str) -> list[tuple[int, int]]:
    """Where a text says some words, in characters."""
    return [found.span() for found in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text)]


@lru_cache(maxsize=4096)
def number_places(question: str) -> tuple[tuple[int, int, Scalar], ...]:
    """Where a text says numbers, in figures or in one word: start, end, value; in the order of the text."""
    found: list[tuple[int, int, Scalar]] = []
    for figures in NUMBER.finditer(question):
        found += [(*figures.span(), value) for value in numbers_in(figures.group()).values()]
    for word in _WORDS.finditer(question):
        if (value := NUMBER_WORDS.get(word.group().casefold())) is not None:
            found.append((*word.span(), value))
    return tuple(sorted(found, key=lambda place: place[:2]))


def number_ranges(question: str) -> list[tuple[Scalar, Scalar]]:
    """The ranges that a text gives by their ends, in the order of the text.

    >>> number_ranges("aged between 30 and 50, or 55 to 60 years; 3 and 4, 9 to 5"), number_ranges("from 1.5 m up to 2 m; 7-9")
    ([(30, 50), (55, 60)], [(1.5, 2), (7, 9)])
    """
    return [
        (low, high)
        for (first, end, low), (begin, _, high) in pairwise(number_places(question))
        if float(low) < float(high)
        and (
            _TO.fullmatch(question[end:begin])
            or (_BETWEEN.fullmatch(question[:first]) and _AND.fullmatch(question[end:begin]))
        )
    ]


def telling(level: str) -> bool:
    """Whether a level is a word that says which column it belongs to, as ``retired`` does and ``yes`` does not."""
    return len(level) >= _FEWEST_OF_LEVEL and level.casefold() not in _EVERYDAY and any(c.isalpha() for c in level)


def says_level(text: str, level: str) -> bool:
    """Whether a text says a telling level, in the singular or the plural."""
    return bool(level_places(text, level))


def level_places(text: str, level: str) -> list[tuple[int, int]]:
    """Where a text says a telling level, in characters, and not its opposite; one of joined words may be said apart.

    >>> level_places("the unmarried and the not married", "notmarried"), level_places("never-married", "married")
    ([(22, 33)], [])
    """
    if not telling(level):
        return []
    apart = r"[\s_-]?" if level.isalpha() and len(level) >= _FEWEST_OF_JOINED else ""
    plain = apart.join(map(re.escape, level.replace("_", " ")))
    pattern = rf"(?<!\w)(?<!never[\s-])(?<!non-){plain}(?:s|es)?(?!\w)"
    return [found.span() for found in re.finditer(pattern, text.replace("_", " "), re.IGNORECASE)]


def words_before(text: str, place: int, most: int) -> str:
    """The last words of a text before a place, at most so many, as far as they are of one clause with it; without those of a
    choice, as *or none*, which deny nothing.

    >>> words_before("Coffee or not? I never had tea.", 27, 4), words_before("Coffee or not for the old", 22, 3)
    ('I never had', 'Coffee for the')
    """
    return " ".join(CHOICE.sub(" ", _CLAUSE.split(text[:place])[-1]).split()[-most:])


def denies(words: str) -> bool:
    """Whether some words say that something is not so."""
    return any(
        part in _DENIALS or part.endswith("n't") for part in re.findall(r"[\w'’]+", words.casefold().replace("’", "'"))
    )


def denies_level(text: str, level: str) -> bool:
    """Whether a text says a level only to say that it is meant not: *no farmers*, *anyone but farmers*.

    >>> [denies_level(text, "farmer") for text in ("those who are no farmers", "all but the farmers", "non-smoking farmers")]
    [True, True, False]
    """
    places = level_places(text, level)
    return bool(places) and all(_is_denied(text, start) for start, _ in places)


def _is_denied(text: str, place: int) -> bool:
    words = [word for word in words_before(text, place, _FEW).split() if "-" not in word.rstrip("-")]
    return denies(" ".join(words)) or bool(_BUT.search(text[:place]))


def opposes(words: str, name: str) -> bool:
    """Whether some words say the opposite of what a name does, as *women* of ``male`` and *unmarried* of ``is_married``.

    >>> opposes("the women", "male"), opposes("non-smokers", "smoker"), opposes("uninsured", "insured"), opposes("men", "male")
    (True, False, True, False)
    """
    said, named = (set(_WORDS.findall(text.casefold().replace("_", " "))) for text in (words, name))
    if any(
        named & own and said & other and not named & other and not said & own
        for pair in _OPPOSITES
        for own, other in (pair, pair[::-1])
    ):
        return True
    stems = {part[:_STEM] for part in named if len(part) >= _STEM}
    return not any(word[:_STEM] in stems for word in said) and any(
        word.startswith(start) and word[len(start) :][:_STEM] in stems for word in said for start in _NEGATING_STARTS
    )


def yes_or_no(value: Scalar, levels: Sequence[Scalar]) -> bool | None:
    """Whether a level says that something is so; None unless it is one of two, the other of which says the opposite."""
    said = {_YES_OR_NO.get(str(level).casefold()) for level in levels}
    return _YES_OR_NO[str(value).casefold()] if len(levels) == 2 and said == {True, False} else None


def level_hints(question: str, levels: Mapping[str, Sequence[Scalar]], columns: Sequence[str]) -> list[tuple[str, str]]:
    """Levels of the file's columns that a question seems to speak of, in whatever form of the word.

    Args:
        levels: by column.
        columns: those to be looked at, in order.

    Returns:
        (column, level) pairs, at most :data:`MOST_HINTS`.
    """
    words = set(_WORDS.findall(FILE_NAME.sub(" ", question).casefold()))
    stems = {word[:_STEM] for word in words}

    def spoken(part: str) -> bool:
        return part[:_STEM] in stems or (len(part) == _STEM - 1 and any(word.startswith(part) for word in words))

    found = [
        (column, text)
        for column in columns
        for level in levels.get(column, ())
        if telling(text := str(level))
        and (parts := [part for part in _WORDS.findall(text.casefold().replace("_", " ")) if part not in _EVERYDAY])
        and all(map(spoken, parts))
    ]
    return found[:MOST_HINTS]


def cut_short(level: str, question: str) -> bool:
    """Whether a level of three letters is the beginning of one longer word of a question, and only one.

    >>> cut_short("ret", "Is the retired man better off?"), cut_short("own", "Do I own or owe?"), cut_short("low", "lowering")
    (True, False, False)
    """
    if len(level) != _FEWEST_OF_LEVEL or not telling(level) or not level.isalpha() or level.casefold() in _BEGINNINGS:
        return False
    words = {word for word in _WORDS.findall(question.casefold()) if word.startswith(level.casefold())}
    return len(words) == 1 and len(words.pop()) >= _FEWEST_OF_LEVEL + 2
