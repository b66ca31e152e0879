"""Language models of known preferences, and readings written piece by piece, for tests of reading."""

from __future__ import annotations

import hashlib
import json
from itertools import groupby

import numpy as np
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.draft import Draft
from causal_tools.reading_form import MOST_CONDITIONS, ReadingForm
from causal_tools.reading_weights import SIGNS, Weights

ODD_NAMES = [
    "age",
    "age_2",
    "ag",
    'height "cm"',
    "C:\\path",
    "100%",
    "naïve 日本",
    "a, b",
    "x{0}",
    "it's",
    "y |",
    "all",
]
QUESTIONS = [
    "What is the effect of age on height?",
    "Does naïve 日本 change C:\\path where age is 45 or -1,234.5?",
    'In "trial.data.csv", which 100% action is best for "height \\"cm\\""?',
    "How do all columns hang together?",
    "?",
    "effect of % {x} \\n on y",
]
# of invented phrases meaning and readers say nothing, and take time
SPELT = Weights(unlike_in_meaning=0.0, **{name: 0.0 for name in SIGNS if name.startswith("second_")})
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


class Preferring:
    """A language model of arbitrary but fixed preferences, by a hash."""

    def __init__(self, taste: int) -> None:
        self.taste = taste

    def chat_text(self, messages) -> str:
        return json.dumps(list(messages)) + "|"

    def score_continuations(self, contexts, candidates) -> list[np.ndarray]:
        assert len(contexts) == len(candidates) > 0
        for row in candidates:
            assert len(row) == len(set(row)) > 0
        return [
            np.array([self.log_prob(context, piece) for piece in row])
            for context, row in zip(contexts, candidates, strict=True)
        ]

    def log_prob(self, context: str, piece: str) -> float:
        key = f"{self.taste}|{context}|{piece}".encode(errors="surrogatepass")
        return -int.from_bytes(hashlib.sha256(key).digest()[:4]) / 2**28


class Scripted(Preferring):
    """A model that wants a certain reading: its parts stand at 0, others at −``dislike``."""

    def __init__(self, *wanted: str, dislike: float = 100.0) -> None:
        super().__init__(0)
        self.wanted = "".join(wanted)
        self.dislike = dislike

    def log_prob(self, context: str, piece: str) -> float:
        return 0.0 if self.wanted.startswith(context.rpartition("|")[2] + piece) else -self.dislike


def grown(form: ReadingForm, *pieces: str) -> Draft:
    """What is written of a form, piece by piece."""
    draft = form.begin()
    for piece in pieces:
        wanted = draft.text + piece
        draft = next(then for then in draft.next(draft, np.inf) if then.text == wanted)
    return draft


def offered(form: ReadingForm, *pieces: str) -> set[str]:
    """What may be written next."""
    draft = grown(form, *pieces)
    return {then.text.removeprefix(draft.text) for then in draft.next(draft, np.inf)}


def keeps_the_contract(query: CausalQuery, columns: list[str], levels) -> None:
    """That a query is sound, and names nothing but what a file of these columns and levels has."""
    assert set(query.columns()) <= set(columns)
    assert CausalQuery.model_validate_json(query.model_dump_json()) == query
    assert not {query.treatment, query.response} & {condition.column for condition in query.conditions}
    on = [list(held) for _, held in groupby(query.conditions, key=lambda condition: condition.column)]
    assert len({held[0].column for held in on}) == len(on) <= MOST_CONDITIONS
    for held in on:  # one on each column, or the two ends of a range
        assert len(held) == 1 or [condition.operator for condition in held] == [">=", "<="]
    for condition in query.conditions:
        if levels and condition.column in levels:
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            assert set(values) <= set(levels[condition.column])
