"""Chat models behind any OpenAI-compatible endpoint: recorded once, replayed afterwards, never beyond a spending cap.

A recording is keyed by everything that the answer depends on: model, messages, tools and settings. It holds no key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lm.errors import EndpointError, SpendCapReached


@dataclass(frozen=True)
class Reply:
    """One answer: the text, the tool calls as (name, arguments as JSON text), and the tokens used."""

    text: str
    tool_calls: tuple[tuple[str, str], ...]
    prompt_tokens: int
    completion_tokens: int
    replayed: bool


@dataclass
class ChatEndpoint:
    """A chat model behind an endpoint.

    Attributes:
        model: exact model name, such as a dated snapshot.
        recordings: folder of recorded answers; read first, added to after each call.
        base_url: of the endpoint; None is OpenAI's own.
        key_variable: environment variable that holds the key; where it is unset, only recordings are replayed.
        dollars_per_million: price of prompt and completion tokens, for the cap.
        spend_cap: dollars that this object may spend.
        timeout: seconds a call may take.
    """

    model: str
    recordings: Path
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    dollars_per_million: tuple[float, float] = (0.0, 0.0)
    spend_cap: float = 1.0
    timeout: float = 60.0
    most_tokens: int = 256
    spent: float = field(default=0.0, init=False)
    calls: int = field(default=0, init=False)

    @property
    def can_call(self) -> bool:
        return bool(os.environ.get(self.key_variable))

    def recorded(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> Reply | None:
        """The recorded answer to exactly this request, if there is one."""
        path = self._path(messages, tools)
        if not path.exists():
            return None
        return self._reply(json.loads(path.read_text(encoding="utf-8"))["reply"], replayed=True)

    def complete(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> Reply:
        """Answer a conversation at temperature 0: from the recordings, else by a call that is then recorded.

        Raises:
            EndpointError: no recording and no key, or the endpoint failed after the client's own retries.
            SpendCapReached: the call could exceed the cap; it was not made.
        """
        known = self.recorded(messages, tools)
        if known is not None:
            return known
        if not self.can_call:
            raise EndpointError(
                f"no recorded answer of {self.model}, and {self.key_variable} is not set, so it cannot be asked"
            )
        self._keep_within_cap(messages, tools)
        reply = self._call(messages, tools)
        self._record(messages, tools, reply)
        return self._reply(reply, replayed=False)

    def _call(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        import openai

        client = openai.OpenAI(
            api_key=os.environ[self.key_variable], base_url=self.base_url, timeout=self.timeout, max_retries=3
        )
        wanted: dict[str, Any] = {"messages": list(messages)}
        if tools:
            wanted |= {"tools": list(tools), "tool_choice": "auto"}
        try:
            answer = client.chat.completions.create(
                model=self.model, temperature=0, max_tokens=self.most_tokens, **wanted
            )
        except (openai.OpenAIError, ValueError) as error:  # ValueError: the body is no JSON
            raise EndpointError(f"{self.model} did not answer: {type(error).__name__}: {error}") from None
        usage = getattr(answer, "usage", None)
        self.calls += 1
        if usage:  # an answer without a choice is paid for too
            self.spent += self._price(usage.prompt_tokens, usage.completion_tokens)
        if not getattr(answer, "choices", None) or answer.choices[0].message is None:
            raise EndpointError(f"{self.model} answered without a choice")
        message = answer.choices[0].message
        reply: dict[str, Any] = {
            "text": message.content or "",
            "tool_calls": [
                [call.function.name, call.function.arguments]
                for call in message.tool_calls or []
                if call.type == "function"
            ],
            "prompt_tokens": usage.prompt_tokens if usage else 0,
            "completion_tokens": usage.completion_tokens if usage else 0,
        }
        return reply

    def _keep_within_cap(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> None:
        characters = len(json.dumps([list(messages), list(tools)], default=str))
        worst = self._price(characters, self.most_tokens)  # a token has at least one character
        if self.spent + worst > self.spend_cap:
            raise SpendCapReached(
                f"{self.spent:.4f} of {self.spend_cap:.4f} dollars are spent and the next call could cost {worst:.4f}; "
                "raise the cap to go on"
            )

    def _price(self, prompt_tokens: int, completion_tokens: int) -> float:
        prompt, completion = self.dollars_per_million
        return (prompt_tokens * prompt + completion_tokens * completion) / 1e6

    def _request(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": list(messages),
            "tools": list(tools),
            "temperature": 0,
            "max_tokens": self.most_tokens,
        }

    def _path(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Path:
        text = json.dumps(self._request(messages, tools), sort_keys=True, ensure_ascii=False)
        return self.recordings / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"

    def _record(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], reply: dict[str, Any]
    ) -> None:
        path = self._path(messages, tools)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        content = {"request": self._request(messages, tools), "reply": reply}
        scratch.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        scratch.replace(path)

    @staticmethod
    def _reply(content: Mapping[str, Any], *, replayed: bool) -> Reply:
        calls = tuple((str(name), str(arguments)) for name, arguments in content["tool_calls"])
        return Reply(content["text"], calls, content["prompt_tokens"], content["completion_tokens"], replayed)
