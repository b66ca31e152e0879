"""A cap that no number of calls at once can pass, and that refuses none that would have fitted."""

from __future__ import annotations

import random
import threading
import time

import pytest

from lm.errors import SpendCapReached
from lm.spending import Budget, Prices


def test_a_call_whose_cost_stays_unknown_is_charged_at_its_worst():
    budget = Budget(1.0)
    with pytest.raises(RuntimeError), budget.reserve(0.25):
        raise RuntimeError("timed out")
    with budget.reserve(0.25) as bill:
        bill.cost = 0.1
    assert budget.spent == pytest.approx(0.35)


def test_many_calls_at_once_never_pass_the_cap_and_use_it_up():
    """Each may cost 8 cents and costs 1 to 8; the cap is a dollar. Charged and reserved never pass it, and the first call that
    is refused really had less than 8 cents left."""
    budget, chances = Budget(1.0), random.Random(0)
    most, refused = [0.0], []

    def call(cost: float) -> None:
        try:
            with budget.reserve(0.08) as bill:
                most[0] = max(most[0], budget.spent + budget._reserved)
                time.sleep(0.001)
                bill.cost = cost
        except SpendCapReached:
            refused.append(budget.spent)

    threads = [threading.Thread(target=call, args=(chances.uniform(0.01, 0.08),)) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 1.0 + 1e-9
    assert budget.spent <= 1.0 + 1e-9
    assert refused and min(refused) > 1.0 - 0.08


def test_a_call_waits_for_those_under_way_before_it_is_refused():
    budget, entered, told = Budget(1.0), threading.Event(), []

    def cheap() -> None:
        with budget.reserve(0.9) as bill:
            entered.set()
            time.sleep(0.1)
            bill.cost = 0.01

    thread = threading.Thread(target=cheap)
    thread.start()
    entered.wait()
    with budget.reserve(0.9) as bill:  # fits only once the first has turned out cheap
        bill.cost = 0.5
        told.append(budget.spent)
    thread.join()
    assert told == [0.01]


def test_stated_prices_count_each_kind_of_token():
    assert Prices("any", (2.0, 10.0)).dollars(1_000_000, 100_000) == pytest.approx(3.0)


def test_calls_of_unequal_prices_end_when_the_cap_is_reached():
    """Sums of unequal prices leave rounding errors; nobody waits for these."""
    budget, chances = Budget(0.05), random.Random(1)
    prices, ended = [chances.uniform(0.001, 0.004) for _ in range(200)], []

    def call(worst: float) -> None:
        try:
            with budget.reserve(worst) as bill:
                time.sleep(0.0005)
                bill.cost = worst / 3
        except SpendCapReached:
            pass
        ended.append(worst)

    threads = [threading.Thread(target=call, args=(price,), daemon=True) for price in prices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(ended) == sorted(prices)
    assert budget.spent <= 0.05
