"""`forgewright sandbox create|exec|shell|cp|logs|port|list|stop`: sandboxes that outlive the command that made them."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Literal

from forgewright.cli.output import one_line, print_json, say, table
from forgewright.cli.terminal import Neutral, raw_mode, shown, size_of
from forgewright.core.errors import UsageError

if TYPE_CHECKING:
    from forgewright.sandbox.keeping import About, Answer, Session, Status
    from forgewright.sandbox.types import Command

_SHELL = "command -v bash >/dev/null 2>&1 && exec bash -i; exec sh -i"
_CHUNK = 1 << 16


async def create(args: argparse.Namespace) -> int:
    from forgewright.cli.sandbox import published, spec
    from forgewright.sandbox import keeping

    if args.snapshot:
        from forgewright.sandbox import saved

        found = saved.find(args.snapshot)
        name = keeping.start(found.spec, None, published(args.publish), found.id)
    else:
        name = keeping.start(spec(args), args.driver, published(args.publish))
    print_json({"id": name}) if args.json else say(name)
    return 0


async def execute(args: argparse.Namespace) -> int:
    from forgewright.cli.sandbox import command, ended, environment
    from forgewright.sandbox import keeping

    wanted = command(args, environment=environment(args.env), workdir=args.workdir)
    about = keeping.find(args.id)
    if args.detach:
        answer = await keeping.ask(about, keeping.Ask("exec", wanted, detach=True))
        print_json({"number": answer.number}) if args.json else say(str(answer.number))
        return 0
    if args.terminal:
        return await _terminal(about, wanted)
    out = {"stdout": shown("stdout"), "stderr": shown("stderr")}
    show = None if args.json else lambda stream, data: out[stream](data)
    answer = await keeping.ask(about, keeping.Ask("exec", wanted), show)
    assert answer.ended is not None
    return ended(answer.ended, args.json)


async def shell(args: argparse.Namespace) -> int:
    from forgewright.cli.sandbox import environment
    from forgewright.sandbox import keeping
    from forgewright.sandbox.process import DAY_SECONDS
    from forgewright.sandbox.types import Command

    argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    variables = {"TERM": os.environ.get("TERM") or "dumb", **environment(args.env)}
    wanted = Command(
        tuple(argv) or ("sh", "-c", _SHELL),
        environment=variables,
        workdir=args.workdir,
        timeout_seconds=DAY_SECONDS,
    )
    return await _terminal(keeping.find(args.id), wanted)


async def _terminal(about: About, command: Command) -> int:
    """A session with a terminal at this end and one inside: keys, size and output go through."""
    from forgewright.sandbox import keeping

    inward, outward = sys.stdin.fileno(), sys.stdout.fileno()
    if not (os.isatty(inward) and os.isatty(outward)):
        raise UsageError(
            "a shell needs a terminal on both sides", hint="forgewright sandbox exec ID -- COMMAND"
        )
    neutral = Neutral(screen=True)
    request = keeping.Ask("exec", command, terminal=size_of(outward), streaming=True)
    loop = asyncio.get_running_loop()
    async with keeping.Session(about, request) as session:
        with raw_mode(inward):
            loop.add_signal_handler(
                signal.SIGWINCH, lambda: session.send_soon(keeping.More(size=size_of(outward)))
            )
            typed = asyncio.ensure_future(_type(inward, session))
            try:
                answer = await session.answer(lambda stream, data: _write(outward, neutral.feed(data)))
            finally:
                loop.remove_signal_handler(signal.SIGWINCH)
                loop.remove_reader(inward)
                typed.cancel()
    assert answer.ended is not None
    return answer.ended.code


async def _type(fd: int, session: Session) -> None:
    from forgewright.sandbox.keeping import More

    loop = asyncio.get_running_loop()
    while True:
        data = await _key(loop, fd)
        await session.send(More(data=data, end=not data))
        if not data:
            return


async def _key(loop: asyncio.AbstractEventLoop, fd: int) -> bytes:
    """What was typed. It is read where it is known to be there: a read that waits would stop everything else."""
    typed: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        loop.remove_reader(fd)
        if not typed.done():
            typed.set_result(os.read(fd, _CHUNK))

    loop.add_reader(fd, read)
    return await typed


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


async def copy(args: argparse.Namespace) -> int:
    from pathlib import Path

    import msgspec

    from forgewright.cli.sandbox import size
    from forgewright.core.errors import NotFound
    from forgewright.sandbox import keeping

    inward, outward = _inside(args.target), _inside(args.source)
    if (inward is None) == (outward is None):
        raise UsageError("one of FROM and TO is ID:PATH, the other a file or folder here")
    bound = size(args.max) if args.max else 0
    if inward is not None:
        source, about = Path(args.source).absolute(), keeping.find(inward[0])
        folder = source.is_dir()
        if not source.exists():
            raise NotFound(f"{source} does not exist")
        asked = keeping.Ask("upload" if folder else "upload-file", path=inward[1], host=str(source))
    else:
        assert outward is not None
        target, about = Path(args.target).absolute(), keeping.find(outward[0])
        folder = target.is_dir()
        asked = keeping.Ask("download" if folder else "download-file", path=outward[1], host=str(target))
    if args.resume and not folder:
        raise UsageError("--resume is for folders", hint="name the folder that holds the file")
    shown = CopyProgress()
    try:
        await keeping.ask(
            about, msgspec.structs.replace(asked, resume=args.resume, bytes_max=bound), on_more=shown.show
        )
    finally:
        shown.end()
    return 0


class CopyProgress:
    """How far a copy has come, on a terminal."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, answer: Answer) -> None:
        if answer.progress is not None and sys.stderr.isatty():
            self._shown = True
            told = f"{answer.progress.bytes >> 20} MiB carried"
            if answer.progress.skipped_bytes:
                told += f", {answer.progress.skipped_bytes >> 20} MiB were there"
            sys.stderr.write(f"\r\x1b[K{told}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")


def _inside(text: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"((?:fw)?[0-9a-f]{2,}):(.+)", text)
    return (match[1], match[2]) if match else None


async def port(args: argparse.Namespace) -> int:
    from forgewright.cli.sandbox import published
    from forgewright.sandbox import keeping

    [(here, inside)] = published([args.port])
    answer = await keeping.ask(keeping.find(args.id), keeping.Ask("publish", port=inside, here=here))
    print_json({"inside": inside, "port": answer.port}) if args.json else say(f"127.0.0.1:{answer.port}")
    return 0


async def logs(args: argparse.Namespace) -> int:
    """What was written; with `--follow` until the command that is followed, or all of them, have ended."""
    from forgewright.cli.sandbox_logs import LogView
    from forgewright.sandbox import keeping

    view = LogView(args)
    request = keeping.Ask("logs", follow=args.follow, number=args.number)
    async with keeping.Session(keeping.find(args.id), request) as session:
        try:
            await session.answer(on_more=view.show)
        except keeping.Gone as error:
            if not args.follow:
                raise
            sys.stderr.write(f"forgewright: {error.message}\n")
    return 0


async def listing(args: argparse.Namespace) -> int:
    from forgewright.sandbox import keeping

    rows = []
    for about in keeping.kept():
        status = await _status(about)
        if args.json:
            limits = about.spec.limits
            print_json(
                {
                    "id": about.id, "driver": about.driver, "tier": about.tier, "pid": about.pid, "image": about.spec.image,
                    "memory_bytes": limits.memory_bytes, "cpus": limits.cpus,
                    "seconds": round(status.seconds, 1) if status else None,
                    "running": status.running if status else None, "commands": status.commands if status else None,
                    "metrics": status.metrics if status else None,
                    "ports": {str(inside): here for inside, here in status.ports.items()} if status else {},
                }
            )  # fmt: skip
        else:
            rows.append(_row(about, status))
    if rows:
        say(
            table(
                rows,
                header=("ID", "TIER", "IMAGE", "MEMORY", "CPUS", "AGE", "USED", "CPU", "RUNNING", "PORTS"),
            )
        )
    return 0


async def _status(about: About) -> Status | None:
    from forgewright.core.errors import SandboxError
    from forgewright.sandbox import keeping

    try:
        return (await keeping.ask(about, keeping.Ask("status"))).status
    except SandboxError:
        return None  # it ends just now


def _row(about: About, status: Status | None) -> tuple[str, ...]:
    limits = about.spec.limits
    ports = " ".join(f"{here}→{inside}" for inside, here in status.ports.items()) if status else ""
    metrics = status.metrics if status else None
    used = (f"{metrics.memory_bytes >> 20} MiB", f"{metrics.cpu_seconds:.1f} s") if metrics else ("-", "-")
    return (
        about.id, about.tier, one_line(about.spec.image, 40), f"{limits.memory_bytes >> 20} MiB", f"{limits.cpus:g}",
        f"{status.seconds:.0f} s" if status else "-", *used, str(status.running) if status else "-", ports,
    )  # fmt: skip


async def pause(args: argparse.Namespace) -> int:
    """Also `resume`."""
    from forgewright.sandbox import keeping

    do: Literal["pause", "resume"] = "pause" if args.sandbox_command == "pause" else "resume"
    await keeping.ask(keeping.find(args.id), keeping.Ask(do))
    return 0


async def snapshot(args: argparse.Namespace) -> int:
    from forgewright.sandbox import keeping

    answer = await keeping.ask(keeping.find(args.id), keeping.Ask("snapshot"))
    print_json({"snapshot": answer.snapshot}) if args.json else say(answer.snapshot)
    return 0


async def fork(args: argparse.Namespace) -> int:
    """Another sandbox that goes on from where this one is; this one goes on too."""
    from forgewright.sandbox import keeping, saved

    about = keeping.find(args.id)
    kept = (await keeping.ask(about, keeping.Ask("snapshot"))).snapshot
    try:
        name = keeping.start(about.spec, None, (), kept)
    finally:
        saved.remove(kept)
    print_json({"id": name}) if args.json else say(name)
    return 0


async def snapshots(args: argparse.Namespace) -> int:
    from forgewright.sandbox import saved

    if args.remove:
        saved.remove(saved.find(args.remove).id)
        return 0
    found = saved.existing()
    for one in found if args.json else ():
        print_json(
            {
                "id": one.id,
                "driver": one.driver,
                "image": one.spec.image,
                "created": one.created,
                "bytes": one.bytes,
            }
        )
    if found and not args.json:
        rows = [(one.id, one.driver, one_line(one.spec.image, 40), f"{one.bytes >> 20} MiB") for one in found]
        say(table(rows, header=("SNAPSHOT", "DRIVER", "IMAGE", "SIZE")))
    return 0


async def stop(args: argparse.Namespace) -> int:
    from forgewright.sandbox import keeping

    await keeping.ask(keeping.find(args.id), keeping.Ask("stop"))
    return 0
