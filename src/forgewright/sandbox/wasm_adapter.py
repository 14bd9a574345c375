"""What stands between a module and WASI, so that it has the clock and the hosts that it was granted and no others.

WASI gives every module the host's clocks, and the times of what it writes tell the time too; connections it has none.
Calls that have to do with either are led through an adapter: a module of its own, which calls WASI for the rest. The
module is made before its adapter, which needs its memory; a table between them is filled when both are there.
Source: WASI preview 1, typenames.witx (layouts of `fdstat`, `filestat`, `subscription`, `event`) and errno.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from forgewright.sandbox.wasm_network import FIRST_FD

Clock = Literal["none", "zero", "real"]
PREVIEW = "wasi_snapshot_preview1"
TICK_NANOSECONDS = 1000
"""By which a clock that starts at zero moves on when it is read; a wait moves it by its length."""

_ENOTSUP, _EINVAL = 58, 28
_TYPES: Mapping[str, str] = {
    "clock_time_get": "i32 i64 i32", "clock_res_get": "i32 i32", "fd_filestat_get": "i32 i32",
    "path_filestat_get": "i32 i32 i32 i32 i32", "poll_oneoff": "i32 i32 i32 i32",
    "path_open": "i32 i32 i32 i32 i32 i64 i64 i32 i32", "fd_read": "i32 i32 i32 i32", "fd_write": "i32 i32 i32 i32",
    "fd_close": "i32", "fd_fdstat_get": "i32 i32", "fd_fdstat_set_flags": "i32 i32", "fd_seek": "i32 i64 i32 i32",
    "fd_tell": "i32 i32", "sock_send": "i32 i32 i32 i32 i32", "sock_recv": "i32 i32 i32 i32 i32 i32",
    "sock_shutdown": "i32 i32",
}  # fmt: skip
_OF_CLOCK = ("clock_time_get", "clock_res_get", "fd_filestat_get", "path_filestat_get", "poll_oneoff")

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
_ROOT_FD = 3
"""Of the folder "/", which every module is given first."""

_SOCKET = 6
"""`filetype`: a stream."""

_RIGHTS = 1 << 1 | 1 << 6 | 1 << 27 | 1 << 28
"""fd_read, fd_write, poll_fd_readwrite, sock_shutdown."""

_ESPIPE = 70


def _prefix(text: bytes) -> int:
    return int.from_bytes(text, "little")


_TO_NET: Mapping[str, str] = {
    "fd_read": "(call $net_read (local.get 0) (local.get 1) (local.get 2) (local.get 3))",
    "fd_write": "(call $net_write (local.get 0) (local.get 1) (local.get 2) (local.get 3))",
    "fd_close": "(call $net_close (local.get 0))",
    "fd_fdstat_get": f"""(i64.store (local.get 1) (i64.const {_SOCKET})) (i64.store offset=8 (local.get 1) (i64.const {_RIGHTS}))
      (i64.store offset=16 (local.get 1) (i64.const 0)) (call $net_known (local.get 0))""",
    "fd_filestat_get": "".join(
        f"(i64.store offset={at} (local.get 1) (i64.const 0))" for at in range(0, 64, 8)
    )
    + f"(i64.store offset=16 (local.get 1) (i64.const {_SOCKET})) (call $net_known (local.get 0))",
    "fd_fdstat_set_flags": f"(i32.const {_ENOTSUP})",
    "fd_seek": f"(i32.const {_ESPIPE})",
    "fd_tell": f"(i32.const {_ESPIPE})",
    "sock_send": "(call $net_write (local.get 0) (local.get 1) (local.get 2) (local.get 4))",
    "sock_recv": "(i32.store16 (local.get 5) (i32.const 0))"
    "(call $net_read (local.get 0) (local.get 1) (local.get 2) (local.get 4))",
    "sock_shutdown": "(call $net_shutdown (local.get 0))",
}
"""What a call does where its first argument is a connection."""

_OPEN = f"""
(func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (local $fd i32)
  (if (i32.and (i32.eq (local.get 0) (i32.const {_ROOT_FD})) (i32.gt_u (local.get 3) (i32.const 8))) (then
    (if (i32.or (i64.eq (i64.load (local.get 2)) (i64.const {_prefix(b"dev/tcp/")}))
                (i64.eq (i64.load (local.get 2)) (i64.const {_prefix(b"dev/tls/")}))) (then
      (local.set $fd (call $net_open (local.get 2) (local.get 3)))
      (if (i32.lt_s (local.get $fd) (i32.const 0)) (then (return (i32.sub (i32.const 0) (local.get $fd)))))
      (i32.store (local.get 8) (local.get $fd))
      (return (i32.const 0))))))
  (call $wasi_path_open (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
    (local.get 6) (local.get 7) (local.get 8)))"""


class Adapter:
    """The adapter of one module. Where the module asks for nothing that it is there for, it is not in the way.

    `net`: the functions by which it reaches hosts (`wasm_network.host_functions`), where it may reach any.
    """

    def __init__(
        self,
        engine: Any,
        module: Any,
        clock: Clock,
        began: int,
        net: Mapping[str, tuple[int, Any]] | None = None,
    ) -> None:
        import wasmtime

        self._w = wasmtime
        self._module = module
        names = (_OF_CLOCK if clock != "real" else ()) + ((*_TO_NET, "path_open") if net else ())
        wanted = [one for one in module.imports if one.module == PREVIEW and one.name in names]
        self._led = tuple(dict.fromkeys(one.name for one in wanted if _fits(one)))
        has_memory = any(
            one.name == "memory" and isinstance(one.type, wasmtime.MemoryType) for one in module.exports
        )
        self._net = net or {}
        self.needed = bool(self._led) and has_memory
        if self.needed:
            self._table = wasmtime.Module(engine, _table_text(self._led))
            text = _calls_text(
                self._led, clock, began, {name: count for name, (count, _) in self._net.items()}
            )
            self._calls = wasmtime.Module(engine, text)
            self._inner = self._linker(engine)
            self._tables = wasmtime.Linker(engine).instantiate_pre(self._table)

    def _linker(self, engine: Any) -> Any:
        """What the adapter itself calls: WASI as it is, and the functions that reach hosts."""
        linker = self._w.Linker(engine)
        linker.allow_shadowing = True
        linker.define_wasi()
        number = self._w.ValType.i32()
        for name, (count, function) in self._net.items():
            kind = self._w.FuncType([number] * count, [number])
            linker.define_func("net", name, kind, function, access_caller=True)
        for name in self._led:
            if name.startswith("sock_"):
                kind = self._w.FuncType([number] * len(_TYPES[name].split()), [number])
                linker.define_func(PREVIEW, name, kind, lambda *_: _ENOTSUP)
        return linker

    def instantiate(self, outer: Any, store: Any) -> Any:
        """The module with its adapter, in that store. `outer` has all that the module asks for but what is led here; what
        belongs to a store is put in its place in both linkers each time, since resolving all anew would cost more than a
        small program does."""
        table = self._tables.instantiate(store).exports(store)
        outer.allow_shadowing = True
        for name in self._led:
            outer.define(store, PREVIEW, name, table[name])
        instance = outer.instantiate(store, self._module)
        self._inner.define(store, "", "table", table["table"])
        self._inner.define(store, "", "memory", instance.exports(store)["memory"])
        self._inner.instantiate(store, self._calls)
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


def _calls_text(names: tuple[str, ...], clock: Clock, began: int, net: Mapping[str, int]) -> str:
    """A module that fills the table; WASI finds the memory of who called it under that name."""
    called = [name for name in names if not name.startswith("clock_")]
    lines = [
        f'(import "{PREVIEW}" "{name}" (func $wasi_{name} (param {_TYPES[name]}) (result i32)))'
        for name in called
    ]
    lines += [
        f'(import "net" "{name}" (func $net_{name} (param {"i32 " * count}) (result i32)))'
        for name, count in net.items()
    ]
    lines += [
        f'(import "" "table" (table {len(names)} funcref))',
        '(import "" "memory" (memory 0))',
        '(export "memory" (memory 0))',
        f"(global $began i64 (i64.const {began}))",
        "(global $now (mut i64) (i64.const 0))",
        _HIDE,
        *(_body(name, clock, bool(net)) for name in names),
        "(elem (i32.const 0) func " + " ".join(f"${name}" for name in names) + ")",
    ]
    return "(module\n" + "\n".join(lines) + ")"


def _body(name: str, clock: Clock, net: bool) -> str:
    """The function of that name: what the clock asks for, else WASI's own; before it, connections."""
    given = " ".join(f"(local.get {n})" for n in range(len(_TYPES[name].split())))
    plain = f"(func ${name} (param {_TYPES[name]}) (result i32)\n  (call $wasi_{name} {given}))"
    if name == "path_open":
        return _OPEN
    body = plain
    if clock != "real" and name in _OF_CLOCK:
        absolute = f"(return (i32.const {_ENOTSUP}))" if clock == "none" else ""
        bodies = {
            **_CLOCKS[clock], "poll_oneoff": _POLL.format(absolute=absolute), "fd_filestat_get": _FILES,
            "path_filestat_get": _PATHS,
        }  # fmt: skip
        body = bodies[name]
    if net and name in _TO_NET:
        first = f"\n  (if (i32.ge_u (local.get 0) (i32.const {FIRST_FD})) (then {_TO_NET[name]} (return)))\n"
        head, locals_, rest = _split(body)
        body = head + locals_ + first + rest
    return body


def _split(body: str) -> tuple[str, str, str]:
    """(up to the result, declarations of locals, the rest) of a function."""
    at = body.index("(result i32)") + len("(result i32)")
    end = at
    while body[end:].lstrip().startswith("(local "):
        end = body.index(")", end) + 1
    return body[:at], body[at:end], body[end:]
