"""Random renames and other operations over published projects, judged by Python itself and not by the engine."""
