"""What calls cost, and a cap that many calls at once cannot pass.

Prices come from the library genai-prices, unless they are stated.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lm.errors import SpendCapReached


@dataclass(frozen=True)
class Prices:
    """What a model's tokens cost.

    Attributes:
        model: its exact name.
        dollars_per_million: of prompt and completion tokens; None looks the model up.
    """

    model: str
    dollars_per_million: tuple[float, float] | None = None

    def dollars(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The price of one call.

        Raises:
            LookupError: no price is stated, and the library knows none.
        """
        if self.dollars_per_million is not None:
            prompt, completion = self.dollars_per_million
            return (prompt_tokens * prompt + completion_tokens * completion) / 1e6
        from genai_prices import Usage, calc_price

        try:
            found = calc_price(Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens), self.model)
        except LookupError:
            raise LookupError(
                f"no price is known for {self.model!r}; state dollars_per_million (prompt, completion), 0 where it is free"
            ) from None
        return float(found.total_price)


@dataclass
class Bill:
    """The highest price a call may have, until it is known what it cost."""

    worst: float
    cost: float | None = None


@dataclass
class Budget:
    """Dollars that may be spent. A call reserves what it could cost at worst before it is made.

    A call that does not fit waits while others under way may yet turn out cheaper, and is refused where none is: so the cap is
    never passed, and no call is refused that would have fitted.
    """

    cap: float
    spent: float = 0.0
    _reserved: float = field(default=0.0, init=False)
    _under_way: int = field(default=0, init=False)  # what is reserved has rounding errors, and would be waited for
    _changed: threading.Condition = field(default_factory=threading.Condition, init=False, repr=False)

    @contextmanager
    def reserve(self, worst: float) -> Iterator[Bill]:
        """Room for one call. What it cost is put on the bill; a call whose cost stays unknown is charged at its worst.

        Raises:
            SpendCapReached: the call could pass the cap; it must not be made.
        """
        with self._changed:
            while self._under_way and self.spent + self._reserved + worst > self.cap:
                self._changed.wait()
            if self.spent + worst > self.cap:
                raise SpendCapReached(
                    f"{self.spent:.4f} of {self.cap:.4f} dollars are spent and the next call could cost {worst:.4f}; "
                    "raise the cap to go on"
                )
            self._reserved += worst
            self._under_way += 1
        bill = Bill(worst)
        try:
            yield bill
        finally:
            with self._changed:
                self._under_way -= 1
                self._reserved = max(0.0, self._reserved - worst) if self._under_way else 0.0
                self.spent += worst if bill.cost is None else bill.cost
                self._changed.notify_all()
