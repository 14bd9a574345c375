"""Work on many files, shared between processes: parsing holds the interpreter's lock, so threads would not help.

Worker processes are forked, so they know all that was read before. What is to be done stands in a pipe, from which
each takes when it is ready, this process too. Results come back as plain data (MessagePack) in a file in memory. What
a worker did not bring to its end, because it was killed, had no memory left or raised, is done again here: results,
their order and errors are the same with any number of workers. A worker ends with its parent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from forgewright.code import deadline

Item = TypeVar("Item")
Result = TypeVar("Result")

PROCESSES_MAX = 4
"""Each costs some 40 MiB while it works."""
PAYING_BYTES = 1 << 20
"""Less than this in all is done before a worker would be of use."""
CHUNK_BYTES = 64 << 10
"""Of items that are taken at once."""
CHUNKS_MAX = 1000
"""Their numbers, four bytes each, fit into the pipe of a user who has very many of them: one page."""
RESULT_BYTES_MAX = 64 << 20
"""Of one worker; past it the rest is done without it."""
PATIENCE_SECONDS = 30.0
"""How long a worker may take for its last chunk when nothing else is left to do; then it is done again here."""

_PROCESSES: ContextVar[int | None] = ContextVar("processes", default=1)


@contextmanager
def processes(most: int | None) -> Iterator[None]:
    """From here on `shared` uses up to so many processes, this one among them; None: as many as can help.

    A process with more than one thread is not forked, whatever is said here: the other threads' locks would stay
    locked in the worker.
    """
    token = _PROCESSES.set(most)
    try:
        yield
    finally:
        _PROCESSES.reset(token)


def shared(
    items: Sequence[Item], work: Callable[[Item], Result], kind: Any, sizes: Sequence[int]
) -> list[Result]:
    """`[work(item) for item in items]`, in as many processes as `processes` allows, where that pays.

    `work` changes nothing that anyone but itself sees; its result is of the type `kind`, of values that msgspec encodes.
    `sizes`: how many bytes of source each item stands for. Raises what `work` raises of the first item for which it
    does, and `EditRefused` where the program's time is over, which is that of all processes.
    """
    count = _count(len(items), sum(sizes))
    if count < 2:
        return [work(item) for item in items]
    with processes(1):  # what is shared is not shared again
        return _Sharing(items, work, kind, _chunks(sizes)).results(count - 1)


def _count(items: int, size: int) -> int:
    most = _PROCESSES.get()
    if most == 1 or items < 2 or size < PAYING_BYTES or sys.platform != "linux":
        return 1
    if most is None:
        most = min(PROCESSES_MAX, len(os.sched_getaffinity(0)), 1 + size // PAYING_BYTES)
    try:
        threads = len(os.listdir("/proc/self/task"))
    except OSError:
        return 1
    return min(most, items) if threads == 1 else 1


def _chunks(sizes: Sequence[int]) -> list[range]:
    """Neighbours together, the largest chunks first, so that no process is left alone with much at the end."""
    most = max(CHUNK_BYTES, sum(sizes) // CHUNKS_MAX + 1)
    found: list[tuple[int, range]] = []
    start = size = 0
    for number, one in enumerate(sizes):
        size += one
        if size >= most or number == len(sizes) - 1:
            found.append((size, range(start, number + 1)))
            start, size = number + 1, 0
    found.sort(key=lambda chunk: (-chunk[0], chunk[1].start))
    return [chunk for _, chunk in found]


class _Worker(msgspec.Struct, frozen=True):
    """A forked process as its parent sees it; three open files."""

    pid: int
    life: int
    """A pipe's end that closes with this process, whereupon the kernel ends the worker."""
    end: int
    """A pipe's end that hangs up when the worker is gone."""
    results: int


class _Sharing(Generic[Item, Result]):
    """One call of `shared`."""

    def __init__(
        self,
        items: Sequence[Item],
        work: Callable[[Item], Result],
        kind: Any,
        chunks: Sequence[range],
    ) -> None:
        self._items = items
        self._work = work
        self._decoder: msgspec.msgpack.Decoder[tuple[int, Result]] = msgspec.msgpack.Decoder(tuple[int, kind])
        self._chunks = chunks
        self._queue, self._source = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._workers: list[_Worker] = []
        self._found: dict[int, Result] = {}

    def results(self, workers: int) -> list[Result]:
        try:
            os.write(self._source, b"".join(n.to_bytes(4, "little") for n in range(len(self._chunks))))
            for _ in range(workers):
                try:
                    self._workers.append(self._forked())
                except OSError:  # no process or file is left: the work is done without it
                    break
            self._own_share()
            while self._workers:
                self._collect(self._workers[-1])
                self._workers.pop()
        finally:
            for worker in self._workers:
                _ended(worker)
            os.close(self._queue)
            os.close(self._source)
        found = self._found
        return [found[n] if n in found else self._work(item) for n, item in enumerate(self._items)]

    def _own_share(self) -> None:
        for number in self._taken():
            deadline.check()
            try:
                self._found[number] = self._work(self._items[number])
            except Exception:  # noqa: BLE001 - done again when all before it are known to be sound, where it raises
                deadline.check()

    def _taken(self) -> Iterator[int]:
        """Items that no other process has taken, until there are none."""
        while True:
            try:
                token = os.read(self._queue, 4)
            except BlockingIOError:
                return
            if len(token) < 4:
                return
            yield from self._chunks[int.from_bytes(token, "little")]

    def _forked(self) -> _Worker:
        import signal

        opened: list[int] = []
        try:
            life_read, life = os.pipe2(os.O_CLOEXEC)
            opened += [life_read, life]
            end, end_write = os.pipe2(os.O_CLOEXEC)
            opened += [end, end_write]
            results = os.memfd_create("results")
            opened.append(results)
            parent, left = os.getpid(), deadline.left()
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                pid = os.fork()
                if not pid:
                    closed = [life, end, self._source, *(worker.life for worker in self._workers)]
                    self._serve(parent, life_read, results, closed, left)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        except OSError:
            for file in opened:
                os.close(file)
            raise
        os.close(life_read)
        os.close(end_write)
        return _Worker(pid, life, end, results)

    def _serve(self, parent: int, life: int, results: int, closed: Sequence[int], left: float) -> NoReturn:
        """The worker: it never leaves this function, and nothing of its parent is flushed or closed in order."""
        try:
            for file in closed:
                os.close(file)
            _orphaned(life, parent)
            with deadline.limited(left):
                self._serve_all(results)
        finally:
            os._exit(0)

    def _serve_all(self, results: int) -> None:
        import gc

        gc.freeze()  # what is shared with the parent stays so
        encoder = msgspec.msgpack.Encoder()
        size = 0
        for number in self._taken():
            deadline.check()
            try:
                record = encoder.encode((number, self._work(self._items[number])))
            except Exception:  # noqa: BLE001, S112 - done again by the parent, where it raises
                continue
            size += 4 + len(record)
            if size > RESULT_BYTES_MAX:
                return
            os.write(results, len(record).to_bytes(4, "little") + record)

    def _collect(self, worker: _Worker) -> None:
        """Waits for a worker's end and takes what it has written, which may be a part only."""
        import select

        hung_up = select.poll()
        hung_up.register(worker.end, 0)
        hung_up.poll(PATIENCE_SECONDS * 1000)
        data = memoryview(_ended(worker))
        at = 0
        while at + 4 <= len(data):
            length = int.from_bytes(data[at : at + 4], "little")
            if at + 4 + length > len(data):
                break
            number, result = self._decoder.decode(data[at + 4 : at + 4 + length])
            self._found[number] = result
            at += 4 + length
        deadline.check()


def _orphaned(life: int, parent: int) -> None:
    """From here on the end of the parent is this worker's too, whatever it is at; and signals are not the parent's."""
    import fcntl
    import signal

    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if os.getppid() != parent:
        os._exit(1)


def _ended(worker: _Worker) -> bytes:
    """Ends a worker if it has not ended, closes its files, charges its time; what it has written."""
    import signal

    try:
        pid, _, usage = os.wait4(worker.pid, os.WNOHANG)
        if not pid:
            os.kill(worker.pid, signal.SIGKILL)
            usage = os.wait4(worker.pid, 0)[2]
        deadline.charge(usage.ru_utime + usage.ru_stime)
    except ChildProcessError:  # something else in this process waits for all children
        pass
    os.close(worker.life)
    os.close(worker.end)
    with open(worker.results, "rb") as file:
        file.seek(0)
        return file.read()
