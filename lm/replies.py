"""What a chat model is asked, what it answers, and what is kept of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm.errors import EndpointError
from lm.recordings import SUFFIX, Recordings


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        text: of the message.
        tool_calls: as (name, arguments as JSON text).
        prompt_tokens, completion_tokens: as the endpoint counts them.
        replayed: from a recording.
        finish_reason: ``length`` where the answer was cut short.
        seconds: that the call took when it was made.
    """

    text: str
    tool_calls: tuple[tuple[str, str], ...]
    prompt_tokens: int
    completion_tokens: int
    replayed: bool
    finish_reason: str = "stop"
    seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    """What a model is asked: the conversation, the tools it may call, and which of them it must call, if one."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    must_call: str | None = None


def usage_of(answer: Any) -> tuple[int, int] | None:
    """The prompt and completion tokens that the endpoint counted, where it tells both."""
    usage = getattr(answer, "usage", None)
    if usage is None or None in (usage.prompt_tokens, usage.completion_tokens):
        return None
    return usage.prompt_tokens, usage.completion_tokens


def content_of(answer: Any, used: tuple[int, int]) -> dict[str, Any] | None:
    """An answer as plain values that JSON can hold; None where it has no choice.

    Args:
        answer: a chat completion of the ``openai`` client.
        used: prompt and completion tokens.

    Raises:
        AttributeError, TypeError: it does not have the form of chat completions.
    """
    if not getattr(answer, "choices", None) or answer.choices[0].message is None:
        return None
    choice, message = answer.choices[0], answer.choices[0].message
    return {
        "text": message.content or "",
        "tool_calls": [
            [call.function.name, call.function.arguments]
            for call in message.tool_calls or []
            if call.type == "function"
        ],
        "prompt_tokens": used[0],
        "completion_tokens": used[1],
        "finish_reason": choice.finish_reason or "stop",
    }


def recorded_reply(recordings: Recordings, key: str) -> Reply | None:
    """The answer that is recorded under a key, if there is one.

    Raises:
        EndpointError: what is recorded there is no answer.
    """
    try:
        found = recordings.find(key)
        return None if found is None else reply_of(found["reply"], replayed=True)
    except (ValueError, KeyError, TypeError) as error:
        raise EndpointError(
            f"the recording {key}{SUFFIX} is damaged ({type(error).__name__}: {error}); delete it, and it is asked for again"
        ) from None


def reply_of(content: Mapping[str, Any], *, replayed: bool) -> Reply:
    """The reply that was kept as such a content."""
    calls = tuple((str(name), str(arguments)) for name, arguments in content["tool_calls"])
    return Reply(
        content["text"],
        calls,
        content["prompt_tokens"],
        content["completion_tokens"],
        replayed,
        content.get("finish_reason", "stop"),
        content.get("seconds", 0.0),
    )
