"""What a profile may say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from assets.profile import EndpointSettings


@pytest.mark.parametrize("prices", [(-1.0, 1.0), (1.0, float("nan")), (float("inf"), 1.0)])
def test_prices_that_would_hold_no_cap_are_refused(prices):
    """Spending less than nothing, or no number, never reaches a cap."""
    with pytest.raises(ValidationError, match="dollars_per_million"):
        EndpointSettings(dollars_per_million=prices)
    assert EndpointSettings(dollars_per_million=(0.0, 2.5)).dollars_per_million == (0.0, 2.5)
