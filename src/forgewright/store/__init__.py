"""Where bytes live, behind ports: journal, blobs, leases, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from forgewright.store.ports import Sealer, Store

DRIVERS = {
    "sqlite": "forgewright.store.drivers.sqlite",
    "memory": "forgewright.store.drivers.memory",
}
"""Name → module with `async open_store(path, sealer)`; imported when it is asked for."""

__all__ = ["DRIVERS", "open_store"]


async def open_store(place: str | Path, *, sealer: Sealer | None = None) -> Store:
    """The store at `place`: a folder (SQLite), or `driver:folder`, or `memory:`.

    Raises `UsageError` (no such driver), `StoreFull`, `StoreError`, `IntegrityError`.
    """
    from importlib import import_module
    from pathlib import Path

    name, path = "sqlite", place
    if isinstance(place, str) and ":" in place:
        name, path = place.split(":", 1)
    if name not in DRIVERS:
        raise UsageError(
            f"no store driver is called {name!r}", hint=f"there are: {', '.join(sorted(DRIVERS))}"
        )
    store: Store = await import_module(DRIVERS[name]).open_store(Path(path), sealer=sealer)
    return store
