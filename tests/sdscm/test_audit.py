"""The audit against models whose encoded effect is known, and its splits of variance against other ways to work them out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import f_oneway, sem

from sdscm import Scenario, ScenarioError, SequenceSCM, load_scenario
from sdscm.audit import BASE, _sensitivity, audit, between_share, distinct_phrasings, variance_shares
from sdscm.audit_picture import audit_figure, draw_audit

from .laws import HashScorer, scenario, variable


class Believer:
    """A model in which y follows t with the chance that the phrasing of y calls for; other words change nothing."""

    digest = "believer"

    def __init__(self, chances: dict[str, float]) -> None:
        self.chances = chances

    def score(self, contexts, levels):
        return [np.log(self._law(context, row)) for context, row in zip(contexts, levels, strict=True)]

    def level_tokens(self, contexts, levels):
        return [[[place, 0] for place, _ in enumerate(row)] for row in levels]

    def _law(self, context: str, levels: list[str]) -> list[float]:
        for stem, chance in self.chances.items():
            if context.endswith(stem) and "T: " in context:
                yes = chance if "T: yes" in context or "T: true" in context else 1 - chance
                return [yes if level in ("yes", "true") else 1 - yes for level in levels]
        return [1 / len(levels)] * len(levels)


def _one(chances: dict[str, float]):
    """Wordings of z do not matter to the believer, but they are wordings."""
    return scenario(
        {**variable("z", levels=("a", "b", "c")), "phrasings": [f"Z{i}:" for i in range(8)]},
        variable("t", ("z",), role="treatment", alternatives=[["false", "true"]]),
        {**variable("y", ("z", "t"), role="outcome"), "phrasings": list(chances)},
    )


def test_the_effect_is_found_under_every_phrasing():
    chances = {"Y one:": 0.9, "Y two:": 0.7, "Y three:": 0.4}
    one = _one(chances)
    found = audit(one, Believer(chances), 30, seeds=2, rows=50)
    base = found.effects[found.effects["variant"] == BASE]
    for phrasing, effect in zip(base["phrasing"], base["effect"], strict=True):
        stem = one.model_copy(update={"phrasing": int(phrasing)}).stem("y")
        assert effect == pytest.approx(2 * chances[stem] - 1)
    assert found.sign == 1
    positive = (base["effect"] > 0).mean()
    assert 0 < positive < 1
    assert found.sign_stability == pytest.approx(positive)
    low, high = found.sign_interval
    assert low < positive < high
    assert (found.treatment, found.outcome) == ("t", "y")
    assert found.effects["exact"].all() and (found.effects["error"] == 0).all()


def test_all_variance_is_the_phrasings_where_rules_agree():
    chances = {"Y one:": 0.9, "Y two:": 0.6}
    found = audit(_one(chances), Believer(chances), 12, rules=("sum", "mean"), seeds=2, rows=2000)
    # levels of like length, two tokens each: `mean` halves the log-odds, so the rule has a share, and a common one
    assert found.variance["phrasing"] + found.variance["rule"] + found.variance["both"] == pytest.approx(1)
    same = audit(_one(chances), Believer(chances), 12, rules=("sum",), seeds=2, rows=2000)
    assert same.variance["phrasing"] == pytest.approx(1)
    assert found.between_phrasings > 0.95


def test_reversing_the_order_of_levels_and_renaming_them_changes_nothing_for_a_model_that_reads_them_alike():
    chances = {"Y one:": 0.9, "Y two:": 0.7}
    found = audit(_one(chances), Believer(chances), 6, variant_phrasings=4, seeds=2, rows=50)
    table = found.sensitivity.set_index("variant")
    for unchanged in (BASE, "levels in reverse order", "t: false, true", "z without a", "z without b", "z without c"):
        assert table.loc[unchanged, "largest_difference"] == pytest.approx(0, abs=1e-12)
        assert table.loc[unchanged, "sign_kept"] == 1
    assert table.loc["levels in reverse order", "phrasings"] == 4
    assert table.loc["rule mean", "phrasings"] == 6


def test_the_one_possible_level_of_a_variable_is_not_left_out():
    chances = {"Y one:": 0.9, "Y two:": 0.7}
    one = scenario(
        variable("z", levels=("a", "b", "c"), law=[0, 1, 0]),
        variable("t", ("z",), role="treatment"),
        {**variable("y", ("z", "t"), role="outcome"), "phrasings": list(chances)},
    )
    found = audit(one, Believer(chances), 2, seeds=2, rows=50)
    without = {variant for variant in found.sensitivity["variant"] if "without" in variant}
    assert without == {"z without a", "z without c"}


def test_wordings_that_read_alike_count_once():
    one = scenario(
        {**variable("idle"), "phrasings": ["A:", "B:", "C:"]},  # no cause of y
        {**variable("t", role="treatment"), "phrasings": ["T:", "Treatment:"]},
        {**variable("y", ("t",), role="outcome"), "phrasings": ["Y:", "Why:"]},
    )
    draws = distinct_phrasings(one, 20)
    assert len(draws) == 4
    stems = {tuple(one.model_copy(update={"phrasing": d}).stem(n) for n in ("t", "y")) for d in draws}
    assert len(stems) == 4
    found = audit(one, HashScorer(), 20, rules=("sum",), seeds=2, rows=50)
    assert sorted(found.effects["phrasing"].unique()) == sorted(draws)


def test_no_more_is_drawn_once_every_wording_is_there(monkeypatch):
    drawn = []
    stem = Scenario.stem
    monkeypatch.setattr(Scenario, "stem", lambda self, name: drawn.append(name) or stem(self, name))
    assert len(distinct_phrasings(_one({"Y one:": 0.9, "Y two:": 0.7}), 5_000)) == 16  # 8 of z, 2 of y
    assert len(drawn) < 5_000


def test_wordings_that_only_the_treatment_hears_count_once():
    """An instrument moves the outcome through the treatment alone, and setting the treatment cuts it off."""
    one = scenario(
        {**variable("lot", role="instrument"), "phrasings": [f"L{i}:" for i in range(9)]},
        variable("t", ("lot",), role="treatment"),
        {**variable("m", ("t",)), "phrasings": ["M:", "Em:"]},
        {**variable("y", ("m",), role="outcome"), "phrasings": ["Y:", "Why:"]},
    )
    found = audit(one, HashScorer(), 20, rules=("sum",), seeds=2, rows=50)
    base = found.effects.loc[found.effects["variant"] == BASE, "effect"]
    assert len(base) == 4
    assert base.round(9).nunique() == 4


def test_wordings_of_what_no_text_mentions_count_once():
    one = scenario(
        {**variable("u", role="hidden", silent=True, law="uniform"), "phrasings": [f"U{i}:" for i in range(8)]},
        variable("t", role="treatment"),
        {**variable("y", ("u", "t"), role="outcome", tilts={"u": 0.5}), "phrasings": ["Y one:", "Y two:", "Y three:"]},
    )
    assert len(distinct_phrasings(one, 10)) == 3


def test_one_wording_cannot_be_audited():
    one = scenario(variable("t", role="treatment"), variable("y", ("t",), role="outcome"))
    with pytest.raises(ScenarioError, match="one wording only"):
        audit(one, HashScorer(), 5)


def test_no_effect_has_no_sign():
    found = audit(_one({"Y:": 0.5}), Believer({"Y:": 0.5}), 4, seeds=2, rows=50)
    assert found.sign == 0
    assert found.sign_stability == 1
    assert np.isnan(found.variance["phrasing"])


def test_a_law_too_large_to_be_exact_is_sampled_with_its_error():
    one = load_scenario("breast_cancer")
    found = audit(one, HashScorer(), 2, rules=("sum",), variant_phrasings=0, seeds=2, rows=40)
    base = found.effects[found.effects["variant"] == BASE]
    assert (base["error"] > 0).all()
    assert not base["exact"].any()
    drawn = found.effects.iloc[0]
    scm = SequenceSCM(one.model_copy(update={"phrasing": int(drawn["phrasing"])}), HashScorer())
    worlds = scm.worlds(40, 0, [{"pd_l1": level} for level in ("low", "high")])
    low, high = (world.frame["therapy"].cat.codes.to_numpy(dtype=float) for world in worlds)
    assert (drawn["effect"], drawn["error"]) == pytest.approx(((high - low).mean(), sem(high - low)))


def test_one_row_has_no_standard_error_and_is_refused():
    with pytest.raises(ScenarioError, match=r"two rows .* given 2, 2, 1 and 1"):
        audit(load_scenario("breast_cancer"), HashScorer(), 2, rules=("sum",), variant_phrasings=0, seeds=2, rows=1)


def test_an_effect_where_there_was_none_has_not_kept_its_sign():
    """1e-12 is no effect but a rounding error, whichever sign it has."""
    lines = [(0, BASE, 1e-12, 0.0), (0, "rule mean", 0.4, 0.0), (0, "rule pmi", -1e-12, 0.0)]
    table = _sensitivity(pd.DataFrame(lines, columns=["phrasing", "variant", "effect", "error"]))
    assert table.set_index("variant")["sign_kept"].to_dict() == {BASE: 1, "rule mean": 0, "rule pmi": 1}


@given(arrays(float, (4, 3), elements=st.floats(-1, 1)))
def test_shares_of_variance_are_those_of_a_two_way_analysis(grid):
    shares = variance_shares(grid)
    total = ((grid - grid.mean()) ** 2).sum()
    if total < 1e-12:
        return
    by_phrasing = sum(3 * (row.mean() - grid.mean()) ** 2 for row in grid)
    assert shares["phrasing"] == pytest.approx(by_phrasing / total, abs=1e-9)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)


def test_the_between_share_is_the_intraclass_correlation():
    drawn = np.random.default_rng(0).normal(size=(12, 5)) + 2 * np.arange(12)[:, None]
    f = f_oneway(*drawn).statistic
    assert between_share(drawn) == pytest.approx((f - 1) / (f - 1 + 5))  # ICC(1) from the F statistic
    assert between_share(np.array([[1.0, -1.0], [-1.0, 1.0]])) == 0
    assert np.isnan(between_share(np.ones((3, 2))))


def test_the_picture_is_a_png():
    found = audit(_one({"Y:": 0.8}), Believer({"Y:": 0.8}), 3, seeds=2, rows=50)
    assert draw_audit(found, "made").startswith(b"\x89PNG")


def test_no_legend_of_the_picture_hides_an_effect():
    chances = {"Y one:": 0.9, "Y two:": 0.7}
    figure = audit_figure(audit(_one(chances), Believer(chances), 3, seeds=2, rows=50), "made")
    figure.draw_without_rendering()
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    assert len(legends) == 2
    boxes = [each.get_window_extent() for each in (*legends, *figure.axes)]
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))


@pytest.mark.parametrize("options", [{"phrasings": 1}, {"seeds": 1}, {"rules": ()}])
def test_too_little_to_compare_is_refused(options):
    with pytest.raises(ScenarioError, match="two phrasings"):
        audit(_one({"Y:": 0.8}), HashScorer(), **{"phrasings": 3, **options})
