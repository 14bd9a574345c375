"""`forgewright sandbox …`: run a command in a sandbox, keep one, look at them, clean up."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forgewright.cli import sandbox_images
from forgewright.cli.output import print_json, say
from forgewright.core.errors import UsageError

if TYPE_CHECKING:
    from forgewright.sandbox.session import AgentSandbox
    from forgewright.sandbox.types import Exit, Network, SandboxSpec

_UNITS = {"": 1 << 20, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def register(subparsers: Any) -> None:
    """Adds `sandbox` and its commands."""
    sandbox = subparsers.add_parser("sandbox", help="run a command in a sandbox")
    commands = sandbox.add_subparsers(dest="sandbox_command", required=True, metavar="COMMAND")

    one_off = commands.add_parser("run", help="run one command in a sandbox of its own")
    _spec_arguments(one_off)
    _command_arguments(one_off)

    create = commands.add_parser(
        "create", help="make a sandbox that stays until it is stopped, or idle for an hour"
    )
    _spec_arguments(create)
    create.add_argument(
        "--from", dest="snapshot", metavar="SNAPSHOT", help="go on from one; the rest is as it was there"
    )

    execute = commands.add_parser("exec", help="run a command in a sandbox that was made")
    execute.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    execute.add_argument("--workdir", help="folder to start in")
    execute.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    execute.add_argument("--detach", "-d", action="store_true", help="do not wait: see it in `logs`")
    execute.add_argument("--terminal", "-t", action="store_true", help="with a terminal")
    _command_arguments(execute)

    shell = commands.add_parser("shell", help="a shell in a sandbox that was made, in this terminal")
    shell.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    shell.add_argument("--workdir", help="folder to start in")
    shell.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    shell.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND …", help="instead of a shell")

    copy = commands.add_parser(
        "cp", help="copy a file or a folder in or out: ID:PATH is one inside",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  forgewright sandbox cp ./project fw12:/tmp/project\n"
        "  forgewright sandbox cp --resume fw12:/tmp/results ./results    # ./results is there already\n",
    )  # fmt: skip
    copy.add_argument("source", metavar="FROM")
    copy.add_argument("target", metavar="TO")
    copy.add_argument(
        "--resume", action="store_true", help="of a folder: only what TO has not, compared by content"
    )
    copy.add_argument("--max", metavar="SIZE", help="refuse what is larger (out: 4g, or twice the disk)")

    for name, text in (
        ("snapshot", "keep its state, to make others from: prints a name for create --from"),
        ("fork", "another sandbox that goes on from where this one is"),
        ("pause", "let nothing of it run"),
        ("resume", "let it go on"),
    ):
        commands.add_parser(name, help=text).add_argument("id", metavar="ID")
    commands.add_parser("snapshots", help="the snapshots that were kept").add_argument(
        "--remove", metavar="SNAPSHOT"
    )
    port = commands.add_parser("port", help="reach a server inside from here: prints the address")
    port.add_argument("id", metavar="ID")
    port.add_argument("port", metavar="[PORT:]INSIDE")
    logs = commands.add_parser(
        "logs", help="what the last commands wrote", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  number=$(forgewright sandbox exec -d fw12 -- make test)\n"
        "  forgewright sandbox logs fw12 --follow --number $number\n"
        "  forgewright sandbox logs fw12 --since 10m --tail 50\n",
    )  # fmt: skip
    logs.add_argument("id", metavar="ID")
    logs.add_argument("--number", type=int, default=0, help="of one command only (exec -d prints it)")
    logs.add_argument(
        "--follow",
        "-f",
        action="store_true",
        help="go on with what is written, until the command, or all that run, ended",
    )
    logs.add_argument("--tail", "-n", type=int, metavar="LINES", help="begin with the last lines only")
    logs.add_argument("--since", metavar="WHEN", help="nothing older: 90s, 10m, 2h, 1d, or 2026-11-21T14:05")

    commands.add_parser("list", help="the sandboxes that were made and stay")
    stop = commands.add_parser("stop", help="end a sandbox and remove all of it")
    stop.add_argument("id", metavar="ID")
    commands.add_parser("clean", help="remove what a killed process left behind, and the oldest of the cache")
    commands.add_parser("doctor", help="which tiers this machine has, and what adds the others")

    sandbox_images.register(commands)
    module = commands.add_parser("module", help="WebAssembly modules with a name")
    module.add_argument("action", choices=["add"])
    module.add_argument("name", metavar="NAME")
    module.add_argument("file", metavar="FILE.wasm")
    for command in commands.choices.values():
        command.set_defaults(handler=run)


def _spec_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tier", default="container", choices=["wasm", "container", "gvisor", "microvm"])
    parser.add_argument("--driver", help="a driver by name; never one weaker than the tier")
    parser.add_argument(
        "--image",
        help="host (default), dir:, tar:, oci:, docker:, debian:, sha256:; for wasm a module's name or path",
    )
    parser.add_argument(
        "--lang", metavar="LANGUAGE", help="python, node, go or ruby: this machine's own, else Debian's"
    )
    parser.add_argument("--mem", default="1g", metavar="SIZE", help="memory: 512 (MiB), 512m, 2g")
    parser.add_argument("--disk", default="1g", metavar="SIZE", help="what can be written in all")
    parser.add_argument("--cpus", type=float, default=1.0)
    parser.add_argument("--pids", type=int, default=256, help="processes and threads at once")
    parser.add_argument(
        "--mount",
        action="append",
        default=[],
        metavar="FROM:TO[:ro|rw|cow]",
        help="a host folder inside (ro)",
    )
    parser.add_argument("--python", metavar="VENV", help="a virtual environment, at its own path")
    parser.add_argument("--allow", action="append", default=[], metavar="HOST:PORT", help="may be reached")
    parser.add_argument(
        "--forward", action="append", default=[], metavar="[PORT=]HOST:PORT",
        help="a port inside that leads there, for protocols that know no proxy",
    )  # fmt: skip
    parser.add_argument(
        "--credential", action="append", default=[], metavar="HOST:PORT=VARIABLE",
        help="the proxy adds this variable's secret to requests to the host; inside nobody sees it",
    )  # fmt: skip
    parser.add_argument(
        "--publish",
        action="append",
        default=[],
        metavar="[PORT:]INSIDE",
        help="a server's port inside, reached from here",
    )
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--workdir", default="/", help="folder to start in")
    parser.add_argument(
        "--clock", default="", choices=["none", "zero", "real"],
        help="of a WebAssembly module: none, one that begins at zero (default), or this machine's",
    )  # fmt: skip


def _command_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("--stdin", action="store_true", help="pass standard input on")
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND …")


def run(args: argparse.Namespace) -> int:
    """The command's own exit code for `run` and `exec`; else 0 if all is well."""
    if args.sandbox_command == "image":
        return sandbox_images.run(args)
    import asyncio

    from forgewright.cli import sandbox_kept

    kept = sandbox_kept
    handlers: dict[str, Callable[[argparse.Namespace], Any]] = {
        "run": _run, "create": kept.create, "exec": kept.execute, "shell": kept.shell, "cp": kept.copy,
        "snapshot": kept.snapshot, "snapshots": kept.snapshots, "fork": kept.fork, "pause": kept.pause,
        "resume": kept.pause, "port": kept.port, "logs": kept.logs, "list": kept.listing, "stop": kept.stop,
        "clean": _clean, "doctor": _doctor, "module": _module,
    }  # fmt: skip
    code: int = asyncio.run(handlers[args.sandbox_command](args))
    return code


def size(text: str) -> int:
    """Bytes of `512` (MiB), `512m`, `2g`, `64k`."""
    match = re.fullmatch(r"(\d+)([kmg]?)(?:i?b)?", text.lower())
    if not match:
        raise UsageError(f"size {text!r}: expected a number and k, m or g", hint="for example 512m")
    return int(match[1]) * _UNITS[match[2]]


def spec(args: argparse.Namespace) -> SandboxSpec:
    import os

    from forgewright.sandbox import Limits, Mount, SandboxSpec, Tier, python_mounts

    mounts = list(python_mounts(args.python)) if args.python else []
    for text in args.mount:
        source, _, rest = text.partition(":")
        target, _, mode = rest.partition(":")
        if not source or mode not in ("", "ro", "rw", "cow"):
            raise UsageError(f"mount {text!r}: expected FROM:TO, FROM:TO:ro, :rw or :cow")
        source = os.path.abspath(source)
        mounts.append(Mount(source, target or source, mode or "ro"))
    variables: dict[str, str] = {}
    image = args.image or "host"
    if args.lang:
        from forgewright.sandbox.images.presets import preset

        if args.image:
            raise UsageError("--image and --lang both choose an image", hint="give one of them")
        chosen = preset(args.lang, Tier(args.tier))
        image, variables = chosen.image, dict(chosen.environment)
        mounts += chosen.mounts
    if args.tier != "wasm":
        sandbox_images.make_ready(image)
    return SandboxSpec(
        tier=Tier(args.tier),
        image=image,
        limits=Limits(
            memory_bytes=size(args.mem), disk_bytes=size(args.disk), cpus=args.cpus, processes=args.pids
        ),
        mounts=tuple(mounts),
        network=_network(args),
        environment={**variables, **environment(args.env)},
        workdir=args.workdir,
        clock=args.clock,
    )


def _network(args: argparse.Namespace) -> Network:
    from forgewright.sandbox.types import Credential, Network

    credentials = []
    for text in args.credential:
        to, equals, variable = text.partition("=")
        if not equals or not variable.isidentifier():
            raise UsageError(
                f"credential {text!r}: expected HOST:PORT=VARIABLE",
                hint="the variable's name, not the secret itself",
            )
        credentials.append(Credential(to, variable))
    allowed = [*args.allow, *(c.to for c in credentials if c.to not in args.allow)]
    return Network(tuple(allowed), tuple(credentials), tuple(args.forward))


def published(texts: list[str]) -> list[tuple[int, int]]:
    """(port here, port inside) of each `[PORT:]INSIDE`; 0 is any that is free."""
    found = []
    for text in texts:
        match = re.fullmatch(r"(?:(\d{1,5}):)?(\d{1,5})", text)
        if not match or not 0 < int(match[2]) < 65536 or int(match[1] or 0) > 65535:
            raise UsageError(f"publish {text!r}: expected INSIDE or PORT:INSIDE", hint="for example 8080")
        found.append((int(match[1] or 0), int(match[2])))
    return found


def environment(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair or pair.startswith("=")]
    if wrong:
        raise UsageError(f"environment {wrong[0]!r}: expected NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def command(args: argparse.Namespace, **more: Any) -> Any:
    from forgewright.sandbox import Command

    argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not argv:
        raise UsageError("no command", hint=f"forgewright sandbox {args.sandbox_command} … -- COMMAND")
    stdin = sys.stdin.buffer.read() if args.stdin else b""
    return Command(argv=tuple(argv), stdin=stdin, timeout_seconds=args.timeout, **more)


def _show(as_json: bool) -> Callable[[str, bytes], None] | None:
    from forgewright.cli.terminal import shown

    out = {"stdout": shown("stdout"), "stderr": shown("stderr")}
    return None if as_json else lambda stream, data: out[stream](data)


def ended(ended: Exit, as_json: bool) -> int:
    if as_json:
        texts = {
            "stdout": ended.stdout.decode("utf-8", "replace"),
            "stderr": ended.stderr.decode("utf-8", "replace"),
        }
        print_json(
            {
                "code": ended.code, "reason": ended.reason, "seconds": round(ended.seconds, 4),
                "memory_peak_bytes": ended.memory_peak_bytes, **texts,
            }
        )  # fmt: skip
    elif ended.reason not in ("exit", "signal"):
        sys.stderr.write(f"forgewright: the command was ended: {ended.reason}\n")
    return ended.code


async def _run(args: argparse.Namespace) -> int:
    from forgewright.sandbox import open_sandbox

    wanted = command(args)
    sandbox = await open_sandbox(spec(args), args.driver)
    try:
        for here, inside in published(args.publish):
            at = await agent_sandbox(sandbox).publish(inside, here)
            sys.stderr.write(f"forgewright: port {inside} inside is 127.0.0.1:{at.port}\n")
        return ended(await sandbox.run(wanted, on_output=_show(args.json)), args.json)
    finally:
        await sandbox.close()


def agent_sandbox(sandbox: object) -> AgentSandbox:
    """Raises `UsageError` for WebAssembly, which has no processes to talk to."""
    from forgewright.sandbox.session import AgentSandbox

    if not isinstance(sandbox, AgentSandbox):
        raise UsageError("a WebAssembly sandbox runs modules only", hint="choose another tier")
    return sandbox


async def _clean(args: argparse.Namespace) -> int:
    from forgewright.sandbox import cache, reaper

    removed, unused = reaper.clean(), cache.tidy()
    if args.json:
        print_json({"removed": removed, "cache": [path.name for path in unused]})
        return 0
    say(f"removed {len(removed)} sandboxes" if removed else "nothing was left behind")
    if unused:
        say(f"removed {len(unused)} parts of the cache that had been used longest ago")
    return 0


async def _doctor(args: argparse.Namespace) -> int:
    from forgewright.core.errors import ForgewrightError
    from forgewright.sandbox import DRIVERS, Probe, driver

    for name, (tier, _) in DRIVERS.items():
        try:
            probe = await driver(name).probe()
        except ForgewrightError as error:
            install = (error.hint or "").removeprefix("run: ")
            probe = Probe(driver=name, tier=tier, available=False, detail=error.message, install=install)
        if args.json:
            print_json(probe)
        else:
            say(
                f"{tier:9}  {name:9}  {'ready  ' if probe.available else 'missing'}  {probe.version}  {probe.detail}"
            )
            if probe.install and not probe.available:
                say(f"           → {probe.install}")
    _image_sources(args.json)
    return 0


def _image_sources(as_json: bool) -> None:
    """Where images can come from, and what adds the rest."""
    import shutil

    for kind, program, package in (
        ("oci:", "skopeo", "skopeo"),
        ("debian:", "mmdebstrap", "mmdebstrap"),
        ("microvm", "mksquashfs", "squashfs-tools"),
    ):
        found = shutil.which(program)
        install = "" if found else f"apt-get install {package}"
        if as_json:
            print_json(
                {"images": kind, "available": found is not None, "program": program, "install": install}
            )
        else:
            say(f"images     {kind:9}  {'ready  ' if found else 'missing'}  {found or program}")
            if install:
                say(f"           → {install}")


async def _module(args: argparse.Namespace) -> int:
    import shutil

    from forgewright.sandbox.drivers.wasm import modules

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", args.name):
        raise UsageError(f"module name {args.name!r}: expected small letters, digits, dots and dashes")
    shutil.copyfile(args.file, modules() / f"{args.name}.wasm")
    say(f"added; used as: forgewright sandbox run --tier wasm --image {args.name} -- {args.name} …")
    return 0
