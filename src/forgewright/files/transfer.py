"""Many files at once, in and out: each has a result of its own, so one that fails ends none of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forgewright.core.errors import ForgewrightError
from forgewright.files.types import Transfer

if TYPE_CHECKING:
    from forgewright.files.types import Files


async def upload(backend: Files, files: Sequence[tuple[str, bytes]]) -> Sequence[Transfer]:
    """Writes each file; results in the order of the files."""
    results = []
    for path, data in files:
        try:
            await backend.write(path, data)
        except ForgewrightError as error:
            results.append(Transfer(path, error=error.code, message=error.message))
        else:
            results.append(Transfer(path))
    return results


async def download(backend: Files, paths: Sequence[str]) -> Sequence[Transfer]:
    """Reads each file; results in the order of the paths."""
    results = []
    for path in paths:
        try:
            results.append(Transfer(path, await backend.read(path)))
        except ForgewrightError as error:
            results.append(Transfer(path, error=error.code, message=error.message))
    return results
