"""Make an asset's data, or reuse what is there: the same inputs, settings and code give the same data.

Dagster does not skip unchanged work inside a run, so each asset states what it depends on, and says ``reused`` when nothing
of that has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import BaseModel

from assets.storage import FileStore, Stored, Value
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


def make(
    context: dg.AssetExecutionContext,
    files: FileStore,
    settings: Any,
    build: Callable[[], Made],
    *,
    still_holds: Callable[[Stored], bool] = lambda _: True,
) -> dg.MaterializeResult[Any]:
    """Build and store an asset's data, unless what is stored was made from the same things.

    Args:
        context: of the asset being materialized.
        files: the store.
        settings: all settings the data depends on, beside its upstream assets and its code version.
        build: does the work.
        still_holds: for data that speak of something outside the store (a registry): whether it is still so.
    """
    asset = context.asset_key.to_user_string()
    partition = context.partition_key if context.has_partition_key else None
    recipe = recipe_digest(context, files, settings, partition)
    stored = files.find(asset, partition)
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
