"""Whether a question is about one of the sexes, and which columns of a file tell them apart.

Of the written questions for training that say one sex, about a file with a column of it, and ask for an effect under conditions
or for a decision, 97 of 100 restrict such a column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from causal_tools.columns import name_parts
from causal_tools.contract import Scalar
from causal_tools.question_words import FEMALE, MALE, yes_or_no

_SIDES = {"male": MALE, "female": FEMALE}
_CODES = {"male": MALE | {"b"}, "female": FEMALE | {"w", "g"}}  # of levels
_OF_BOTH = frozenset({"sex", "gender"})
_OF_NEITHER = frozenset(  # levels beside the two
    ["d", "x", "nb", "nonbinary", "diverse", "divers", "other", "o", "unknown", "u", "na"]
)
_TITLES = {"Mr": "male", "Mrs": "female", "Ms": "female"}
_WORD = re.compile(r"[^\W\d_]{3,}")  # 'm' and 'f' are no words of a question


def sexes_said(text: str) -> frozenset[str]:
    """``male``, ``female``, both or none.

    >>> sorted(sexes_said("For men over 40 and for a woman of 30")), sorted(sexes_said("For the manly")), *sexes_said("Mr Hill")
    (['female', 'male'], [], 'male')
    """
    words = set(_WORD.findall(text.casefold()))
    titles = [_TITLES[title] for title in re.findall(r"\b(?:Mr|Mrs|Ms)\b", text)]
    return frozenset([*titles, *(sex for sex, own in _SIDES.items() if words & own)])


def sex_levels(column: str, levels: Sequence[Scalar]) -> dict[str, str] | None:
    """The levels of the sexes, where these can be told; None of a column that is about something else.

    >>> sex_levels("pat_f", [0, 1]), sex_levels("sex", ["W", "M"]), sex_levels("gender", [1, 2]), sex_levels("dose", ["m", "l"])
    ({'female': '1', 'male': '0'}, {'male': 'M', 'female': 'W'}, {}, None)
    """
    levels = [level for level in levels if str(level).casefold() not in _OF_NEITHER]
    if len(levels) != 2:
        return None
    parts = set(name_parts(column))
    coded = {sex: [str(level) for level in levels if str(level).casefold() in own] for sex, own in _CODES.items()}
    if all(len(own) == 1 for own in coded.values()):
        return {sex: own[0] for sex, own in coded.items()}
    meant = [sex for sex, own in _SIDES.items() if parts & own]
    if len(meant) == 1 and yes_or_no(levels[0], levels) is not None:
        yes, no = sorted(levels, key=lambda level: not yes_or_no(level, levels))
        (other,) = set(_SIDES).difference(meant)
        return {meant[0]: str(yes), other: str(no)}
    return {} if parts & _OF_BOTH else None
