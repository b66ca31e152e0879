"""Which profile and which storage: two environment variables, each naming one YAML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from assets.dates import Calendar
from assets.errors import SettingsError
from assets.profile import Profile, read_profile, read_yaml
from lm.places import home

PROFILE_VARIABLE, SETTINGS_VARIABLE = "CAUSALSMITH_PROFILE", "CAUSALSMITH_SETTINGS"
ANNOTATIONS_VARIABLE = "CAUSALSMITH_ANNOTATIONS"
_FOLDER = Path(__file__).parent
PROFILES = _FOLDER / "profiles"
CHECKOUT = _FOLDER.parent


class S3Settings(BaseModel):
    """A bucket on any S3 endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str
    data_prefix: str = "data"
    log_prefix: str = "compute-logs"
    endpoint_url: str | None = None
    region_name: str | None = None


def _as_written(hour: Any) -> Any:
    if isinstance(hour, int):
        raise ValueError(
            f"put an hour into quotation marks, '{hour // 60:02d}:{hour % 60:02d}': YAML counts it up to {hour}"
        )
    return hour


Hour = Annotated[str, BeforeValidator(_as_written), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Nights(BaseModel):
    """When the nightly jobs run, if their schedules are switched on; hours as ``HH:MM`` in one time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_zone: str = "UTC"
    retraining: Hour = "01:00"
    evaluation: Hour = "04:00"
    retries: int = Field(default=2, ge=0)  # of a night that failed; what was finished is not done again

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"no time zone {name!r}; an IANA name is wanted, such as Europe/Zurich")
        return name


class Settings(BaseModel):
    """Where assets' data and compute logs lie, and when the nights are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Literal["local", "s3"] = "local"
    s3: S3Settings | None = None
    nights: Nights = Nights()

    @model_validator(mode="after")
    def _s3_is_described(self) -> Self:
        if self.data == "s3" and self.s3 is None:
            raise ValueError("data: s3 needs a section s3 with at least a bucket")
        return self


def chosen_profile() -> Profile:
    """The profile that ``CAUSALSMITH_PROFILE`` names (``demo`` unless set), or the YAML file that it gives the path of.

    Raises:
        SettingsError: there is no such profile, or it does not fit the schema.
    """
    named = os.environ.get(PROFILE_VARIABLE) or "demo"
    return read_profile(Path(named) if named.endswith(".yaml") else PROFILES / f"{named}.yaml")


def chosen_settings() -> Settings:
    """The settings file that ``CAUSALSMITH_SETTINGS`` names (all local unless set).

    Raises:
        SettingsError: the file is missing or does not fit the schema.
    """
    path = Path(os.environ.get(SETTINGS_VARIABLE) or _FOLDER / "settings" / "local.yaml")
    if not path.exists():
        raise SettingsError(f"{SETTINGS_VARIABLE} names {path}, which is not there")
    return read_yaml(path, Settings, "settings")


def calendar() -> Calendar:
    """Dates in the time zone of the nights."""
    return Calendar(chosen_settings().nights.time_zone)


def annotation_inbox() -> Path:
    """Where annotations arrive: ``CAUSALSMITH_ANNOTATIONS`` (a folder of exports, or one), else the inbox under the home.

    While that inbox is empty, the sample that comes with the project stands in.
    """
    inbox = watched_inbox()
    sample = CHECKOUT / "training" / "samples" / "annotations_sample.json"
    return inbox if os.environ.get(ANNOTATIONS_VARIABLE) or any(inbox.glob("*.json")) else sample


def watched_inbox() -> Path:
    """Where annotations arrive, whether any have or not: the sample is no arrival."""
    return Path(os.environ.get(ANNOTATIONS_VARIABLE) or inbox_folder())


def inbox_folder() -> Path:
    """The folder that fetched annotations are put into: the inbox, or that of the one file which is named."""
    configured = Path(os.environ.get(ANNOTATIONS_VARIABLE) or home() / "annotations")
    return configured.parent if configured.is_file() else configured


def explanation_inbox() -> Path:
    """Where judgements of explanations arrive: the folder ``explanations`` within the inbox."""
    return inbox_folder() / "explanations"
