"""One driver per isolation technique. Each is imported late, by name, from the table in `sandbox`."""
