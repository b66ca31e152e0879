"""Does a question show any sign of being about causes, or about this file at all?

A guard before the language model, not a judgement in its place: it turns away only questions that neither name a column nor
use any word of cause, comparison or choice. Everything else is for the model to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CUE = re.compile(
    r"\b(?:affect|effect|impact|influenc|caus|driv|lead|led\b|rais|lower|reduc|increas|decreas|chang|improv|worsen|boost|cut|help|hurt"
    r"|matter|differen|respon|result|consequen|because|due to|depend|mediat|through|via|channel|indirect|direct|pathway|treat|action"
    r"|option|choose|choos|choice|recommend|should|best|optim|policy|assign|graph|dag|structur|network|relat|link|map|benefit|shift|mak)",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


def has_causal_evidence(question: str, columns: Sequence[str]) -> bool:
    """True where the question has a causal cue, or shares a word of three letters or more with the header."""
    if _CUE.search(question):
        return True
    words = {word.lower() for word in _SPLIT.split(question) if len(word) >= 3}
    header = {part.lower() for name in columns for part in [*_SPLIT.split(name), name] if len(part) >= 3}
    return bool(words & header)
