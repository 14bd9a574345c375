"""The one place that names drivers and puts an engine together."""
