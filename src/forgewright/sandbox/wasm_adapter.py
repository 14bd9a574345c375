"""What stands between a module and WASI, so that it has the clock that it was granted and no other.

WASI gives every module the host's clocks, and the times of what it writes tell the time too. Calls that do are led
through an adapter: a module of its own, which calls WASI for the rest. The module is made before its adapter, which
needs its memory; a table between them is filled when both are there.
Source: WASI preview 1, typenames.witx (layouts of `filestat`, `subscription`, `event`) and errno.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Clock = Literal["none", "zero", "real"]
PREVIEW = "wasi_snapshot_preview1"
TICK_NANOSECONDS = 1000
"""By which a clock that starts at zero moves on when it is read; a wait moves it by its length."""

_ENOTSUP, _EINVAL = 58, 28
_TYPES: Mapping[str, str] = {
    "clock_time_get": "i32 i64 i32", "clock_res_get": "i32 i32", "fd_filestat_get": "i32 i32",
    "path_filestat_get": "i32 i32 i32 i32 i32", "poll_oneoff": "i32 i32 i32 i32",
}  # fmt: skip

_HIDE = """
(func $hide (param $at i32)
  (call $hide_one (i32.add (local.get $at) (i32.const 40)))
  (call $hide_one (i32.add (local.get $at) (i32.const 48)))
  (call $hide_one (i32.add (local.get $at) (i32.const 56))))
(func $hide_one (param $at i32)
  (if (i64.gt_u (i64.load (local.get $at)) (global.get $began))
    (then (i64.store (local.get $at) (global.get $now)))))"""

_POLL = """
(func $poll_oneoff (param $in i32) (param $out i32) (param $count i32) (param $ready i32) (result i32)
  (local $i i32) (local $at i32) (local $wait i64) (local $least i64) (local $error i32)
  (local.set $least (i64.const -1))
  (block $looked (loop $each
    (br_if $looked (i32.ge_u (local.get $i) (local.get $count)))
    (local.set $at (i32.add (local.get $in) (i32.mul (local.get $i) (i32.const 48))))
    (if (i32.eqz (i32.load8_u offset=8 (local.get $at))) (then
      (local.set $wait (i64.load offset=24 (local.get $at)))
      (if (i32.and (i32.load16_u offset=40 (local.get $at)) (i32.const 1)) (then
        {absolute}
        (local.set $wait (select (i64.sub (local.get $wait) (global.get $now)) (i64.const 0)
          (i64.gt_u (local.get $wait) (global.get $now))))
        (i64.store offset=24 (local.get $at) (local.get $wait))
        (i32.store16 offset=40 (local.get $at) (i32.const 0))))
      (if (i64.lt_u (local.get $wait) (local.get $least)) (then (local.set $least (local.get $wait))))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $each)))
  (local.set $error (call $wasi_poll_oneoff
    (local.get $in) (local.get $out) (local.get $count) (local.get $ready)))
  (if (i32.or (local.get $error) (i64.eq (local.get $least) (i64.const -1)))
    (then (return (local.get $error))))
  (local.set $i (i32.const 0))
  (block $waited (loop $each
    (br_if $waited (i32.ge_u (local.get $i) (i32.load (local.get $ready))))
    (if (i32.eqz (i32.load8_u offset=10 (i32.add (local.get $out) (i32.mul (local.get $i) (i32.const 32)))))
      (then (global.set $now (i64.add (global.get $now) (local.get $least))) (br $waited)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $each)))
  (i32.const 0))"""

_FILES = """
(func $fd_filestat_get (param i32 i32) (result i32) (local $error i32)
  (local.set $error (call $wasi_fd_filestat_get (local.get 0) (local.get 1)))
  (if (i32.eqz (local.get $error)) (then (call $hide (local.get 1))))
  (local.get $error))"""
_PATHS = """
(func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32) (local $error i32)
  (local.set $error (call $wasi_path_filestat_get
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
  (if (i32.eqz (local.get $error)) (then (call $hide (local.get 4))))
  (local.get $error))"""

_CLOCKS: Mapping[Clock, Mapping[str, str]] = {
    "none": {
        "clock_time_get": f"(func $clock_time_get (param i32 i64 i32) (result i32) (i32.const {_ENOTSUP}))",
        "clock_res_get": f"(func $clock_res_get (param i32 i32) (result i32) (i32.const {_ENOTSUP}))",
    },
    "zero": {
        "clock_time_get": f"""
(func $clock_time_get (param i32 i64 i32) (result i32)
  (if (i32.gt_u (local.get 0) (i32.const 3)) (then (return (i32.const {_EINVAL}))))
  (global.set $now (i64.add (global.get $now) (i64.const {TICK_NANOSECONDS})))
  (i64.store (local.get 2) (global.get $now))
  (i32.const 0))""",
        "clock_res_get": f"""
(func $clock_res_get (param i32 i32) (result i32)
  (if (i32.gt_u (local.get 0) (i32.const 3)) (then (return (i32.const {_EINVAL}))))
  (i64.store (local.get 1) (i64.const {TICK_NANOSECONDS}))
  (i32.const 0))""",
    },
}
_CALLED = ("fd_filestat_get", "path_filestat_get", "poll_oneoff")
"""Of WASI, by the adapter itself."""


class Adapter:
    """The adapter of one module. Where the module asks for no clock at all, it is not in the way."""

    def __init__(self, engine: Any, module: Any, clock: Clock, began: int) -> None:
        import wasmtime

        self._w = wasmtime
        self._module = module
        wanted = [one for one in module.imports if one.name in _TYPES and one.module == PREVIEW]
        self._led = tuple(dict.fromkeys(one.name for one in wanted if _fits(one)))
        has_memory = any(
            one.name == "memory" and isinstance(one.type, wasmtime.MemoryType) for one in module.exports
        )
        self.needed = clock != "real" and bool(self._led) and has_memory
        if self.needed:
            self._table = wasmtime.Module(engine, _table_text(self._led))
            self._calls = wasmtime.Module(engine, _calls_text(self._led, clock, began))

    def instantiate(self, linker: Any, store: Any) -> Any:
        """The module with its adapter, in that store; `linker` has WASI as it is."""
        table = self._w.Instance(store, self._table, []).exports(store)
        imports = [
            table[one.name]
            if one.module == PREVIEW and one.name in self._led
            else linker.get(store, one.module, one.name)
            for one in self._module.imports
        ]
        instance = self._w.Instance(store, self._module, imports)
        given = {"memory": instance.exports(store)["memory"], "table": table["table"]}
        imports = [
            linker.get(store, PREVIEW, one.name) if one.module == PREVIEW else given[one.name or ""]
            for one in self._calls.imports
        ]
        self._w.Instance(store, self._calls, imports)
        return instance


def _fits(wanted: Any) -> bool:
    kinds = " ".join(str(kind) for kind in getattr(wanted.type, "params", ()))
    return kinds == _TYPES[wanted.name]


def _table_text(names: tuple[str, ...]) -> str:
    """A module with the calls of `names`, each through its place in a table."""
    lines = [f'(table (export "table") {len(names)} funcref)']
    for number, name in enumerate(names):
        kinds = _TYPES[name]
        given = " ".join(f"(local.get {n})" for n in range(len(kinds.split())))
        lines.append(
            f'(func (export "{name}") (param {kinds}) (result i32)'
            f" (call_indirect (param {kinds}) (result i32) {given} (i32.const {number})))"
        )
    return "(module\n" + "\n".join(lines) + ")"


def _calls_text(names: tuple[str, ...], clock: Clock, began: int) -> str:
    """A module that fills the table; WASI finds the memory of who called it under that name."""
    called = [name for name in _CALLED if name in names]
    lines = [
        f'(import "{PREVIEW}" "{name}" (func $wasi_{name} (param {_TYPES[name]}) (result i32)))'
        for name in called
    ]
    lines += [
        f'(import "" "table" (table {len(names)} funcref))',
        '(import "" "memory" (memory 0))',
        '(export "memory" (memory 0))',
    ]
    lines += [f"(global $began i64 (i64.const {began}))", "(global $now (mut i64) (i64.const 0))"]
    absolute = f"(return (i32.const {_ENOTSUP}))" if clock == "none" else ""
    bodies = {
        **_CLOCKS[clock], "poll_oneoff": _POLL.format(absolute=absolute), "fd_filestat_get": _FILES, "path_filestat_get": _PATHS,
    }  # fmt: skip
    lines += [_HIDE, *(bodies[name] for name in names)]
    lines.append("(elem (i32.const 0) func " + " ".join(f"${name}" for name in names) + ")")
    return "(module\n" + "\n".join(lines) + ")"
