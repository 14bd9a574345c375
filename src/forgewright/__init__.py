"""Forgewright: an engine for autonomous R&D whose work can be trusted, stopped and proved."""

__version__ = "0.1.0"
