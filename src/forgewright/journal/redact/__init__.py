"""Secrets: found by their published forms, and taken out before anything is stored or sent to a model."""
