"""What a question speaks of only to leave it aside, or to adjust for it: no treatment, no response, no node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from causal_tools.lists_said import end_of_list
from causal_tools.question_words import FILE_NAME

Place = tuple[int, int]


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)


_STEP = r"(?![.?!;:](?:\s|$)|\s[-–—]\s)."
_PART = rf"(?:{_STEP}){{1,120}}?"  # of one sentence
_REST = rf"(?:{_STEP}){{1,400}}?"  # of one sentence, from which a list is taken
_AFTER_PART = r"(?=[.?!;:](?:\s|$)|\s[-–—]\s|$)"
_SETTING = r"\b(?:set|put|lay|leav|keep)"
_CLAUSE = rf"(?:^|(?<=[.?!;:,(])\s*)(?P<subject>(?:(?!,\s)(?!{_SETTING}){_STEP}){{1,120}}?,?)"
_KEPT = r"(?:constant|fixed|equal|unchanged|steady|the same|at the same \w+)(?!\s+(?:to|as)\b)"
_IMPERATIVE = r"(?<![^.?!;,]\s)"  # nothing but the end of a clause stands before
_BEFORE_A_CLAUSE = re.compile(
    r"(?<![^.?!;:]\s)(?:\w+ing|\w+ed|net|for|given|at)\b", re.IGNORECASE
)  # as "net of age, …" is
_ADJUSTED = _patterns(
    rf"\b(?:keep|keeping|hold|holding|held|with)\s+(?P<kept>{_PART})\s+(?:(?:held|kept)\s+)?{_KEPT}\b",
    rf"\b(?:when|while|if|once|where)\s+(?P<being>{_PART})\s+(?:is|are|stays?|remains?|were|was)\s+(?:held\s+|kept\s+)?{_KEPT}\b",
    rf"\b(?:adjust(?:ed|ing)?|controll?(?:ed|ing)?|correct(?:ed|ing)|allowing|accounting|{_IMPERATIVE}(?:correct|allow|account))\s+"
    rf"for\s+(?P<adjusted>{_REST}){_AFTER_PART}",
    rf"\b(?:net\s+of|comparing\s+like\s+with\s+like\s+(?:in|on|as\s+to)|{_IMPERATIVE}compare\s+(?:only\s+)?like\s+with\s+like\s+"
    rf"(?:in|on|as\s+to)|(?:for|given|at)\s+equal|given\s+the\s+same)\s+(?P<net>{_REST}){_AFTER_PART}",
    rf"\b(?:tak|us|with|hav|mind|treat|includ|put)(?:e|ing|ting)?\s+(?P<covariates>{_PART})\s+"
    r"(?:(?:in\s+)?as\s+(?:the\s+|a\s+)?(?:covariates?|confounders?|adjusters?|controls?|(?:control|adjustment)\s+variables?)|"
    r"into\s+account|in\s+the\s+adjustment)\b",
    rf"\b(?:other|all\s+else|everything\s+else|further)\s+(?:things\s+)?such\s+as\s+(?P<equal>{_PART})\s+being\s+equal\b",
    rf"(?:(?:^|(?<=[.?!;:(])\s|\b(?=once|after))(?:(?:once|after)\s+)?)(?P<passive>{_PART})\s+(?:is|are|was|were|(?:should|must|shall|is\s+to|are\s+to)\s+be|"
    r"has\s+been|have\s+been|being)\s+(?:controlled|adjusted|accounted|allowed|corrected)\s+for\b",
    rf"\brul(?:e|ing)\s+out\s+(?P<ruled>{_PART})\s+as\s+(?:an\s+|the\s+)?(?:explanations?|reasons?|causes?)\b",
    rf"(?:^|(?<=[.?!;:(])\s)(?P<confounding>{_PART})\s+(?:may|might|could|can|will|would)?\s*confounds?\b",
    rf"\b(?:covariates?|confounders?)\s*(?:are|:|is)\s+(?P<listed>{_PART}){_AFTER_PART}",
)
_REGARDLESS = _patterns(
    rf"\b(?:(?:irrespective|regardless)\s+of|(?:apart|aside)\s+from)\s+(?P<regardless>{_PART}){_AFTER_PART}"
)
_NOT_WORTH = (
    r"not\s+(?:needed|wanted|included|of\s+interest|the\s+question|(?:a\s+)?part\s+of\s+(?:it|this))|of\s+no\s+(?:interest|concern)|"
    r"another\s+(?:story|matter|question)|for\s+(?:later|another\s+(?:day|time))|beside\s+the\s+point"
)
_ASIDE = _patterns(
    rf"\b(?:set|put|lay|leav|keep)(?:e|es|s|t?ing)?\s+(?P<set>(?:(?!{_SETTING}){_STEP}){{1,120}}?)\s+"
    r"(?:aside|out\s+of\s+(?:it|this|the\s+\w+)|out(?=[.?!;,]|$))",
    rf"\bleav(?:e|es|ing)\s+(?P<alone>{_PART})\s+alone\b",
    rf"\b(?:leav(?:e|ing)\s+(?:out|aside)|set(?:ting)?\s+aside)\s+(?P<out>{_PART}){_AFTER_PART}",
    rf"\b(?:never\s+mind|ignor(?:e|es|ing)|disregard(?:ing)?|forget\s+about|nothing\s+about|(?<![^.?!]\s)forget)\s+"
    rf"(?P<ignored>{_PART}){_AFTER_PART}",
    rf"\b(?:do\s+not|don['’]t|need\s+not|not)\s+(?:care\s+about|look\s+at|be\s+put\s+off\s+by|bring|asking\s+about|about)\s+"
    rf"(?P<denied>{_PART}){_AFTER_PART}",
    rf"{_CLAUSE}\s+(?:(?:is|are|was|were)\s+(?:{_NOT_WORTH})|plays?\s+no\s+(?:part|role)|aside(?=[.,;:?!]|$)|"
    r"(?<=,\s)(?:skip|ignore|forget|drop|leave)\s+(?:it|them)\b)",
)  # fmt: skip
_NOT_MEASURED = "".join(rf"(?<!{unit}\s)" for unit in ("hours", "days", "weeks", "months", "years", "time"))
_LISTED_WITHOUT = _patterns(  # of a list of nodes, where it can be meant in no other way
    rf"\b(?:{_NOT_MEASURED}without|except(?:ing)?|exclud(?:e|es|ing)|omit(?:ting)?|drop\s+(?:the|all|any)|but\s+(?:not|no)|other\s+than|"
    rf"(?:do\s+not|don['’]t)\s+(?:put|include|use|take|want)|minus|rather\s+than|instead\s+of|nothing\s+(?:from|of|on)|with\s+no)"
    rf"\s+(?P<without>{_PART}){_AFTER_PART}",
    rf"[,(]\s*(?:and\s+|but\s+)?no\s+(?P<no>{_PART}){_AFTER_PART}",
    rf"{_CLAUSE}\s+(?:(?:(?:must|should|shall|may|can)\s+)?stays?\s+(?:out|away|outside)|"
    r"(?:(?:is|are|being|(?:to\s+)?be|was|were)\s+)?left\s+(?:out|aside)|"
    r"(?:(?:do|does|need|should|must|shall)(?:n['’]t|\s+not)|cannot|can['’]t)\s+(?:belong|count|matter|go\s+in|appear|enter))\b",
)
_ASKS = re.compile(  # where another clause begins
    r"(?<!\w)(?<!and\s)(?:does|do|did|is|are|was|were|what|how|which|who|would|will|can|could|should|shall|may|might|has|had|it|we|you|i|"
    r"there\s+(?:is|are|was)|tell|estimate|give|show|find|draw|please)(?!\w)",
    re.IGNORECASE,
)
_NEXT_CLAUSE = re.compile(
    r",\s+(?:only|but|on|in|among|for|when(?:ever)?|once|given|provided|assuming|supposing|if|where|whether|by|between|the\s+(?:effect|impact|influence))\s",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"[,(]\s*(?:and\s+)?not\s+(?:(?:the|a|an|by|in|on|at|as|their|his|her|its|of|from|per|that)\s+){0,2}",
    re.IGNORECASE,
)
_OPEN = (
    "adjusted",
    "net",
    "regardless",
    "listed",
    "out",
    "ignored",
    "denied",
    "without",
    "no",
)  # go on until something else begins


def adjusted_for(text: str) -> list[Place]:
    """Where a text speaks of what it wants held fixed or adjusted for.

    >>> text = "Keeping age and sex constant, does sleep change pay?"
    >>> [text[start:end] for start, end in adjusted_for(text)]
    ['age and sex']
    """
    return _found(_ADJUSTED, text)


def regardless_of(text: str) -> list[Place]:
    """Where a text speaks of what its effect is to be apart from: of a mediator, or of something else.

    >>> text = "Does sleep change pay regardless of age?"
    >>> [text[start:end] for start, end in regardless_of(text)]
    ['age']
    """
    return _found(_REGARDLESS, text)


def left_aside(text: str) -> list[Place]:
    """Where a text speaks of what it does not ask about.

    >>> text = "Does sleep change pay? Never mind their age. Sex plays no part."
    >>> [text[start:end] for start, end in left_aside(text)]
    ['their age', 'Sex']
    """
    return _found(_ASIDE, text)


def is_denied(text: str, place: Place) -> bool:
    """Whether a text sets what it speaks of at a place against what it means: *the volume, not the set point*.

    >>> text = "Does oxygen (volume, not set point) raise yield, so that it does not fall?"
    >>> [is_denied(text, (text.index(words), text.index(words) + len(words))) for words in ("volume", "not set", "fall")]
    [False, True, False]
    """
    return any(denied.start() < place[0] <= denied.end() for denied in _DENIED.finditer(text))


def not_among_nodes(text: str) -> list[Place]:
    """Where a text that asks for a graph speaks of what is no node of it, the words that say so included.

    >>> text = "Draw sleep, work and pay without age and sex"
    >>> [text[start:end] for start, end in not_among_nodes(text)]
    ['without age and sex']
    >>> text = "Draw sleep, work and pay, no ages. Sex must stay out."
    >>> [text[start:end] for start, end in not_among_nodes(text)]
    [', no ages', ' Sex must stay out']
    """
    found = [_matches(patterns, text) for patterns in (_ADJUSTED, _REGARDLESS, _ASIDE, _LISTED_WITHOUT)]
    return sorted(
        {(one.start(), end if one.lastgroup in _OPEN else one.end()) for each in found for one, _, end in each}
    )


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> list[Place]:
    return [(start, end) for _, start, end in _matches(patterns, text)]


def _matches(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[tuple[re.Match[str], int, int]]:
    """Each match, with where its list begins and ends."""
    plain = FILE_NAME.sub(lambda file: "_" * len(file.group()), text)
    for pattern in patterns:
        for one in pattern.finditer(plain):
            name = str(one.lastgroup)
            start, end = one.span(name)
            others = [cut.span() for by in (_ASKS, _NEXT_CLAUSE) for cut in by.finditer(plain, start, end)]
            if name in ("adjusted", "net"):
                end = min([end, *(first for first, _ in others)])
                end = end_of_list(
                    plain, start, end, more_follows=_BEFORE_A_CLAUSE.match(plain, *one.span()) is not None
                )
            elif name == "subject":  # the end of a clause
                start = max([start, *(last for _, last in others)])
            elif name in _OPEN:  # the beginning of one
                end = min([end, *(first for first, _ in others)])
            elif others:
                continue  # no list stands between
            while end > start and not plain[end - 1].isalnum() and plain[end - 1] not in "_)'\"`’":
                end -= 1
            if end > start:
                yield one, start, end
