"""Masking names and values, to measure how many different ways of asking a corpus holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from training.topic_library import Topic

_LISTED = re.compile(r"@(?:(?:,| and|, and| as well as| or)? @)+")


@lru_cache(maxsize=256)
def _patterns(topic: Topic) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    names = {text for v in topic.variables for text in (*v.wordings, *v.columns)}
    levels = {str(level) for v in topic.variables if v.discrete for level in v.values}
    units = {v.unit for v in topic.variables if v.unit} | {"%"}
    nouns = {topic.units, topic.unit, topic.name}
    return _any_of(names), _any_of(nouns), _any_of(levels | units)


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE)


def template_key(question: str, topic: Topic, dataset: str | None = None) -> str:
    """The question without its names, values, units, files, case and punctuation.

    Two questions of equal key ask in the same words about different things. A list of names counts as one name, and so
    does a name with its column in parentheses or quotes.
    """
    names, nouns, values = _patterns(topic)
    text = question if dataset is None else re.sub(re.escape(dataset), " file ", question, flags=re.IGNORECASE)
    text = names.sub("@", text)
    text = nouns.sub("noun", text)
    text = values.sub("#", re.sub(r"\d+(?:\.\d+)?", "#", text))
    text = re.sub(r"@ \(@\)|the column @|the @ column|[\"'`]@[\"'`]", "@", text)
    text = re.sub(r"[^\w@#<>=,]+", " ", text).casefold()
    text = _LISTED.sub("@", text)
    return re.sub(r"(?:# ?)+", "# ", re.sub(r"[\s,]+", " ", text)).strip()
