"""Faults of what the pipeline is told."""


class SettingsError(ValueError):
    """A profile or a settings file that is missing or does not fit; the message names the place."""
