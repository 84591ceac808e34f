"""Souvenir: one person's memory, any assistant, on Canadian ground."""

__version__ = "0.1.0"
