"""The page of a night: complete on its own, escaped, and readable where there is nothing to show."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from validation.night_page import Night, index_page, night_page, wide_board
from validation.published import NOTE, published_figures
from validation.scoreboard_pictures import nights_picture, scoreboard_picture

SCORES = pd.DataFrame(
    [
        ("reading_exact", "challenger", "all", 0.8, 0.7, 0.9, 80, 100),
        ("reading_exact", "majority", "all", 0.1, 0.05, 0.2, 10, 100),
        ("reading_exact", "challenger", "ATE", 0.9, 0.7, 1.0, 18, 20),
        ("answer_correct", "challenger", "all", 0.6, 0.4, 0.8, 6, 10),
    ],
    columns=["metric", "system", "task", "share", "low", "high", "right", "questions"],
)
EMPTY = pd.DataFrame()
NIGHT = Night(
    date="2026-11-27",
    passed=True,
    verdict="better <b>beyond</b> chance",
    champion="version 3, promoted tonight",
    changes=[("retrieval_corpus", "aaa", "bbb")],
    gate=pd.DataFrame({"metric": ["reading_exact"], "holds": [True], "margin": [float("nan")]}),
    scores=SCORES,
    fields=EMPTY,
    costs=EMPTY,
    published=published_figures(),
    failure_counts=pd.DataFrame({"kind": ["wrong value"], "all": [2]}),
    examples={"wrong value": [{"question": "<script>alert(1)</script>", "wanted": "ATE", "read": "MA"}]},
    drift="Every figure is within its control band.",
    in_control=True,
    spending="gpt was not asked.",
    pictures={"scores": scoreboard_picture(SCORES)},
    digests={"retrieval_corpus": "bbb"},
)


def test_the_page_needs_nothing_beside_itself_and_says_all():
    page = unescape(night_page(NIGHT))
    assert not re.search(r'(src|href)="(?!data:)', page)
    for text in (
        "2026-11-27",
        "Gate passed",
        "version 3",
        "aaa",
        "0.800 (0.70 to 0.90), 80 of 100",
        NOTE,
        "wrong value",
    ):
        assert text in page, text


def test_texts_of_questions_and_models_are_escaped():
    page = night_page(NIGHT)
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "<b>beyond" not in page


def test_a_night_with_nothing_to_show_is_still_a_page():
    bare = replace(
        NIGHT, changes=[], gate=EMPTY, failure_counts=EMPTY, examples={}, pictures={}, digests={}, first=True
    )
    assert "This is the first night." in night_page(bare)
    assert "data, code and models are the same" in night_page(replace(bare, first=False))


def test_the_board_has_a_line_a_system_and_a_column_a_metric():
    board = wide_board(SCORES)
    assert board.columns.tolist() == ["system", "reading_exact", "answer_correct"]
    assert board["system"].tolist() == ["challenger", "majority"]
    assert pd.isna(board.loc[1, "answer_correct"])


def test_pictures_are_drawn_for_one_metric_and_for_many_nights():
    nights = [(f"2026-11-{n + 1:02d}", {"exact": (0.5 + 0.4 * (n == 9), 100)}) for n in range(10)]
    for png in (
        scoreboard_picture(SCORES.head(1)),
        nights_picture(nights, ["exact"]),
        nights_picture(nights[:1], ["exact"]),
    ):
        assert png.startswith(b"\x89PNG") and len(png) > 2000


@pytest.mark.parametrize(
    "nights",
    [
        [],
        [
            {
                "date": "d",
                "address": "../a/night.html",
                "passed": False,
                "in_control": False,
                "champion": "none",
                "exact": None,
            }
        ],
    ],
)
def test_the_index_lists_nights(nights):
    page = index_page(nights)
    assert page.count("<a href") == len(nights)
