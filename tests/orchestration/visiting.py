"""A person at the page, for the tests; and a model that reads two questions as it is told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np

EFFECT, SUBGROUP = "What does drug do to pain?", "What does drug do to pain from 50 on?"
LONG = "What, on a long view, does drug do to pain?"
PIECES = {
    EFFECT: ("effect:", " drug on", " pain."),
    SUBGROUP: ("subgroup:", " drug on", " pain where", " age is", " from", " 50."),
}


class Told:
    """Reads the two questions above as it is told, and words a result by its own summary."""

    def describe(self) -> str:
        return "told (for tests)"

    def chat_text(self, messages: Any) -> str:
        return str(messages[-1]["content"])

    def score_continuations(self, contexts: Any, candidates: Any) -> list[np.ndarray]:
        question = contexts[0].split("Question: ")[1].partition("?")[0] + "?"
        time.sleep(0.6 if question == LONG else 0)
        wanted = "".join(PIECES[EFFECT if question == LONG else question])
        return [
            np.array([0.0 if wanted.startswith(context.partition("?")[2] + piece) else -9.0 for piece in row])
            for context, row in zip(contexts, candidates, strict=True)
        ]

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, texts: Any, **settings: Any) -> list[str]:
        return [text.split("Result: ")[1] for text in texts]


class Visitor:
    """A person with a browser window of their own."""

    def __init__(self, browser: Any, address: str) -> None:
        self.page = browser.new_page()
        self.page.set_default_timeout(30_000)
        self.hosts: set[str] = set()
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.hosts.add(urlparse(request.url).netloc))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("#file input[type=file]", state="attached")

    def text(self, place: str) -> str:
        return str(self.page.inner_text(place)).strip()

    def waits_for(self, place: str, words: str) -> None:
        self.page.locator(place, has_text=words).wait_for()

    def uploads(self, path: Path, words: str) -> None:
        if self.page.locator("#file input[type=file]").count() == 0:
            self.page.click("#file button[aria-label='Clear']")
        self.page.set_input_files("#file input[type=file]", path)
        self.waits_for("#about-file", words)

    def asks(self, question: str) -> None:
        self.page.fill("#question textarea", question)
        self.page.click("#read")

    def chooses(self, field: str, value: str) -> None:
        self.page.click(f"#{field} input")
        self.page.click(f"#{field} [role=option][aria-label='{value}']")

    def says(self, field: str) -> str:
        return str(self.page.input_value(f"#{field} input, #{field} textarea"))

    def sees(self, field: str) -> bool:
        return bool(self.page.is_visible(f"#{field}"))

    def answers(self, words: str = "Answered in") -> None:
        """Press the button, and wait for words that were not there before."""
        self.page.eval_on_selector("#progress .prose > *", "before => before.classList.add('before')")
        self.page.click("#answer")
        self.waits_for("#progress .prose > :not(.before)", words)

    def downloads(self) -> dict[str, Any]:
        with self.page.expect_download() as coming:
            self.page.click("#download")
        return dict(json.loads(Path(coming.value.path()).read_text(encoding="utf-8")))
