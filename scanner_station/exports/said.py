"""Sentences in somebody's language, for exports that do not know which languages there are."""

from collections.abc import Callable, Mapping

Said = Callable[[str, Mapping[str, object]], str]
"""Returns an English template in somebody's language, its values filled in."""


def in_english(message: str, values: Mapping[str, object]) -> str:
    """Return an English template with its values filled in."""
    return message % values if values else message
