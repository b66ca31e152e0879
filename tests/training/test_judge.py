"""A judge on loopback: its flags are parsed strictly, and it is trusted only where it agrees with people beyond chance."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from lm.api import ChatEndpoint
from lm.recordings import FolderRecordings, key_of
from training.judge import calibration, judge, judge_request
from training.rubric_annotation import FLAGS, Judgement, explanation_id


def _endpoint(tmp_path, monkeypatch, answers: dict[tuple[str, str], str | None]) -> ChatEndpoint:
    """An endpoint without a key whose answers are recorded: arguments of the call, or None for a text alone."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    one = ChatEndpoint("j", FolderRecordings(tmp_path), key_variable="NO_SUCH_KEY")
    for (summary, text), arguments in answers.items():
        calls = [] if arguments is None else [["flags", arguments]]
        reply = {"text": "", "tool_calls": calls, "prompt_tokens": 1, "completion_tokens": 1}
        whole = one._whole(judge_request(summary, text))
        one.recordings.keep(key_of(whole), {"request": whole, "reply": reply})
    return one


def _flags(hallucination: bool = False, incompleteness: bool = False, non_fluency: bool = False) -> dict[str, bool]:
    return {"hallucination": hallucination, "incompleteness": incompleteness, "non_fluency": non_fluency}


def test_flags_are_taken_and_everything_else_is_a_failure_with_its_reason(tmp_path, monkeypatch):
    answers = {
        ("s", "good"): json.dumps(_flags(incompleteness=True)),
        ("s", "no call"): None,
        ("s", "half"): '{"hallucination": true}',
        ("s", "broken"): '{"halluc',
        ("s", "words"): json.dumps({**_flags(), "hallucination": "no"}),
    }
    asked = [*answers, ("s", "never asked")]
    found = judge(_endpoint(tmp_path, monkeypatch, answers), asked)
    assert found["explanation"].tolist() == [explanation_id(*one) for one in asked]
    assert found.loc[0, list(FLAGS)].tolist() == [False, True, False]
    assert (found["failure"] == "").tolist() == [True, *[False] * 5]
    assert found.loc[1:, list(FLAGS)].isna().all(axis=None)
    assert "NO_SUCH_KEY" in found["failure"].iloc[5]


def _judged(flags: list[bool]) -> pd.DataFrame:
    rows = [{"explanation": f"e{n}", **_flags(hallucination=one), "failure": ""} for n, one in enumerate(flags)]
    return pd.DataFrame(rows)


def _people(flags: list[bool], who: str = "ann") -> list[Judgement]:
    return [
        Judgement(explanation=f"e{n}", annotator=who, flags=_flags(hallucination=one)) for n, one in enumerate(flags)
    ]


def test_agreement_is_counted_and_kappa_takes_chance_away():
    """Of 40: both say fault 15 times, neither 20, one alone 5. Equal .875; by chance .375·.5 + .625·.5 = .5; kappa .75."""
    people = [True] * 20 + [False] * 20
    found = calibration(_judged([True] * 15 + [False] * 25), _people(people)).set_index("flag").loc["hallucination"]
    assert found["judged"] == 40
    assert found["share_equal"] == pytest.approx(35 / 40)
    assert found["kappa"] == pytest.approx(0.75)
    assert found["found"] == pytest.approx(15 / 20)
    assert found["low"] < 35 / 40 < found["high"]
    assert found["trusted"]


def test_a_judge_that_says_always_the_same_is_not_trusted_however_often_it_is_right():
    people = [True] * 2 + [False] * 38
    found = calibration(_judged([False] * 40), _people(people)).set_index("flag").loc["hallucination"]
    assert found["share_equal"] == pytest.approx(0.95)
    assert found["kappa"] == pytest.approx(0.0)
    assert not found["trusted"]


def test_too_few_judgements_and_ties_trust_nobody():
    few = calibration(_judged([True, False] * 5), _people([True, False] * 5)).set_index("flag").loc["hallucination"]
    assert (few["judged"], few["kappa"], bool(few["trusted"])) == (10, 1.0, False)
    tied = [*_people([True] * 40), *_people([False] * 40, "bob")]
    assert calibration(_judged([True] * 40), tied).set_index("flag").loc["hallucination", "judged"] == 0
    assert calibration(_judged([True]), [])["judged"].eq(0).all()
