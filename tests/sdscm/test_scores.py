"""Asking for scores: levels that no token tells, blocks by what memory holds, sessions closed when done."""

from __future__ import annotations

import numpy as np
import pytest

from lm import load_language_model
from sdscm import ScenarioError, SequenceSCM, load_scenario
from sdscm.memo import ScoreMemo
from sdscm.scores import CONTEXTS_AT_ONCE, LevelScores

from .laws import HashScorer, confounder, scenario, variable


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


def test_a_level_that_tokenises_to_nothing_is_refused(tiny):
    from tokenizers import normalizers

    deaf = load_language_model("tiny", device="cpu")
    deaf.tokenizer.backend_tokenizer.normalizer = normalizers.Replace(" mute", "")
    one = scenario(variable("a", levels=("mute", "loud")), variable("b", ("a",)))
    with pytest.raises(ScenarioError, match="' mute' adds no token"):
        SequenceSCM(one, deaf).sample(5, 1)


def test_levels_that_tokenise_alike_are_refused():
    from tokenizers import normalizers

    deaf = load_language_model("tiny", device="cpu")
    deaf.tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    one = scenario(variable("a", levels=("Yes", "yes")), variable("b", ("a",)))
    with pytest.raises(ScenarioError, match="'Yes' and 'yes' are the same tokens"):
        SequenceSCM(one, deaf).sample(5, 1)


def test_a_level_that_begins_another_has_its_own_share(tiny):
    """Domain-restricted: P('45') and P('451') by the chain rule of each, the longer never above the shorter under `sum`."""
    one = scenario(variable("a", levels=("45", "451", "no")), variable("b", ("a",)))
    (law,) = SequenceSCM(one, tiny).tables.rows("a", np.zeros((1, 0), int))
    nats = tiny.score([one.context("a", {})], [["45", "451", "no"]])[0]
    assert np.allclose(np.exp(law), np.exp(nats) / np.exp(nats).sum(), atol=1e-6)
    assert law[1] < law[0]


def test_a_level_of_probability_zero_is_never_drawn_and_all_zero_is_refused():
    class Denier(HashScorer):
        def score(self, contexts, levels):
            return [np.array([-np.inf if level in self.denied else -1.0 for level in row]) for row in levels]

    one, scorer = scenario(variable("a", levels=("x", "y", "z")), variable("b", ("a",))), Denier()
    scorer.denied = {"y"}
    model = SequenceSCM(one, scorer)
    assert set(model.sample(300, 1).frame["a"]) == {"x", "z"}
    assert model.exact().marginal("a").tolist() == pytest.approx([0.5, 0, 0.5])
    scorer.denied = {"x", "y", "z"}
    with pytest.raises(ScenarioError, match="no usable probability to any level of 'a'"):
        SequenceSCM(one, scorer).sample(5, 1)


@pytest.mark.parametrize("rule", ["sum", "mean", "pmi"])
def test_the_rules_of_a_real_scorer_are_those_of_lm(tiny, rule):
    one = load_scenario("toy_confounder")
    (law,) = SequenceSCM(one, tiny, rule).tables.rows("gym", np.array([[1]]))
    levels = list(one["gym"].levels)
    baseline = one.stem("gym")
    context = one.context("gym", {"motivation": one["motivation"].levels[1]})
    (nats,) = tiny.score([context], [levels], rule, baseline=baseline)
    assert np.allclose(law, nats - np.logaddexp.reduce(nats), atol=1e-4)


def test_the_session_is_closed_after_sampling_and_used_within(tiny):
    opened = []

    class Counting:
        digest = "tiny"

        def session(self):
            opened.append(tiny.session())
            return opened[-1]

    model = SequenceSCM(load_scenario("toy_confounder"), Counting())
    model.sample(20, 1)
    model.tables.complete()
    assert 1 <= len(opened) <= 2
    assert model.tables.scores._open is None


def test_blocks_are_as_large_as_memory_holds(tiny):
    class Small:
        def session(self):
            return tiny.session(memory=512 * 100)  # 100 tokens of the tiny model

    scores = LevelScores(Small(), ScoreMemo())
    assert scores.contexts_at_once("x" * 10) == CONTEXTS_AT_ONCE
    with scores.session():
        scores.of(["abc"], ["x"])
        assert scores.contexts_at_once("x" * 10) == 5  # half of the ten texts that fit
        assert scores.contexts_at_once("x" * 1000) == 1


def test_sampling_asks_exactly_the_contexts_that_occur():
    scorer = HashScorer()
    model = SequenceSCM(confounder(), scorer)
    worlds = model.worlds(30, 2, [None, {"t": "yes"}])
    met = {
        model.scenario.context(name, {p: row[p] for p in model.scenario[name].parents})
        for world in worlds
        for _, row in world.frame.iterrows()
        for name in model.scenario.names
        if name not in world.do
    }
    assert sorted(scorer.asked) == sorted(met)
