"""Hosted models as the pipeline asks them: every answer recorded beside the assets, none asked for twice."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.profile import EndpointSettings
from assets.storage import Blobs, NotStored
from lm.recordings import SUFFIX

if TYPE_CHECKING:
    from lm.api import ChatEndpoint

FOLDER = "recordings"


@dataclass(frozen=True)
class StoredRecordings:
    """Recorded answers in the store that holds the assets, local or S3, so that they travel with these."""

    blobs: Blobs

    def endpoint(self, settings: EndpointSettings) -> ChatEndpoint:
        """The hosted model of these settings, its answers recorded here."""
        from lm.api import ChatEndpoint

        return ChatEndpoint(recordings=self, **settings.model_dump())

    def find(self, key: str) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads(self.blobs.read(f"{FOLDER}/{key}{SUFFIX}"))
        except NotStored:
            return None
        except ValueError as error:  # cut short, as by a machine that went down
            warnings.warn(f"the recorded answer {FOLDER}/{key}{SUFFIX} is damaged and not used: {error}", stacklevel=2)
            return None
        return content

    def keep(self, key: str, content: Mapping[str, Any]) -> None:
        self.blobs.write(f"{FOLDER}/{key}{SUFFIX}", json.dumps(content, ensure_ascii=False, indent=1).encode())

    def count(self) -> int:
        return sum(1 for _ in self.blobs.names(f"{FOLDER}/"))
