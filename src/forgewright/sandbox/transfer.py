"""Trees into a sandbox and out of it, as streams: what is under way is bounded, however large the tree is."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forgewright.core.errors import SandboxError, UsageError
from forgewright.sandbox import trees
from forgewright.sandbox.status import exit_code, file_error
from forgewright.sandbox.tree_parts import BLOCK_BYTES, Inventory, Skipped, Wanted, missing_pieces

if TYPE_CHECKING:
    from forgewright.sandbox.protocol import BuiltinName, Job
    from forgewright.sandbox.types import SandboxSpec

IDLE_SECONDS = 60.0
"""A transfer in which nothing moves for this long is ended."""

UPLOAD_BYTES_MAX = 64 << 30
"""Of what is carried in, unless another bound is given: the sandbox's own quota is what is felt."""

DOWNLOAD_BYTES_MAX = 4 << 30
"""Of what is carried out, unless another is given or the sandbox's disk is larger than half of it. A file full of holes takes
nothing inside and all its size here."""

WAITING_BYTES_MAX = 4 << 20
"""Received and not yet written; with more, the sandbox is not read."""


_BATCH_BYTES = 1 << 17
_ERROR_BYTES_MAX = 4096


class Progress(msgspec.Struct, frozen=True):
    """How far a transfer has come."""

    bytes: int
    """Carried so far, with what names it."""
    skipped_bytes: int = 0
    """Of files that the other side had already."""


OnProgress = Callable[[Progress], object]


class Transfer:
    """One builtin of the agent under way, with a stream into it or out of it."""

    def __init__(
        self, sandbox: TreeTransfers, name: BuiltinName, arguments: tuple[str, ...], on_progress: OnProgress | None,
        *, as_root: bool = False,
    ) -> None:  # fmt: skip
        self._sandbox = sandbox
        self._name, self._arguments, self._as_root = name, arguments, as_root
        self._on_progress = on_progress
        self._bytes = 0
        self._errors = bytearray()
        self.skipped = Skipped()

    async def send(self, pieces: Iterator[bytes]) -> None:
        """Feeds all of `pieces` to it, each made in another thread when the last has gone. Returns at its end."""
        job = self._begin(lambda data: None)
        await self._until(
            job, {asyncio.ensure_future(self._end(job)), asyncio.ensure_future(self._feed(job, pieces))}
        )
        self._told(0)  # what was skipped behind the last piece

    async def receive(self, take: Callable[[bytes], object], pieces: Iterator[bytes] | None = None) -> None:
        """Has `take` take all that it writes, in another thread; feeds it `pieces` meanwhile."""
        loop = asyncio.get_running_loop()
        taking = _Taking(take, lambda: loop.call_soon_threadsafe(self._sandbox.hold, False))

        def received(data: bytes) -> None:
            self._told(len(data))
            if not taking.over and taking.put(data) > WAITING_BYTES_MAX:
                self._sandbox.hold(True)

        def give_up() -> None:
            taking.end()
            self._sandbox.hold(False)  # the end of the job has to be heard of

        job = self._begin(received)
        taken = asyncio.ensure_future(asyncio.to_thread(taking.run))
        try:
            await self._until(
                job,
                {
                    asyncio.ensure_future(self._end(job)),
                    asyncio.ensure_future(self._feed(job, pieces or iter(()))),
                },
                taken,
                give_up,
            )
        finally:
            give_up()
            await asyncio.wait((taken,))
        await taken
        self._told(0)

    async def _until(
        self,
        job: Job,
        tasks: set[asyncio.Future[None]],
        taken: asyncio.Future[None] | None = None,
        give_up: Callable[[], object] = lambda: None,
    ) -> None:
        """Waits for all of `tasks`. Where one fails, or `taken` does not like what came, the rest and the job end, after
        a call of `give_up`."""
        left = set(tasks)
        try:
            while left:
                done, _ = await asyncio.wait(
                    left | ({taken} if taken else set()), return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
                left -= done
        except BaseException:
            for task in tasks:
                task.cancel()
            give_up()
            await self._sandbox.abandon(job)
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _begin(self, received: Callable[[bytes], object]) -> Job:
        errors = self._errors = bytearray()

        def on_output(stream: str, data: bytes) -> None:
            if stream == "stdout":
                received(data)
            elif len(errors) < _ERROR_BYTES_MAX:
                errors.extend(data)

        job = self._sandbox.begin(self._name, self._arguments, on_output, as_root=self._as_root)
        job.keep = False
        return job

    async def _feed(self, job: Job, pieces: Iterator[bytes]) -> None:
        batches = _batched(pieces)
        while (piece := await asyncio.to_thread(next, batches, None)) is not None:
            job.feed(piece, eof=False)
            await job.fed()
            if job.done.done():
                return  # it says why
            self._told(len(piece))
        job.feed(b"", eof=True)

    async def _end(self, job: Job) -> None:
        seen, since = (-1, -1), time.monotonic()
        while not job.done.done():
            if seen != (self._bytes, self.skipped.bytes):
                seen, since = (self._bytes, self.skipped.bytes), time.monotonic()
            elif time.monotonic() - since > IDLE_SECONDS:
                raise SandboxError(
                    f"{self._name} {self._arguments[0]}: nothing moved for {IDLE_SECONDS:.0f} s"
                )
            await asyncio.wait((job.done,), timeout=IDLE_SECONDS / 10)
        ended = job.done.result()
        if ended.status:
            raise file_error(self._name, self._arguments[0], exit_code(ended.status), bytes(self._errors))

    def _told(self, count: int) -> None:
        self._bytes += count
        if self._on_progress is not None:
            self._on_progress(Progress(self._bytes, self.skipped.bytes))


class _Taking:
    """What was received and is being written, between the loop and a thread."""

    def __init__(self, take: Callable[[bytes], object], drained: Callable[[], object]) -> None:
        self._take, self._drained = take, drained
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self.over = False
        self._changed = threading.Condition()

    def put(self, data: bytes) -> int:
        """How many bytes wait now."""
        with self._changed:
            self._waiting.append(data)
            self._bytes += len(data)
            self._changed.notify()
            return self._bytes

    def end(self) -> None:
        with self._changed:
            self.over = True
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self.over:
                    self._changed.wait()
                if not self._waiting:
                    return
                data = self._waiting.popleft()
                full = self._bytes > WAITING_BYTES_MAX
                self._bytes -= len(data)
                drained = full and self._bytes <= WAITING_BYTES_MAX
            if drained:
                self._drained()
            self._take(data)


def _batched(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth a thread's while."""
    out = bytearray()
    for piece in pieces:
        out += piece
        if len(out) >= _BATCH_BYTES:
            yield bytes(out)
            out.clear()
    if out:
        yield bytes(out)


async def upload(
    sandbox: TreeTransfers, source: Path, target: str, *, bytes_max: int, owner: str = "", as_root: bool = False,
    resume: bool = False, on_progress: OnProgress | None = None,
) -> None:  # fmt: skip
    """What is in the folder `source` into the folder `target` inside; with `resume` only what that has not."""
    arguments = (target, owner) if owner else (target,)
    transfer = Transfer(sandbox, "unpack", arguments, on_progress, as_root=as_root)
    if resume:
        items = (await _inventory(sandbox, target)).items
        pieces = missing_pieces(source, items, transfer.skipped, bytes_max=bytes_max)
    else:
        pieces = trees.pieces(source, bytes_max=bytes_max)
    await transfer.send(pieces)


async def download(
    sandbox: TreeTransfers, source: str, target: Path, *, bytes_max: int, remove: frozenset[bytes] = frozenset(),
    resume: bool = False, on_progress: OnProgress | None = None,
) -> Sequence[bytes]:  # fmt: skip
    """What is in the folder `source` inside into the folder `target`: the paths that are there now."""
    if not resume:
        with trees.Receiver(target, bytes_max) as receiver:
            await Transfer(sandbox, "pack", (source,), on_progress).receive(receiver.feed)
            receiver.close()
            await asyncio.to_thread(receiver.remove, remove)
            return receiver.written
    items = (await _inventory(sandbox, source)).items
    with Wanted(target, items, bytes_max=bytes_max) as wanted:
        transfer = Transfer(sandbox, "parts", (source, str(BLOCK_BYTES)), on_progress)
        transfer.skipped = wanted.skipped
        await transfer.receive(wanted.feed, wanted.requests())
        wanted.close()
    return list(items)


async def upload_file(
    sandbox: TreeTransfers, source: Path, target: str, *, on_progress: OnProgress | None = None
) -> None:
    """One file, with its mode."""
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise UsageError(f"{source} is no regular file")
        transfer = Transfer(sandbox, "write", (target, f"{info.st_mode & 0o777:o}"), on_progress)
        await transfer.send(trees.exactly(fd, 0, info.st_size))
    finally:
        os.close(fd)


async def download_file(
    sandbox: TreeTransfers,
    source: str,
    target: Path,
    *,
    bytes_max: int,
    on_progress: OnProgress | None = None,
) -> None:
    """One file. It is at `target` when it is complete, and not before."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    left = bytes_max
    try:
        with unfinished.open("xb", buffering=0) as file:

            def take(data: bytes) -> None:
                nonlocal left
                left -= len(data)
                if left < 0:
                    raise SandboxError(f"{source} is larger than {bytes_max} bytes", hint="allow more")
                trees.write_all(file.fileno(), data)

            await Transfer(sandbox, "read", (source,), on_progress).receive(take)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


async def _inventory(sandbox: TreeTransfers, folder: str) -> Inventory:
    found = Inventory()
    await Transfer(sandbox, "inventory", (folder, str(BLOCK_BYTES)), None).receive(found.feed)
    found.close()
    return found


class TreeTransfers(ABC):
    """What a sandbox with an agent inside does with folders."""

    spec: SandboxSpec

    @abstractmethod
    def _path(self, path: str) -> str:
        """The same, absolute."""

    @abstractmethod
    def begin(
        self,
        name: BuiltinName,
        argv: tuple[str, ...],
        on_output: Callable[[str, bytes], object],
        *,
        as_root: bool,
    ) -> Job:
        """Starts a file operation of the agent, whose output, however much, goes to `on_output` only."""

    @abstractmethod
    async def abandon(self, job: Job) -> None:
        """Kills what `begin` has started."""

    @abstractmethod
    def hold(self, waiting: bool) -> None:
        """Whoever takes the output cannot take more: the sandbox is read again when this is called with False."""

    async def upload(
        self, source: Path, target: str, *, bytes_max: int = UPLOAD_BYTES_MAX, resume: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:  # fmt: skip
        """Puts what is in the folder `source` into the folder `target` inside; links stay links.

        It goes as a stream, of which little is held at a time. `resume`: only what `target` has not, compared by content.
        """
        path = self._path(target)
        await upload(self, source, path, bytes_max=bytes_max, resume=resume, on_progress=on_progress)

    async def download(
        self, source: str, target: Path, *, bytes_max: int = 0, remove: frozenset[bytes] = frozenset(),
        resume: bool = False, on_progress: OnProgress | None = None,
    ) -> Sequence[str]:  # fmt: skip
        """Puts what is in the folder `source` inside into the folder `target`; the paths that are there now.

        Raises `UnsafePath` for anything that would lead out of `target`; nothing outside it is touched. `resume`: as above.
        """
        path, bytes_max = self._path(source), bytes_max or self._download_bytes_max()
        found = await download(
            self, path, target, bytes_max=bytes_max, remove=remove, resume=resume, on_progress=on_progress
        )
        return [os.fsdecode(name) for name in found]

    async def upload_file(self, source: Path, target: str, *, on_progress: OnProgress | None = None) -> None:
        """Puts the file `source`, however large, at the path `target` inside, with its mode."""
        await upload_file(self, source, self._path(target), on_progress=on_progress)

    async def download_file(
        self,
        source: str,
        target: Path,
        *,
        bytes_max: int = 0,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Puts the file `source` inside at the path `target`; it is there when it is complete."""
        bound = bytes_max or self._download_bytes_max()
        await download_file(self, self._path(source), target, bytes_max=bound, on_progress=on_progress)

    def _download_bytes_max(self) -> int:
        return max(DOWNLOAD_BYTES_MAX, 2 * self.spec.limits.disk_bytes)
