"""The language model that a command uses where none, or one by name, was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.faults import quiet

if TYPE_CHECKING:
    from lm import LanguageModel


def load_chosen(name: str | None) -> tuple[LanguageModel, str | None]:
    """The named language model; by default the assistant where there is one, else the bundled model.

    Where the registry cannot tell which is the champion, the adapter that comes with the project stands in.

    Returns:
        The model, and a sentence on what was taken in the assistant's place, or None.

    Raises:
        ModelNotFound: the name leads nowhere.
    """
    from lm import ModelNotFound, load_language_model
    from lm.errors import RegistryDown
    from lm.registry import shipped_adapter

    quiet()
    if name is not None:
        return load_language_model(name), None
    try:
        return load_language_model("assistant"), None
    except ModelNotFound as error:
        if isinstance(error, RegistryDown) and (shipped := shipped_adapter()) is not None:
            return load_language_model(str(shipped)), f"{error}. Using the adapter that comes with the project."
        return load_language_model(), f"{error} Using the untuned bundled model; its readings are often wrong."


def assistant_is_there() -> bool:
    """Whether the assistant can be had now; its files are fetched."""
    from lm import ModelNotFound
    from lm.registry import find_assistant

    try:
        return find_assistant() is not None
    except ModelNotFound:
        return False
