"""A command with a terminal: what is typed, what is shown, its size, its signals, its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator

import pytest

from forgewright.sandbox import Command, Limits, SandboxSpec, Tier, driver
from forgewright.sandbox.process import Process
from forgewright.sandbox.session import AgentSandbox
from forgewright.sandbox.types import Size

pytestmark = pytest.mark.sandbox

TIERS = {"container": "crun", "gvisor": "runsc", "microvm": "qemu-system-x86_64"}


@pytest.fixture(params=TIERS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[AgentSandbox]:
    program = TIERS[request.param]
    if not shutil.which(program):
        message = f"{program} is not installed; run: sh scripts/setup.sh"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    made = await driver(request.param).create(
        SandboxSpec(tier=Tier(request.param), limits=Limits(output_bytes=4096))
    )
    assert isinstance(made, AgentSandbox)
    yield made
    await made.close()


class Screen:
    """What a terminal has shown; waits for words on it."""

    def __init__(self) -> None:
        self.text = b""
        self.bytes = 0
        self._changed = asyncio.Event()

    def show(self, stream: str, data: bytes) -> None:
        self.bytes += len(data)
        self.text = (self.text + data)[-1 << 16 :]
        self._changed.set()

    async def until(self, words: bytes) -> None:
        try:
            async with asyncio.timeout(60):
                while words not in self.text:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{words!r} does not come: {self.text!r}") from None


def begin(sandbox: AgentSandbox, screen: Screen, *argv: str, size: Size = Size(30, 100)) -> Process:  # noqa: B008  # frozen
    command = Command(argv=argv, environment={"PS1": "$ ", "TERM": "dumb"})
    return sandbox.start(command, on_output=screen.show, terminal=size, keep=False)


async def test_a_shell_in_a_terminal(sandbox: AgentSandbox) -> None:
    screen = Screen()
    process = begin(sandbox, screen, "sh", "-i")
    await process.write(b"test -t 0 && test -t 1 && test -t 2 && echo it is $((6 * 7))\n")
    await screen.until(b"it is 42")
    await process.write(b"stty size; id -u; echo err >&2\n")
    await screen.until(b"30 100")
    await screen.until(b"err\r\n")
    process.resize(Size(50, 132))
    await process.write(b"stty size\n")
    await screen.until(b"50 132")
    if sandbox.spec.tier is not Tier.GVISOR:  # whose terminals belong to root, and are had by descriptor only
        await process.write(b"echo $(tty) >/tmp/tty; echo through >$(cat /tmp/tty)\n")
        await screen.until(b"through\r\n")  # what is typed goes on with a blank
    await process.write(b"exit 3\n")
    ended = await process.wait(30)
    assert (ended.code, ended.reason, ended.stdout) == (3, "exit", b"")


async def test_programs_are_told_of_a_new_size(sandbox: AgentSandbox) -> None:
    screen = Screen()
    script = (
        "import os, signal, time\n"
        "def told(*_): os.write(1, b'now %d %d' % os.get_terminal_size())\n"
        "signal.signal(signal.SIGWINCH, told)\nprint('ready', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    )
    process = begin(sandbox, screen, "python3", "-c", script)
    await screen.until(b"ready")
    process.resize(Size(11, 22))
    await screen.until(b"now 22 11")
    process.kill()
    assert (await process.wait(30)).code == 137


async def test_keys_that_are_signals(sandbox: AgentSandbox) -> None:
    screen = Screen()
    process = begin(
        sandbox,
        screen,
        "sh",
        "-c",
        "trap 'echo caught; exit 7' INT; echo started; while :; do sleep 0.1; done",
    )
    await screen.until(b"started")
    await process.write(b"\x03")
    await screen.until(b"caught")
    assert (await process.wait(30)).code == 7
    process = begin(sandbox, screen, "sh", "-c", "echo reading; cat; echo over")
    await screen.until(b"reading\r\n")
    await process.write(b"line\n")
    await screen.until(b"line\r\nline")
    if sandbox.spec.tier is Tier.GVISOR:  # whose line discipline (of 2022) makes no end of it
        process.kill()
        assert (await process.wait(30)).code == 137
        return
    process.close_stdin()  # Ctrl-D
    await screen.until(b"over")
    assert (await process.wait(30)).ok


async def test_much_output_goes_by_and_none_is_kept(sandbox: AgentSandbox) -> None:
    screen = Screen()
    process = begin(sandbox, screen, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo end")
    ended = await process.wait(60)
    assert screen.text.endswith(b"xxend\r\n")
    assert (screen.bytes, ended.stdout_bytes, ended.stdout) == (3_000_005, 3_000_005, b"")


async def test_a_time_out_ends_all_in_the_terminal(sandbox: AgentSandbox) -> None:
    screen = Screen()
    process = begin(sandbox, screen, "sh", "-c", "trap '' HUP INT TERM; sleep 812 & sleep 812")
    ended = await process.wait(0.5)
    assert ended.reason == "timeout"
    assert b"812" not in (await sandbox.run(Command(argv=("ps", "ax")))).stdout


async def test_signals_and_streamed_input_without_a_terminal(sandbox: AgentSandbox) -> None:
    screen = Screen()
    script = (
        "trap 'echo caught; exit 9' USR1; echo ready; while read line; do echo got $line; done; echo over; "
    )
    script += "while :; do :; done"
    process = sandbox.start(Command(argv=("sh", "-c", script)), on_output=screen.show)
    await screen.until(b"ready")
    await process.write(b"one\n")
    await screen.until(b"got one")
    await process.write(b"two\n")
    await screen.until(b"got two")
    process.close_stdin()
    await screen.until(b"over")
    process.signal(signal.SIGUSR1)
    ended = await process.wait(30)
    assert ended.code == 9
    assert ended.stdout == b"ready\ngot one\ngot two\nover\ncaught\n"


async def test_sizes_that_no_terminal_has(sandbox: AgentSandbox) -> None:
    """A terminal's size can be anything; the engine keeps it within what the kernel takes."""
    screen = Screen()
    process = begin(sandbox, screen, "stty", "size", size=Size(-5, 1_000_000))
    assert (await process.wait(30)).ok
    assert screen.text == b"1 10000\r\n"
