"""Hosted models as the pipeline asks them: every answer recorded, none asked for twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from assets.profile import EndpointSettings

if TYPE_CHECKING:
    from lm.api import ChatEndpoint


class Recordings(BaseModel):
    """Folder of recorded answers of hosted models."""

    folder: Path

    def endpoint(self, settings: EndpointSettings) -> ChatEndpoint:
        """The hosted model of these settings, its answers recorded here."""
        from lm.api import ChatEndpoint

        return ChatEndpoint(recordings=self.folder, **settings.model_dump())

    def count(self) -> int:
        """How many answers are recorded."""
        return len(list(self.folder.glob("*.json"))) if self.folder.exists() else 0
