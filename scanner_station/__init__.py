"""Counts identity cards, once each and in front of witnesses, before they are destroyed."""

__version__ = "0.1.0"
