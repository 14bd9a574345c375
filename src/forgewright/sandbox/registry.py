"""The drivers by name, imported late, and the choice of one that is strong enough."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import cast

from forgewright.core.errors import MissingProgram, Unavailable, UsageError
from forgewright.sandbox.types import Driver, Sandbox, SandboxSpec, Tier

DRIVERS: Mapping[str, tuple[Tier, str]] = {
    "container": (Tier.CONTAINER, "forgewright.sandbox.drivers.container:ContainerDriver"),
    "docker": (Tier.CONTAINER, "forgewright.sandbox.drivers.docker:DockerDriver"),
    "gvisor": (Tier.GVISOR, "forgewright.sandbox.drivers.gvisor:GvisorDriver"),
    "wasm": (Tier.WASM, "forgewright.sandbox.drivers.wasm:WasmDriver"),
    "microvm": (Tier.MICROVM, "forgewright.sandbox.drivers.microvm:MicrovmDriver"),
    "firecracker": (Tier.MICROVM, "forgewright.sandbox.drivers.firecracker:FirecrackerDriver"),
}
"""Name → (tier, dotted path of its class)."""

STRENGTH: tuple[Tier, ...] = (Tier.WASM, Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM)
"""Weakest first."""

_INSTALL: Mapping[Tier, tuple[str, str]] = {
    Tier.WASM: ("wasmtime", "pip install 'forgewright[wasm]'"),
    Tier.CONTAINER: ("crun", "apt-get install crun"),
    Tier.GVISOR: ("runsc", "apt-get install runsc"),
    Tier.MICROVM: ("qemu-system-x86_64", "apt-get install qemu-system-x86 linux-image-cloud-amd64"),
}
_loaded: dict[str, Driver] = {}
_chosen: dict[tuple[Tier, tuple[str, ...]], str] = {}


def driver(name: str) -> Driver:
    """The driver of that name. Raises `UsageError` where there is none."""
    if name not in DRIVERS:
        raise UsageError(f"no sandbox driver {name!r}", hint=f"one of: {', '.join(DRIVERS)}")
    if name not in _loaded:
        module, _, attribute = DRIVERS[name][1].partition(":")
        _loaded[name] = cast(Driver, getattr(importlib.import_module(module), attribute)())
    return _loaded[name]


def strong_enough(name: str, tier: Tier) -> bool:
    return STRENGTH.index(DRIVERS[name][0]) >= STRENGTH.index(tier)


async def choose(tier: Tier) -> Driver:
    """The weakest available driver that is at least as strong as `tier`; never a weaker one.

    Raises `MissingProgram` where none is installed, with the command that installs what `tier` needs, and
    `Unavailable` where one is installed and does not start here.
    """
    key = (tier, tuple(DRIVERS))
    if key in _chosen:  # found out once: a probe starts a sandbox
        return driver(_chosen[key])
    names = [name for name in DRIVERS if strong_enough(name, tier) and _fits(name, tier)]
    reasons: list[str] = []
    broken: list[str] = []
    for name in sorted(names, key=lambda n: STRENGTH.index(DRIVERS[n][0])):
        try:
            probe = await driver(name).probe()
        except Unavailable as error:
            reasons.append(error.message)
            continue
        if probe.available:
            _chosen[key] = name
            return driver(name)
        reasons.append(probe.detail)
        if probe.version:  # it is installed, and does not work here: another installation would not help
            broken.append(f"{name} ({probe.detail})")
    if broken:
        raise Unavailable(
            f"no sandbox of tier {tier} starts on this machine: {'; '.join(broken)}",
            hint="run: forgewright sandbox doctor",
        )
    program, install = _INSTALL[tier]
    missing = MissingProgram(program, needed_for=f"sandboxes of tier {tier}", install=install)
    for reason in reasons:
        missing.add_note(reason)
    raise missing


def _fits(name: str, tier: Tier) -> bool:
    """WebAssembly runs modules, not commands: a container is stronger, but no substitute for it."""
    return (tier is Tier.WASM) == (DRIVERS[name][0] is Tier.WASM)


async def open_sandbox(spec: SandboxSpec, name: str | None = None) -> Sandbox:
    """A sandbox for `spec`, by the named driver or the weakest that is strong enough.

    Raises `UsageError` where the named driver is weaker than `spec.tier`, `MissingProgram`, `SandboxError`.
    """
    if name is None:
        return await (await choose(spec.tier)).create(spec)
    chosen = driver(name)
    if not strong_enough(name, spec.tier):
        raise UsageError(
            f"driver {name} is of tier {chosen.tier}, weaker than the {spec.tier} that was asked for",
            hint="leave the driver out, and the weakest that is strong enough is taken",
        )
    return await chosen.create(spec)
