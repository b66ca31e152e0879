"""Messages to people: into the log, and to a webhook where one is set."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

VARIABLE = "CAUSALSMITH_WEBHOOK"
MOST_CHARACTERS = 3000
TIMEOUT = 10.0


@dataclass(frozen=True)
class Alerts:
    """Sends messages.

    Attributes:
        variable: environment variable that holds the webhook's address, which is a secret and is never logged. It is sent
            ``{"text": …}``, as Slack, Mattermost and many others take it.
    """

    variable: str = VARIABLE

    def send(self, title: str, text: str, log: Callable[[str], None]) -> bool:
        """Log the message and post it; a webhook that fails is logged and keeps nothing from going on.

        Returns:
            Whether it was posted.
        """
        log(f"{title}: {text}")
        address = os.environ.get(self.variable)
        if not address:
            return False
        import httpx

        calls = logging.getLogger("httpx")
        level = calls.level
        calls.setLevel(logging.WARNING)  # it logs addresses
        try:
            answer = httpx.post(address, json={"text": f"*{title}*\n{text}"[:MOST_CHARACTERS]}, timeout=TIMEOUT)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log(f"the webhook of {self.variable} did not take the message: {type(error).__name__}")
            return False
        finally:
            calls.setLevel(level)
        if answer.is_error:
            log(f"the webhook of {self.variable} did not take the message: status {answer.status_code}")
        return bool(answer.is_success)
