"""Whether a question that asks for the best action wants more of the response, or less."""

from __future__ import annotations

import re
from collections.abc import Sequence

from causal_tools.columns import plain_name
from causal_tools.question_words import CHOICE, FILE_NAME, opposes

Place = tuple[int, int]

BEFORE, AFTER, DENIED = 6, 4, 3  # words from the response within which a word counts; those that deny stand before it
_LESS_WORDS = (
    "minimise minimize minimises minimizes minimising minimizing minimal minimum lowest least fewest smallest shortest cheapest "
    "slowest mildest weakest lower lowers lowered lowering reduce reduces reduced reducing reduction less fewer smaller shorter "
    "cheaper avoid avoids avoided avoiding prevent prevents prevented preventing protect protects protecting cut cuts cutting "
    "decrease decreases decreasing shrink lessen lessens ease eases easing relieve relieves relief against curb spare stop stops "
    "escape escapes dread dreads fear fears afraid down low small few short little rare rarely seldom hardly limit limits"
)
_MORE_WORDS = (
    "maximise maximize maximises maximizes maximising maximizing maximal maximum highest most greatest largest biggest longest "
    "increase increases increasing raise raises raising more higher high larger large greater longer long boost boosts gain lift "
    "lifts much many strong stronger strongest fastest richest up"
)
_DENIAL_WORDS = "no not never without nothing nobody none"
_LESS, _MORE, _DENIALS = (frozenset(words.split()) for words in (_LESS_WORDS, _MORE_WORDS, _DENIAL_WORDS))
_GOAL_WORDS = {
    True: "minimise minimize minimising minimizing lowest least fewest smallest shortest",
    False: "maximise maximize maximising maximizing highest greatest largest biggest longest",
}
_GOALS = {less: frozenset(words.split()) for less, words in _GOAL_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+(?:['’]t)?")
_SENTENCE = re.compile(r"[.?!;](?=\s|$)")
_THRESHOLD = re.compile(
    r"\bat (?:least|most)\b|\bno (?:less|more|fewer) than\b|\b\w+er than\b|\b(?:more|less) than\b|"
    r"\bor (?:less|more|fewer|lower|higher|older|younger|longer|shorter|above|below|under|over)\b",
    re.IGNORECASE,
)


def lower_is_wanted(text: str, response: str, places: Sequence[Place], others: Sequence[Place] = ()) -> bool | None:
    """Whether a question wants less of the response; None where it does not say.

    The nearest word that says more or less, in the same sentence as the response, decides; else one that names a goal anywhere.

    Args:
        text: the question.
        response: its column.
        places: where the text speaks of it, in characters.
        others: where it speaks of other columns.

    >>> lower_is_wanted("Which dose gives the least pain?", "pain", [(27, 31)])
    True
    >>> lower_is_wanted("Drug or no drug, to sleep longer?", "hours_slept", [(20, 32)], [(0, 15)])
    False
    >>> lower_is_wanted("Is drug or rest best here?", "pain", [])
    """
    plain = _blanked(text, [*(found.span() for found in _set_aside(text)), *others])
    said = [one for place in places if (one := _nearest(plain, place)) is not None]
    if said:
        return min(said)[1]
    if any(opposes(text[start:end], plain_name(response)) for start, end in places):
        return True
    words = set(_WORD.findall(plain.casefold()))
    goals = {less for less, own in _GOALS.items() if words & own}
    return goals.pop() if len(goals) == 1 else None


def _set_aside(text: str) -> list[re.Match[str]]:
    return [found for pattern in (FILE_NAME, CHOICE, _THRESHOLD) for found in pattern.finditer(text)]


def _blanked(text: str, places: Sequence[Place]) -> str:
    for start, end in places:
        text = text[:start] + re.sub(r"\w", " ", text[start:end]) + text[end:]
    return text


def _nearest(text: str, place: Place) -> tuple[int, bool] | None:
    """Of the words around a place in its sentence, and in it, the nearest that says more or less: how far, and whether less."""
    start = max((found.end() for found in _SENTENCE.finditer(text, 0, place[0])), default=0)
    end = min((found.start() for found in _SENTENCE.finditer(text, place[1])), default=len(text))
    before = [word.group().casefold() for word in _WORD.finditer(text, start, place[0])][::-1]
    inside = [word.group().casefold() for word in _WORD.finditer(text, *place)]
    after = [word.group().casefold() for word in _WORD.finditer(text, place[1], end)]
    told = [(0, word) for word in inside] + list(enumerate(before[:BEFORE], 1))
    found = [(far, less) for far, word in told if (less := _says_less(word, far <= DENIED)) is not None]
    found += [(far, less) for far, word in enumerate(after[:AFTER], 1) if (less := _says_less(word, False)) is not None]
    return min(found, default=None)


def _says_less(word: str, may_deny: bool) -> bool | None:
    """Whether a word says less; None where it says neither less nor more, as *best* does: nobody wants the best of pain."""
    if word in _LESS or (may_deny and (word in _DENIALS or word.endswith(("n't", "n’t")))):
        return True
    return False if word in _MORE else None
