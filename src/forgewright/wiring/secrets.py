"""The secrets of this machine: values of the environment that are keys by their names. They are taken out of whatever
is journaled or shown to a model, in whatever form they have."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_CREDENTIAL", "_CREDENTIALS")
"""How the names of variables end that hold one."""
CHARS_MIN = 12
ENTROPY_MIN = 3.0
"""Bits per character; what is shorter or simpler is a word that may stand anywhere."""


def machine_secrets(environ: Mapping[str, str]) -> list[str]:
    """Their values."""
    from forgewright.journal.redact.redactor import entropy

    return [
        value
        for name, value in environ.items()
        if name.upper().endswith(NAMES)
        and len(value) >= CHARS_MIN
        and not value.startswith(("/", "~"))  # the path of a file that holds one
        and entropy(value) >= ENTROPY_MIN
    ]
