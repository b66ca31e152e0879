"""What the question's own words say, held against the language model's reading of it.

A model that may only choose columns of the file always chooses some column, also when the one asked about is not there.
These guards notice that. They judge words alone: they refuse, and never choose in the model's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from causal_tools.columns import name_parts, shortens
from causal_tools.contract import CausalQuery
from causal_tools.question_words import FILE_NAME, IDLE_WORDS, NUMBER

_CUE = re.compile(
    r"\b(?:affect|effect|impact|influenc|caus|driv|lead|led\b|rais|lower|reduc|increas|decreas|chang|improv|worsen|boost|cut|help"
    r"|hurt|matter|differen|respon"
    r"|result|consequen|because|due to|depend|mediat|through|via|channel|indirect|direct|pathway|treat|action"
    r"|option|choose|choos|choice|recommend|should|best|optim|policy|assign|graph|dag|structur|network"
    r"|relat|link|map|benefit|shift|mak)",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"`([^`\n]+)`|(?<![\w./-])([A-Za-z]\w*_\w+)(?![\w/-]|\.\w)")
_COMPARISON = re.compile(r"[<>=!]")
_CLOSE = 80  # rapidfuzz ratio from which two words are taken for one misspelt


def has_causal_evidence(question: str, columns: Sequence[str]) -> bool:
    """True where the question has a causal cue, or shares a word of three letters or more with the header."""
    if _CUE.search(question):
        return True
    header = {part for name in columns for part in name_parts(name) if len(part) >= 3} | {
        name.lower() for name in columns
    }
    return bool(header & {word for word in name_parts(question) if len(word) != 2})


def unknown_identifiers(question: str, known: Iterable[str]) -> list[str]:
    """Names that can only be meant as columns or values, in backticks or with underscores, and are neither.

    Numbers and comparisons in backticks are no names.

    Args:
        question: in words.
        known: columns, levels and file names; a file may be called by its name without the ending.
    """
    known = list(known)
    spellings = {
        _bare(name) for name in [*known, *(name.rpartition(".")[0] for name in known if FILE_NAME.fullmatch(name))]
    }
    found = [match.group(1) or match.group(2) for match in _IDENTIFIER.finditer(question)]
    return [
        name
        for name in dict.fromkeys(found)
        if _bare(name) not in spellings
        and _bare(name).rstrip("s") not in spellings
        and not NUMBER.fullmatch(name.strip())
        and not _COMPARISON.search(name)
    ]


def unsupported_roles(question: str, query: CausalQuery) -> list[tuple[str, str]]:
    """Roles of a reading whose column has nothing in common with any word of the question: (role, column)."""
    words = name_parts(question)
    roles = [("treatment", query.treatment), ("response", query.response), ("mediator", query.mediator)]
    roles += [("condition", condition.column) for condition in query.conditions]
    return [(role, column) for role, column in roles if column and not is_mentioned(column, words)]


def left_out(question: str, query: CausalQuery, columns: Iterable[str]) -> list[str]:
    """Columns that the question names in full and the reading does not hold; a covariate may well be one."""
    if query.nodes == "all":
        return []
    text = _spaced(FILE_NAME.sub(" ", question))
    named = [
        name for name in columns if len(name) >= 3 and re.search(rf"(?<!\w){re.escape(_spaced(name))}(?!\w)", text)
    ]
    return [name for name in named if name not in query.columns()]


def is_mentioned(column: str, words: Sequence[str]) -> bool:
    """Whether some part of a column's name is a word of the question, its beginning, its abbreviation or a misspelling.

    Parts that are in every second sentence, as *is* and *to*, and single letters say nothing.

    Args:
        column: name in the file.
        words: of the question, in lower case and in order.
    """
    initials = "".join(word[0] for word in words)
    parts = name_parts(column)
    whole = "".join(parts)
    if whole in words or (len(whole) >= 2 and whole in initials):
        return True
    telling = [part for part in parts if len(part) > 1 and not part.isdigit() and part not in IDLE_WORDS]
    return any(_same_word(part, word) for part in telling for word in words)


def _same_word(part: str, word: str) -> bool:
    from rapidfuzz import fuzz

    if part == word:
        return True
    if len(part) < 2 or len(word) < 3 or part[0] != word[0]:
        return False
    return part[:4] == word[:4] or shortens(part, word) or fuzz.ratio(part, word) >= _CLOSE


def _spaced(text: str) -> str:
    return text.casefold().replace("_", " ")


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
