"""Control bands: what chance explains stays within, what has changed is told."""

from __future__ import annotations

import numpy as np
import pytest

from validation.drift import control_band, drifted


def test_the_band_is_three_standard_deviations_of_a_share():
    """Nights all alike: the moving range is nothing, so the binomial law of 100 questions decides: .8 ± 3 · .04."""
    band = control_band([0.8] * 6, [100] * 6)
    assert (band.low, band.centre, band.high) == pytest.approx((0.68, 0.8, 0.92))


def test_figures_that_move_from_night_to_night_have_a_wider_band():
    """Ranges of .1 every night: a standard deviation of .1 / 1.128, more than the binomial .0158 of 1,000 questions."""
    band = control_band([0.5, 0.6] * 4, [1000] * 8)
    assert band.high - band.centre == pytest.approx(3 * 0.1 / 1.128)


def test_too_few_nights_have_no_band():
    assert control_band([0.8] * 4, [100] * 4) is None
    result = drifted([{"exact": (0.8, 100)}] * 3)
    assert result.passed
    assert "No band yet" in result.text


def test_chance_alone_rarely_leaves_the_band():
    """Independent nights of 150 questions: three sigmas leave about .3 %; of 200 nights more than 6 has a chance under .1 %
    even at 1 %."""
    random = np.random.default_rng(0)
    left = 0
    for _ in range(200):
        nights = [{"exact": (random.binomial(150, 0.7) / 150, 150)} for _ in range(15)]
        left += not drifted(nights).passed
    assert left <= 6


def test_a_night_of_fewer_questions_has_a_wider_band_and_one_of_more_the_same():
    """.8 of 25 questions has a standard deviation of √(.16 / 25) = .08."""
    band = control_band([0.8] * 6, [100] * 6, 25)
    assert (band.low, band.centre, band.high) == pytest.approx((0.56, 0.8, 1.0))
    assert control_band([0.8] * 6, [100] * 6, 400) == control_band([0.8] * 6, [100] * 6)


def test_chance_alone_rarely_leaves_the_band_of_a_shorter_night():
    """A baseline whose spend cap let 40 of 400 questions through: at a share of .7 three sigmas leave about .3 %; of 200 nights
    more than 6 has a chance under .1 % even at 1 %. By the band of 400 questions a third would."""
    random = np.random.default_rng(1)
    left = 0
    for _ in range(200):
        nights = [{"exact": (random.binomial(400, 0.7) / 400, 400)} for _ in range(15)]
        left += not drifted([*nights, {"exact": (random.binomial(40, 0.7) / 40, 40)}]).passed
    assert left <= 6


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_figure_that_falls_or_rises_out_of_its_band_is_told(share):
    nights = [{"exact": (0.8, 150), "soft": (0.85, 150)}] * 8 + [{"exact": (share, 150), "soft": (0.84, 150)}]
    result = drifted(nights)
    assert not result.passed
    assert f"exact is {share:.3f}, outside 0.702 to 0.898" in result.text
    assert "soft" not in result.text


def test_a_new_figure_is_no_alarm_and_nothing_at_all_is_none():
    assert drifted([{"exact": (0.8, 150)}] * 8 + [{"other": (0.1, 10)}]).passed
    assert drifted([]).passed


def test_a_perfect_figure_may_miss_a_question_without_an_alarm():
    """100 questions, always right: the spread is that of a share of 102/104, 3 · √(.98077 · .01923 / 100) = .0412."""
    band = control_band([1.0] * 6, [100] * 6)
    assert (band.low, band.high) == pytest.approx((1 - 0.0412, 1.0), abs=1e-4)
    assert drifted([{"exact": (1.0, 100)}] * 6 + [{"exact": (0.97, 100)}]).passed
    assert not drifted([{"exact": (1.0, 100)}] * 6 + [{"exact": (0.95, 100)}]).passed
