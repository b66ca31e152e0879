"""Headers in another style: every reading still holds, whatever the names become."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from causal_tools.contract import CausalQuery
from training.queries import QueryItem
from training.restyling import restyled
from training.written import load_written

COLUMNS = ("visitsPerWeek", "age", "urban_area", "spend_eur", "q7", "notes2")
PACK = [
    QueryItem(
        id="a",
        task="HTE",
        topic="shops",
        family="written",
        question="In towns, do more visits (visitsPerWeek) raise what people spend? I am of a certain age myself.",
        dataset=None,
        columns=COLUMNS,
        query=CausalQuery.model_validate(
            {
                "task": "HTE",
                "treatment": "visitsPerWeek",
                "response": "spend_eur",
                "conditions": [{"column": "urban_area", "value": 1}],
            }
        ).model_dump(mode="json"),
        levels={"urban_area": (0, 1)},
        said={"spend_eur": "what people spend", "urban_area": "In towns"},
    )
]


@cache  # reading a hundred files takes seconds
def _packs() -> list[list[QueryItem]]:
    files: dict[tuple[str, ...], list[QueryItem]] = {}
    for item in load_written():
        files.setdefault(item.columns, []).append(item)
    return list(files.values())


def _quoted(name: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


@pytest.mark.parametrize(
    ("seed", "part"), [(0, 15), (1, 15), (2, 15), *(pytest.param(seed, 1, marks=pytest.mark.slow) for seed in (3, 4))]
)
def test_written_questions_keep_their_readings(seed, part):
    """A part of the data sets for each seed; all of them in the slow ones."""
    random = np.random.default_rng(seed)
    changed = 0
    for pack in _packs()[seed::part]:
        for before, after in zip(pack, again := restyled(pack, random), strict=True):
            assert after.columns == again[0].columns
            assert len({name.casefold() for name in after.columns}) == len(after.columns)
            assert set(after.levels) <= set(after.columns)
            text = " ".join(after.question.split())
            assert all(words in text for words in after.said.values())
            if before.query is None:
                assert after.query is None
                continue
            old, new = CausalQuery.model_validate(before.query), CausalQuery.model_validate(after.query)
            assert set(new.columns()) <= set(after.columns)
            assert set(after.said) <= set(new.columns())
            names = dict(zip(old.columns(), new.columns(), strict=True))
            changed += any(a != b for a, b in names.items())
            for one, other in names.items():  # a name that the question quoted is still quoted
                assert _quoted(one, before.question) <= _quoted(other, after.question)
            assert [(c.operator, c.value) for c in old.conditions] == [(c.operator, c.value) for c in new.conditions]
    assert changed > 300


def test_a_quoted_name_is_exchanged_and_a_plain_word_is_left():
    seen = set()
    for seed in range(300):
        (after,) = restyled(PACK, np.random.default_rng(seed))
        query = CausalQuery.model_validate(after.query)
        assert f"({query.treatment})" in after.question
        assert "of a certain age myself" in after.question
        seen.add(query.treatment)
    assert {"visitsPerWeek", "visits_per_week", "VisitsPerWeek", "vis_per_wee"} <= seen


def test_unused_columns_go_and_come():
    counts = {len(restyled(PACK, np.random.default_rng(seed))[0].columns) for seed in range(60)}
    assert min(counts) < len(COLUMNS) < max(counts)
