"""The code engine beside rope, LibCST, ast-grep, ty and basedpyright, in one run over Django 5.2.19.

    python bench/code/run.py [task …]        tasks: rename, warm, rewrite, members, index

Django's sdist and the peers are fetched with pip into bench/code/.cache, once. Each is measured as a whole
process from the command line, cold (user and system time of it and its children, the largest resident set of
one), the best of three; rope, LibCST and basedpyright once, since they take long.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

Result = TypeVar("Result")

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
DJANGO = "5.2.19"
PEERS = "rope==1.15.0 libcst==1.9.0 ast-grep-cli ty basedpyright"
PLACES, FILES = 50, 20
RENAME = "(rename symbol: 'django/utils/encoding.py::function#force_str' new: 'force_text')"
REWRITES = [
    ("force_str($X)", "force_text($X)"),
    ("$A.get($B, None)", "$A.get($B)"),
    ("self.assertEqual($A, $B)", "self.assertEquals($A, $B)"),
    ("super().__init__($$$ARGS)", "super().__init__($$$ARGS, x=1)"),
    ("no_such_name($X)", "another($X)"),
]
"""Few matches, a common word, 17,645 matches, any number of arguments, none."""
SAVE = "django/db/models/base.py::class#Model > method#save"
FILTER = "django/db/models/query.py::class#QuerySet > method#filter"
MEMBERS = [
    f"(rename symbol: '{SAVE}' new: 'save_now')",
    f"(rename symbol: '{FILTER}' new: 'narrowed')",
    f"(add-parameter symbol: '{SAVE}' name: 'extra' default: 'None' hierarchy: false)",
]
"""Names that stand in hundreds of files, most of which mean another one."""

ROPE = """
import sys
from rope.base.project import Project
from rope.refactor.rename import Rename
project = Project(sys.argv[1], ropefolder=None, ignore_syntax_errors=True)
file = project.get_resource("django/utils/encoding.py")
offset = file.read().index("def force_str") + 4
changes = Rename(project, file, offset).get_changes("force_text", docs=False)
print(len(changes.changes), "files")
"""

LIBCST = """
import sys
import libcst
from libcst.codemod import CodemodContext
from libcst.codemod.commands.rename import RenameCommand
done = 0
for path in sys.argv[2:]:
    text = open(f"{sys.argv[1]}/{path}").read()
    command = RenameCommand(
        CodemodContext(filename=path), "django.utils.encoding.force_str", "django.utils.encoding.force_text"
    )
    done += command.transform_module(libcst.parse_module(text)).code != text
print(done, "files")
"""


def django() -> Path:
    """A fresh copy of Django's sources."""
    archive = CACHE / f"django-{DJANGO}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ":all:",
            f"Django=={DJANGO}",
        ]
        subprocess.run([*command, "-d", str(CACHE)], check=True)
    root = CACHE / f"django-{DJANGO}"
    shutil.rmtree(root, ignore_errors=True)
    with tarfile.open(archive) as opened:
        opened.extractall(CACHE, filter="data")
    return root


def peers() -> Path:
    """A virtual environment with the peers in it."""
    env = CACHE / "peers"
    if not (env / "bin" / "ast-grep").exists():
        subprocess.run([sys.executable, "-m", "venv", str(env)], check=True)
        subprocess.run([str(env / "bin" / "pip"), "install", "-q", *PEERS.split()], check=True)
    return env / "bin"


_peaks: list[int] = []
"""Largest resident sets in KiB, of the processes of the measurement under way."""


def measured(work: Callable[[], str], times: int) -> tuple[float, float, int, str]:
    """CPU seconds, wall seconds and peak KiB of the child processes that `work` runs; what it says."""
    _peaks.clear()
    best = (float("inf"), 0.0, 0, "")
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        said = work()
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, (cpu, wall, max(_peaks, default=0), said))
    return best


def report(name: str, work: Callable[[], str], times: int = 3) -> tuple[float, float]:
    """Prints a line; CPU and wall seconds."""
    cpu, wall, peak, said = measured(work, times)
    print(f"{name:44} {cpu:7.2f} {wall:7.2f} {peak >> 10 or '':>5}  {said}", flush=True)
    return cpu, wall


def output(command: list[str], cwd: Path | None = None) -> str:
    return _run(command, cwd, lambda said: said.read().decode())


def lines(command: list[str], cwd: Path) -> int:
    """How many lines a command prints; read piece by piece, since a child's peak is at least its parent's size."""
    return _run(
        command, cwd, lambda said: sum(piece.count(b"\n") for piece in iter(lambda: said.read(65536), b""))
    )


def _run(command: list[str], cwd: Path | None, read: Callable[[IO[bytes]], Result]) -> Result:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=cwd, stdout=said, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _peaks.append(usage.ru_maxrss)
        said.seek(0)
        found = read(said)
    if process.returncode not in (0, 1) and "matches nothing" not in str(found):
        raise SystemExit(f"{command[0]} failed: {str(found)[-2000:]}")
    return found


def forgewright(root: Path, program: str, *options: str) -> str:
    path = Path(sys.executable).with_name("forgewright")
    return output([str(path), "edit", "--root", str(root), *options, program])


def rename(root: Path, tools: Path) -> None:
    from servers import rename as ask

    print(f"\nrename force_str across Django ({PLACES} places in {FILES} files)")
    report("forgewright edit", lambda: forgewright(root, RENAME, "--dry-run").split("\n")[0])

    def written() -> str:
        said = forgewright(root, RENAME).split("\n")[0]
        forgewright(root, "--undo")
        return said

    report("forgewright edit, written and undone", written, 1)
    line, column = 53, 5
    text = (root / "django/utils/encoding.py").read_text().split("\n")
    line = next(n for n, row in enumerate(text, 1) if row.startswith("def force_str"))
    where = (root, "django/utils/encoding.py", line, column, "force_text", FILES)
    report("ty server", lambda: ask([str(tools / "ty"), "server"], *where))
    report(
        "basedpyright-langserver", lambda: ask([str(tools / "basedpyright-langserver"), "--stdio"], *where), 1
    )
    report("rope", lambda: output([str(tools / "python"), "-c", ROPE, str(root)]).strip(), 1)
    candidates = output(["grep", "-rl", "--include=*.py", "force_str", "."], root).split()
    report(
        f"LibCST RenameCommand ({len(candidates)} files)",
        lambda: output([str(tools / "python"), "-c", LIBCST, str(root), *candidates]).strip(),
        1,
    )
    sg = [
        str(tools / "ast-grep"),
        "run",
        "-p",
        "force_str",
        "-r",
        "force_text",
        "-l",
        "py",
        "--json=compact",
        ".",
    ]
    report(
        "ast-grep, every identifier of the name",
        lambda: f"{output(sg, root).count(chr(34) + 'text' + chr(34))} texts",
    )


def rewrite(root: Path, tools: Path) -> None:
    for pattern, template in REWRITES:
        print(f"\nrewrite {pattern} → {template} over all files")
        program = f"(rewrite pattern: '{pattern}' template: '{template}')"
        ours = report(
            "forgewright edit", lambda program=program: forgewright(root, program, "--dry-run").split("\n")[0]
        )
        sg = [str(tools / "ast-grep"), "run", "-p", pattern, "-r", template, "-l", "py", "--json=stream", "."]
        theirs = report("ast-grep", lambda sg=sg: f"{lines(sg, root)} matches")
        print(f"{'forgewright : ast-grep':44} {ours[0] / theirs[0]:7.2f} {ours[1] / theirs[1]:7.2f}")


def members(root: Path, tools: Path) -> None:
    print("\nchanges of methods whose names stand in hundreds of files")
    for program in MEMBERS:
        name = program[1:].split()[0] + " " + program.split("#")[2].split("'")[0]
        report(name, lambda program=program: forgewright(root, program, "--dry-run").split("\n")[0], 1)


def index(root: Path, tools: Path) -> None:
    print("\nindex of all definitions and uses (repo-map)")
    program = "(repo-map focus: ['django/db/models/query.py'] tokens: 300)"

    def cold() -> str:
        shutil.rmtree(root / ".forgewright", ignore_errors=True)
        return forgewright(root, program).strip().split("\n")[-1]

    report("cold", cold, 1)
    report("from its cache, with the map", lambda: forgewright(root, program).strip().split("\n")[-1])


def warm(root: Path, tools: Path) -> None:
    print("\nthe same rename in an engine that has the project open")
    from forgewright.code.engine import CodeEngine

    engine = CodeEngine(root)
    best = (float("inf"), float("inf"))
    for _ in range(7):
        cpu, started = time.process_time(), time.perf_counter()
        plan = engine.plan(RENAME)
        best = min(best, (time.process_time() - cpu, time.perf_counter() - started))
    print(f"{'CodeEngine.plan':44} {best[0]:7.3f} {best[1]:7.3f}  {len(plan.changes)} files")


def main() -> None:
    sys.path.insert(0, str(HERE))
    tasks = {"rename": rename, "warm": warm, "rewrite": rewrite, "members": members, "index": index}
    chosen = sys.argv[1:] or list(tasks)
    root, tools = django(), peers()
    print(f"Django {DJANGO}: {sum(1 for _ in root.rglob('*.py'))} Python files")
    print(f"{'':44} {'CPU s':>7} {'wall s':>7} {'MiB':>5}")
    for name in chosen:
        tasks[name](root, tools)


if __name__ == "__main__":
    main()
