"""Which level of a column is, by its name, the absence of what the others are, and so the one to compare from."""

from __future__ import annotations

import re
from collections.abc import Sequence

# alone, in the order in which they count
_WORDS = (
    *("0", "no", "n", "none", "false", "f", "control", "ctrl", "placebo", "untreated", "never", "baseline", "standard"),
    *("usual care", "usual", "off", "absent", "negative", "low", "before", "unexposed", "nothing"),
    *("nein", "non", "nej", "nei", "nee", "não", "nao", "nie", "нет", "ohne", "kein", "keine", "sin", "sans", "aucun"),
    *("current", "existing", "previous", "status quo", "pre"),
)
# in a longer name, where one level alone has such a word
_WITHIN = re.compile(
    r"\b(?:control|ctrl|placebo|untreated|unexposed|usual care|as usual|status quo|baseline|no treatment)\b",
    re.IGNORECASE,
)
_DENIALS = (
    "no ",
    "not ",
    "non ",
    "non-",
    "non",
    "without ",
    "never ",
    "un",
    "in",
    "ohne ",
    "kein ",
    "keine ",
    "nicht ",
    "sin ",
    "sans ",
)
_PAIRED = (("low", "high"), ("before", "after"), ("small", "large"))


def reference_level(levels: Sequence[str]) -> str | None:
    """The level to compare from, where names tell.

    >>> reference_level(["ja", "nein"]), reference_level(["drug", "no drug"]), reference_level(["high dose", "low dose"])
    ('nein', 'no drug', 'low dose')
    >>> reference_level(["Øresund", "Åland"]) is None
    True
    """
    plain = {level: " ".join(str(level).casefold().replace("_", " ").split()) for level in levels}
    ranks = {word: rank for rank, word in enumerate(_WORDS)}
    alone = [level for level in levels if plain[level] in ranks]
    if alone:
        return min(alone, key=lambda level: ranks[plain[level]])
    for found in (
        [level for level in levels if _WITHIN.search(plain[level])],
        [level for level in levels if _denies_another(plain[level], list(plain.values()))],
        [level for level in levels if _is_lesser(plain[level], list(plain.values()))],
    ):
        if len(found) == 1:
            return found[0]
    return None


def _denies_another(name: str, names: Sequence[str]) -> bool:
    return any(name.startswith(denial) and name.removeprefix(denial) in names for denial in _DENIALS)


def _is_lesser(name: str, names: Sequence[str]) -> bool:
    return any(
        re.sub(rf"\b{less}\b", more, name) in names
        for less, more in _PAIRED
        if re.search(rf"\b{less}\b", name) is not None
    )
