"""Attestations of what a run produced (in-toto, SLSA), and the provenance of each line."""
