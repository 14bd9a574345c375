"""The kinds of effect that the engine knows by itself, one file each."""
