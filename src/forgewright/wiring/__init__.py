"""The one place that names drivers and puts an engine together."""

from forgewright.wiring.engine import default_home, make_model, open_engine, replay_model

__all__ = ["default_home", "make_model", "open_engine", "replay_model"]
