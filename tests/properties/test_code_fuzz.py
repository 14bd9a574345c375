"""Random programs, random bytes as source, random selectors: no crash, no hang, no file changed by a refusal.

`make fuzz` runs each for FORGEWRIGHT_FUZZ_SECONDS (1800); a failure names its seed, to be kept as a test.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.properties.test_code_harm import BYTES, JAVASCRIPT, corpus

from forgewright.code.engine import CodeEngine
from forgewright.code.operations import registry
from forgewright.code.scene import Stage
from forgewright.code.selectors.kinds import KINDS
from forgewright.code.sources import MemoryProject
from forgewright.core.errors import ForgewrightError

SECONDS = float(os.environ.get("FORGEWRIGHT_FUZZ_SECONDS", "1800"))
OPERATION_SECONDS = 20
SHORT_SECONDS = 6.0

EXAMPLES = [example for name in registry.names() for example in registry.load(name).examples]
SUFFIXES = (".py", ".js", ".ts", ".tsx", ".go", ".rs", ".java", ".txt")
PIECES = (
    "def f(", "):", "class ", "lambda", "(", ")", "[", "]", "{", "}", "'''", '"', "\\", "\n", "\t", " ", ",", ";", ":", "=", "*",
    "if", "else", "=>", "`", "${", "//", "/*", "*/", "#", "@",
    "\x00", "\ufeff", "é", "\ud7ff", "0x", "async ", "yield",
    "match x:", "case _:", "f'{", "}'", "$X", "$$$", "import ", "from . import *", "return", "fn ", "func ", "impl ", "<", ">",
    "&&",     "\r\n", "\r",
)  # fmt: skip


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """An operation that takes longer than its bound hangs."""

    def late(*_: object) -> None:
        raise TimeoutError(f"longer than {OPERATION_SECONDS} s of computing: {what[:2000]}")

    previous = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, OPERATION_SECONDS)  # computing, whatever else the machine does
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def loop(seconds: float, work: Callable[[random.Random], None], seed: int) -> int:
    end = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < end:
        seed += 1
        try:
            work(random.Random(seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            print(f"seed {seed}: {error!r}"[:4000], flush=True)
            raise
        rounds += 1
    return rounds


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(0, 6)):
        at = rng.randrange(len(text) + 1)
        choice = rng.random()
        if choice < 0.4:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif choice < 0.7:
            text = text[:at] + text[at + rng.randint(1, 10) :]
        elif choice < 0.85 and text:
            start = rng.randrange(len(text))
            text = text[:at] + text[start : start + rng.randint(1, 40)] + text[at:]
        else:
            text = text[:at] + "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6))) + text[at:]
    return text


def noise(rng: random.Random) -> bytes:
    choice = rng.random()
    if choice < 0.2:
        return rng.randbytes(rng.randint(0, 400))
    if choice < 0.5:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 200))).encode(
            "utf-8", "surrogatepass"
        )
    if choice < 0.7:
        return rng.choice(list(BYTES.values()))
    if choice < 0.8:
        return (
            rng.choice(["(", "[", "{", "if x:\n ", "a.", "-", "not ", "f(", "[*"]) * rng.randint(1, 3000)
        ).encode()
    return mutated(JAVASCRIPT, rng).encode("utf-8", "surrogatepass")


def files_of(rng: random.Random) -> dict[str, bytes]:
    example = rng.choice(EXAMPLES)
    files = {
        path: mutated(text, rng).encode("utf-8", "surrogatepass") for path, text in example.before.items()
    }
    for number in range(rng.randint(0, 3)):
        files[f"n{number}{rng.choice(SUFFIXES)}"] = noise(rng)
    return files


def program(rng: random.Random) -> str:
    text = "\n".join(rng.choice(EXAMPLES).program for _ in range(rng.randint(1, 3)))
    return mutated(text, rng) if rng.random() < 0.8 else text


def random_program(rng: random.Random) -> None:
    """A program on the disk: carried out and undone, or refused without a trace."""
    files = files_of(rng)
    text = program(rng)
    with TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        root = Path(folder)
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        with bounded(f"{text!r} on {files!r}"):
            engine = CodeEngine(root)
            try:
                plan = engine.plan(text)
            except ForgewrightError as error:
                assert str(error).strip(), "an error without a message"
                assert _there(root) == files
                return
            plan.diff()
            plan.text()
            committed = engine.commit(plan)
            if plan.changes:
                engine.commit(engine.plan(committed.undo))
        assert _there(root) == files, f"undo does not give back the bytes: {text!r}"


def _there(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and ".forgewright" not in p.parts
    }


def random_source(rng: random.Random) -> None:
    """Every query and edit on sources that are hardly code."""
    files = {f"a{suffix}": noise(rng) for suffix in rng.sample(SUFFIXES, 3)}
    kind = rng.choice(list(KINDS))
    edits = [
        "(outline)",
        f"(find selector: '{kind}')",
        f"(find selector: '{kind}:has(name)')",
        "(find pattern: '$A($$$B)')",
        "(search text: 'a' limit: 5)",
        f"(replace-node target: '{kind}' code: 'x' every: true)",
        f"(insert-before target: '{kind}' code: 'x' every: true)",
        f"(insert-last target: '{kind}' code: 'x' every: true)",
        f"(delete-node target: '{kind}' every: true)",
        f"(wrap target: '{kind}' template: 'f($BODY)' every: true)",
        f"(unwrap target: '{kind}' every: true)",
        f"(replace-body target: '{kind}' code: 'x' every: true)",
        "(rewrite pattern: '$A + $B' template: '$B - $A')",
        "(add-import module: 'm' name: 'n' in: '*')",
    ]
    for text in rng.sample(edits, 4):
        with bounded(f"{text!r} on {files!r}"):
            attempt(files, text)


def attempt(files: dict[str, bytes], text: str) -> None:
    from forgewright.code.syntax.program import parse

    stage = Stage(MemoryProject(files))
    try:
        for operation in parse(text):
            stage.apply(operation.plan(stage))
    except (ForgewrightError, RecursionError):  # the engine makes a refusal of the second
        return


SELECTOR_PIECES = (
    *KINDS, "#f", "#A.b", "[name=f]", "[index=0]", "[text~='.*']", "[name!=x]", ":has(", ":not(", ":is(", ":inside(", ")", ">",
    " ", "+", "~", ",", ":first", ":last", ":nth(2)", "*", "`$X`", "`f($$$A)`", "::", "*.py::", "identifier", "block",
    "[function=f]", "a.py:1", ":2",
)  # fmt: skip


def random_selector(rng: random.Random) -> None:
    """A selector on real code finds something, nothing, or says what is wrong with it."""
    file = rng.choice(CORPUS)
    data = file.read_bytes()[:20_000] if rng.random() < 0.7 else JAVASCRIPT.encode()
    name = "a.py" if rng.random() < 0.7 else "a.ts"
    text = "".join(rng.choice(SELECTOR_PIECES) for _ in range(rng.randint(1, 8)))
    with bounded(f"{text!r} on {file}"):
        try:
            Stage(MemoryProject({name: data})).select(text)
        except ForgewrightError as error:
            assert str(error).strip()


CORPUS = corpus()

TESTS = [random_program, random_source, random_selector]


@pytest.mark.parametrize("work", TESTS)
def test_for_a_moment(work: Callable[[random.Random], None]) -> None:
    assert loop(SHORT_SECONDS, work, 0) >= 5


@pytest.mark.fuzz
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("work", TESTS)
def test_for_long(
    work: Callable[[random.Random], None], record_property: Callable[[str, object], None]
) -> None:
    seed = random.SystemRandom().randrange(1 << 40)
    rounds = loop(SECONDS, work, seed)
    record_property("rounds", rounds)
    print(f"{work.__name__}: {rounds} rounds from seed {seed}")
