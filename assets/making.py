"""Make an asset's data, or reuse what is there: the same inputs, settings and code give the same data.

Dagster does not skip unchanged work inside a run, so each asset states what it depends on, and says ``reused`` when nothing
of that has changed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import BaseModel

from assets.storage import Damaged, FileStore, Stored, Value
from training.digests import digest_of

Metadata = dict[str, Any]  # numbers, texts, and Markdown as ("md", text)


@dataclass(frozen=True)
class Made:
    """What an asset's function made, and what to tell about it; Markdown metadata is given as ``markdown(text)``."""

    value: Value
    metadata: Metadata = field(default_factory=dict)


def markdown(text: str) -> dict[str, str]:
    """Markdown in metadata that can be stored and shown again."""
    return {"markdown": text}


def picture(title: str, png: bytes) -> dict[str, str]:
    """A small picture in metadata; it lies in the event database, so keep it small."""
    return markdown(f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})")


def log_progress(say: Callable[[str], None], steps: int = 10, what: str = "") -> Callable[[int, int], None]:
    """A progress callback that writes a line each tenth of the way, or so many in all, about what is done."""
    said = 0

    def progress(done: int, total: int) -> None:
        nonlocal said
        if (reached := steps * done // total) > said:
            said = reached
            say(f"{what}{100 * done // total} %")

    return progress


def make(
    context: dg.AssetExecutionContext,
    files: FileStore,
    settings: Any,
    build: Callable[[], Made],
    *,
    still_holds: Callable[[Stored], bool] = lambda _: True,
    place: str | None = None,
) -> dg.MaterializeResult[Any]:
    """Build and store an asset's data, unless what is stored was made from the same things.

    Args:
        context: of the asset being materialized.
        files: the store.
        settings: all settings the data depends on, beside its upstream assets and its code version.
        build: does the work.
        still_holds: for data that speak of something outside the store (a registry): whether it is still so.
        place: where to store it, for an asset that keeps its earlier data and is not partitioned; its partition otherwise.
    """
    asset = context.asset_key.to_user_string()
    partition = context.partition_key if context.has_partition_key else None
    recipe = recipe_digest(context, files, settings, partition)
    partition = place or partition
    try:
        stored = files.find(asset, partition)
        if stored is not None and not files.is_whole(asset, partition, stored):
            raise Damaged(f"the data at {stored.location} are gone or not whole")
    except Damaged as error:
        context.log.warning(f"{error}; it is made anew")
        stored = None
    reused = stored is not None and stored.recipe == recipe and still_holds(stored)
    if stored is None or not reused:
        made = build()
        stored = files.put(asset, partition, made.value, recipe, made.metadata)
    else:
        context.log.info(f"{asset}{f' [{partition}]' if partition else ''} is unchanged: reused from {stored.location}")
    shown = {name: _shown(value) for name, value in stored.metadata.items()}
    return dg.MaterializeResult(
        metadata={**shown, "reused": reused, "location": dg.MetadataValue.path(stored.location), "recipe": recipe},
        data_version=dg.DataVersion(stored.digest),
    )


def recipe_digest(context: dg.AssetExecutionContext, files: FileStore, settings: Any, partition: str | None) -> str:
    """Digest of the code version, the settings, the partition and the versions of everything upstream."""
    key = context.asset_key
    spec = context.assets_def.specs_by_key[key]
    upstream: dict[str, Any] = {}
    for dependency in spec.deps:
        name = dependency.asset_key.to_user_string()
        versions = files.versions(name)
        upstream[name] = versions.get(partition, versions) if partition else versions
    plain = settings.model_dump(mode="json") if isinstance(settings, BaseModel) else settings
    return digest_of([key.to_user_string(), partition, spec.code_version, plain, upstream])


def _shown(value: Any) -> Any:
    return dg.MetadataValue.md(value["markdown"]) if isinstance(value, dict) and set(value) == {"markdown"} else value
