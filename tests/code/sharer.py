"""A process of its own, with one thread, that shares work: what the test asks for is printed as JSON.

python -m tests.code.sharer MODE [PROCESSES]
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
import warnings

import msgspec

from forgewright.code import sharing
from forgewright.code.deadline import limited
from forgewright.core.errors import EditRefused

ITEMS = list(range(64))
SIZES = [sharing.CHUNK_BYTES] * len(ITEMS)
PARENT = os.getpid()


class Done(msgspec.Struct, frozen=True):
    """What was made of an item, and where."""

    item: int
    pid: int
    text: bytes = b"\xff\x00"


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def plain(item: int) -> Done:
    busy(0.003)
    return Done(item, os.getpid())


def killed(item: int) -> Done:
    if os.getpid() != PARENT and item % 5 == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(item)


def hungry(item: int) -> Done:
    if os.getpid() != PARENT:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
        return Done(item, len(bytearray(1 << 30)))
    return plain(item)


def wordy(item: int) -> Done:
    return Done(item, os.getpid(), b"x" * 100_000)


def stopped(item: int) -> Done:
    if os.getpid() != PARENT:
        os.kill(os.getpid(), signal.SIGSTOP)
    return plain(item)


def failing(item: int) -> Done:
    if item in (7, 50):
        raise EditRefused(f"item {item}")
    return plain(item)


def endless(item: int) -> Done:
    busy(0.2)
    return Done(item, os.getpid())


def long(item: int) -> Done:
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(60)
    return Done(item, os.getpid())


def nested(item: int) -> Done:
    inner = sharing.shared([1, 2, 3], lambda one: os.getpid(), int, [sharing.PAYING_BYTES] * 3)
    assert inner == [os.getpid()] * 3
    return plain(item)


WORKS = {
    work.__name__: work for work in (plain, killed, hungry, wordy, stopped, failing, endless, long, nested)
}


def children() -> list[str]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()


def main() -> None:
    mode, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    warnings.simplefilter("error")
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # whoever runs the tests in the background ignores it
    work = WORKS.get(mode, plain)
    items, sizes = ITEMS, SIZES
    if mode == "stopped":
        sharing.PATIENCE_SECONDS = 0.2
    if mode == "wordy":
        sharing.RESULT_BYTES_MAX = 1_000_000
    if mode == "empty":
        items, sizes = [], []
    if mode == "one":
        items, sizes = [0], [10 * sharing.PAYING_BYTES]
    if mode == "small":
        sizes = [100] * len(items)
    if mode == "threads":
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    if mode == "reaped":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if mode == "few files":
        resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    said: dict[str, object] = {}
    before = len(os.listdir("/proc/self/fd"))
    try:
        with limited(1.0 if mode == "endless" else 60.0), sharing.processes(count):
            found = sharing.shared(items, work, Done, sizes)
        said["items"] = [one.item for one in found]
        said["sound"] = all(one.text in (b"\xff\x00", b"x" * 100_000) for one in found)
        said["processes"] = len({one.pid for one in found})
        said["own"] = sum(one.pid == PARENT for one in found)
    except EditRefused as error:
        said["refused"] = error.message
    except KeyboardInterrupt:
        said["interrupted"] = True
    said["children"] = children()
    said["files left open"] = len(os.listdir("/proc/self/fd")) - before
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
