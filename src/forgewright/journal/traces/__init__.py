"""OpenTelemetry spans, derived from the journal: nothing is traced beside it."""
