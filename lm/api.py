"""Chat models behind any OpenAI-compatible endpoint: recorded once, replayed afterwards, never beyond a spending cap.

A recording is keyed by everything that the answer depends on: model, messages, tools and settings. It holds no key.
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

from lm.errors import EndpointDown, EndpointError, EndpointRefused, SpendCapReached
from lm.recordings import Recordings, key_of
from lm.replies import Reply, Request, content_of, recorded_reply, reply_of, usage_of
from lm.spending import Bill, Budget, Prices

LONGEST_WAIT = 60.0  # seconds before a call is tried again
OUTAGE = 5  # calls in a row that fail for good, after which the endpoint counts as down


@dataclass
class ChatEndpoint:
    """A chat model behind an endpoint. Safe to use from several threads.

    Attributes:
        model: exact model name, such as a dated snapshot.
        recordings: answers recorded so far; read first, added to after each call.
        base_url: of the endpoint; None is OpenAI's own.
        key_variable: environment variable that holds the key; where it is unset, only recordings are replayed.
        dollars_per_million: price of prompt and completion tokens; None looks it up (genai-prices).
        spend_cap: dollars that this object may spend. Whatever may have been charged counts: a call that ran out of time is
            charged at its worst.
        timeout: seconds that the endpoint may be silent within one try.
        tries: of one call, with growing waits, or what the endpoint asks for (``Retry-After``).
        calls_per_minute: tries within a minute; None sets no limit.
        at_once: calls under way at the same time in :meth:`complete_all`.
    """

    model: str
    recordings: Recordings
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    dollars_per_million: tuple[float, float] | None = None
    spend_cap: float = 1.0
    timeout: float = 60.0
    most_tokens: int = 256
    tries: int = 4
    first_wait: float = 1.0
    calls_per_minute: int | None = None
    at_once: int = 4
    calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._budget = Budget(self.spend_cap)
        self._prices = Prices(self.model, self.dollars_per_million)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0

    @property
    def can_call(self) -> bool:
        return bool(os.environ.get(self.key_variable))

    @property
    def spent(self) -> float:
        """Dollars, in this object's life."""
        return self._budget.spent

    def dollars(self, reply: Reply) -> float:
        """What an answer cost when it was asked for."""
        return self._prices.dollars(reply.prompt_tokens, reply.completion_tokens)

    def recorded(self, request: Request) -> Reply | None:
        """The recorded answer to exactly this request, if there is one; EndpointError where what is recorded is damaged."""
        return recorded_reply(self.recordings, key_of(self._whole(request)))

    def complete(self, request: Request) -> Reply:
        """Answer a conversation at temperature 0: from the recordings, else by a call that is then recorded.

        Raises:
            EndpointRefused: no recording and no key, or the endpoint will not serve us; asking on is in vain.
            EndpointDown: no recording, and the last calls have all failed.
            SpendCapReached: the call could exceed the cap; it was not made.
            EndpointError: this call failed, after all its tries.
        """
        known = self.recorded(request)
        if known is not None:
            return known
        if not self.can_call:
            raise EndpointRefused(
                f"no recorded answer of {self.model}, and {self.key_variable} is not set, so it cannot be asked"
            )
        if self._failed_in_a_row >= OUTAGE:
            raise EndpointDown(f"{self.model} failed {OUTAGE} calls in a row and is not asked any more")
        reply = self._tried(request)
        self.recordings.keep(key_of(self._whole(request)), {"request": self._whole(request), "reply": reply})
        return reply_of(reply, replayed=False)

    def complete_all(
        self, requests: Sequence[Request], report: Callable[[int, int], None] | None = None
    ) -> list[Reply | EndpointError]:
        """Answer many conversations, some at a time; each comes back as its answer or as what was wrong.

        After a refusal, a reached cap or an outage nothing more is asked, and what is recorded is still replayed.

        Args:
            report: called with (done, all).
        """
        done, ended = 0, threading.Event()
        why: list[EndpointError] = []

        def one(request: Request) -> Reply | EndpointError:
            nonlocal done
            outcome: Reply | EndpointError
            try:
                known = self.recorded(request) if ended.is_set() else None
                outcome = known or (why[0] if ended.is_set() else self.complete(request))
            except EndpointError as error:
                outcome = error
                if isinstance(error, EndpointRefused | EndpointDown | SpendCapReached):
                    why.append(error)
                    ended.set()
            with self._lock:
                done += 1
                if report is not None:
                    report(done, len(unlike))
            return outcome

        keys = [key_of(self._whole(request)) for request in requests]
        unlike = dict(zip(keys, requests, strict=True))  # the same question is asked once
        with ThreadPoolExecutor(self.at_once) as pool:
            outcomes = dict(zip(unlike, pool.map(one, unlike.values()), strict=True))
        return [outcomes[key] for key in keys]

    def _tried(self, request: Request) -> dict[str, Any]:
        """The answer, after as many tries as it takes and is allowed."""
        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        trying = Retrying(
            stop=stop_after_attempt(self.tries),
            wait=self._wait,
            retry=retry_if_exception(lambda e: isinstance(e, EndpointError) and not isinstance(e, _FINAL)),
            reraise=True,
        )
        try:
            answer: dict[str, Any] = trying(self._call, request)
        except SpendCapReached:
            raise
        except _NotServed:  # it is there, and has answered
            with self._lock:
                self._failed_in_a_row = 0
            raise
        except EndpointError:
            with self._lock:
                self._failed_in_a_row += 1
            raise
        with self._lock:
            self._failed_in_a_row = 0
        return answer

    def _wait(self, state: Any) -> float:
        """Seconds before the next try: what the endpoint asked for, else a wait that doubles, with jitter."""
        from tenacity import wait_exponential_jitter

        asked = getattr(state.outcome.exception(), "wait", None)
        if asked is not None:
            return min(float(asked), LONGEST_WAIT)
        doubling = wait_exponential_jitter(initial=self.first_wait, max=LONGEST_WAIT, jitter=self.first_wait)
        return float(doubling(state))

    def _call(self, request: Request) -> dict[str, Any]:
        """One try."""
        self._await_turn()
        whole = self._whole(request)
        # a token has at least one byte
        size = len(json.dumps([whole["messages"], whole["tools"]], ensure_ascii=False).encode())
        try:
            worst = self._prices.dollars(size, self.most_tokens)
        except LookupError as error:
            raise EndpointRefused(str(error)) from None
        with self._budget.reserve(worst) as bill:
            return self._called(whole, bill)

    def _called(self, whole: Mapping[str, Any], bill: Bill) -> dict[str, Any]:
        import httpx
        import openai

        wanted: dict[str, Any] = {name: whole[name] for name in ("model", "messages", "temperature", "max_tokens")}
        if whole["tools"]:
            must = whole.get("must_call")
            choice = {"type": "function", "function": {"name": must}} if must else "auto"
            wanted |= {"tools": whole["tools"], "tool_choice": choice}
        begin = perf_counter()
        with self._lock:
            self.calls += 1
        try:
            answer = self._client.chat.completions.create(**wanted)
        except openai.APIStatusError as error:
            if error.status_code not in _MAY_BE_CHARGED:  # nothing was generated
                bill.cost = 0.0
            text = self._told(error)
            if error.status_code in _PASSING and error.code != "insufficient_quota":
                raise _TryAgain(text, _asked_wait(error.response.headers)) from None
            raise EndpointRefused(text) if error.status_code in _REFUSALS else _NotServed(text) from None
        except (openai.OpenAIError, ValueError) as error:  # ValueError: the body is no JSON
            if isinstance(error.__cause__, httpx.ConnectError):  # it never heard of us; whatever else may be charged
                bill.cost = 0.0
            raise EndpointError(self._told(error)) from None
        try:
            return self._content(answer, bill, perf_counter() - begin)
        except (AttributeError, TypeError):
            raise EndpointError(f"{self.model} answered in a form that chat completions do not have") from None

    def _told(self, error: Exception) -> str:
        """What went wrong, for files and pages: some servers repeat the key that they were sent."""
        text = f"{self.model} did not answer: {type(error).__name__}: {error}"
        return text.replace(os.environ[self.key_variable], "***")[:MOST_TOLD]  # without a key nothing is called

    def _content(self, answer: Any, bill: Bill, seconds: float) -> dict[str, Any]:
        """What is kept of an answer; its cost is put on the bill."""
        used = usage_of(answer)
        if used is not None:  # an answer without a choice is paid for too
            bill.cost = self._prices.dollars(*used)
        if (kept := content_of(answer, used or (0, 0))) is None:
            raise EndpointError(f"{self.model} answered without a choice")
        return {**kept, "seconds": seconds, "model": getattr(answer, "model", self.model)}

    def _await_turn(self) -> None:
        if self._limiter is not None:
            self._limiter.try_acquire(self.model)

    @cached_property
    def _limiter(self) -> Any:
        if self.calls_per_minute is None:
            return None
        from pyrate_limiter import Duration, Limiter, Rate

        return Limiter(Rate(self.calls_per_minute, Duration.MINUTE))

    @cached_property
    def _client(self) -> Any:
        import openai

        # tries are ours, so that each is accounted for
        return openai.OpenAI(
            api_key=os.environ[self.key_variable], base_url=self.base_url, timeout=self.timeout, max_retries=0
        )

    def _whole(self, request: Request) -> dict[str, Any]:
        """All that the answer depends on."""
        return {
            "model": self.model,
            "messages": list(request.messages),
            "tools": list(request.tools),
            "temperature": 0,
            "max_tokens": self.most_tokens,
            **({"must_call": request.must_call} if request.must_call else {}),
            **({"base_url": self.base_url} if self.base_url else {}),  # the same name elsewhere is another model
        }


class _TryAgain(EndpointError):
    """A failure that passes; ``wait`` is what the endpoint asked for, in seconds, or None."""

    def __init__(self, text: str, wait: float | None) -> None:
        super().__init__(text)
        self.wait = wait


class _NotServed(EndpointError):
    """A request that the endpoint will not serve; others it may."""


MOST_TOLD = 500  # characters of an error
_PASSING = (408, 409, 429, 500, 502, 503, 504, 529)
_MAY_BE_CHARGED = (408, 502, 504)  # something in between gave up, whatever happened behind it
_REFUSALS = (401, 403, 404, 429)  # of 429, those without quota come here
_FINAL = (EndpointRefused, SpendCapReached, EndpointDown, _NotServed)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            wait = float(headers[name]) * unit
        except (KeyError, ValueError):  # a date is not worth the trouble: the doubling wait stands in
            continue
        if math.isfinite(wait) and wait >= 0:
            return wait
    return None
