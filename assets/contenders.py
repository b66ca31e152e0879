"""The models that an evaluation compares: the challenger, what it has to beat, and the untuned base."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from assets.models import LanguageModels
from assets.profile import Profile
from assets.storage import FileStore
from lm import LanguageModel
from lm.pointer import WEIGHTS, pointers_beside
from training.digests import code_digest, digest_of
from training.tracking import Tracking, Version

COMPARED_WITH = "compared_with"  # version that the challenger was evaluated beside; '' where there was no champion
EVALUATED = "evaluated_adapter"  # digest of the challenger's adapter
CHALLENGER, CHAMPION, SHIPPED, UNTUNED = "challenger", "champion", "shipped", "untuned"


@dataclass(frozen=True)
class Contender:
    """A model to be evaluated.

    Attributes:
        name: column in the tables.
        digest: of its weights and of the code that it is read with: what its readings depend on, beside the question.
        load: gives the model.
    """

    name: str
    digest: str
    load: Callable[[], LanguageModel]


def contenders(
    profile: Profile, models: LanguageModels, challenger: Path, incumbent: Version | None
) -> dict[str, Contender]:
    """The challenger, the untuned base, and the incumbent: a registered version, or the shipped adapter, if it is of this base.

    Args:
        challenger: folder of its adapter.
        incumbent: of :func:`incumbent_of`.
    """
    from lm.load import base_of, weights_version
    from lm.registry import adapter_in, find_registered, shipped_adapter

    base = weights_version(profile.base)

    def contender(name: str, adapter: Path | None) -> Contender:
        digest = digest_of([base, _weights_digest(adapter), code_digest("causal_tools", "lm")])
        return Contender(name, digest, lambda: models.load(profile.base, adapter))

    found = [contender(CHALLENGER, challenger), contender(UNTUNED, None)]
    shipped = shipped_adapter()
    if incumbent is not None:
        folder = find_registered(f"models:/{incumbent.name}/{incumbent.version}").folder
        found.append(contender(CHAMPION, adapter_in(folder)))
    elif shipped is not None and base_of(shipped) == profile.base:
        found.append(contender(SHIPPED, shipped))
    return {one.name: one for one in found}


def challenger_of(files: FileStore, registered: dict[str, Any]) -> Path:
    """The folder of the registered adapter.

    Raises:
        Failure: there is none, or the newest one is not registered (its retraining broke off, or goes on): its figures would
            count for another version.
    """
    adapter = files.get("assistant_adapter", "mixed")
    if not isinstance(adapter, Path):
        raise dg.Failure("the adapter of variant 'mixed' has not been materialized")
    digest = registered["adapter_digest"]
    if (
        adapter.parent.name != digest and adapter.name != digest
    ):  # a version is named after its content, here and downloaded
        newest = files.find("assistant_adapter", "mixed")
        raise dg.Failure(
            f"the newest adapter {newest.digest if newest else ''} is not registered: version {registered['version']} holds "
            f"{digest}. Run the job retraining, or materialize registered_assistant, and evaluate again"
        )
    return adapter


def incumbent_of(tracking: Tracking, registered: dict[str, Any]) -> Version | None:
    """The version to beat: the champion, or, where the challenger is champion already, the one it replaced.

    None stands for the shipped adapter, and where there is none for the untuned model.
    """
    champion = tracking.version_at(CHAMPION)
    if champion is None or champion.version != str(registered["version"]):
        return champion
    return tracking.replaced_by(champion)


def incumbent_among(systems: list[str]) -> str:
    """The column that the challenger has to beat."""
    return next(name for name in (CHAMPION, SHIPPED, UNTUNED) if name in systems)


def _weights_digest(adapter: Path | None) -> str | None:
    if adapter is None:
        return None
    parts = [adapter / "adapter_config.json", adapter / "adapter_model.safetensors"]
    parts += [folder / WEIGHTS for folder in pointers_beside(adapter)]
    return digest_of([hashlib.sha256(path.read_bytes()).hexdigest() for path in parts])
