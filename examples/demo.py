"""The main job, offline, as a person would type it: a goal and a repository in, a reviewed change and its record out.

    python examples/demo.py [FOLDER]

Works on a copy of `orders-api` below FOLDER (default: var/demo). The model's answers come from
`orders-session.jsonl`; all else is real: the edits, the sandboxes, the tests, the commits, the journal.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOAL = "Add an endpoint GET /orders/{id} with tests"
FORGEWRIGHT = [sys.executable, "-m", "forgewright"]


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parent / "var" / "demo").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    repository, bundle = folder / "orders-api", folder / "run.tar"
    os.environ["FORGEWRIGHT_HOME"] = str(folder / "home")

    say("A repository: a small REST API, without the endpoint")
    shutil.copytree(HERE / "orders-api", repository, ignore=shutil.ignore_patterns("__pycache__"))
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    for git in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A small REST API"]):
        subprocess.run(["git", *identity, *git], cwd=repository, check=True)

    say("The job: plan, edits, tests in a sandbox, a refusal by policy, refactoring, an improvement undone")
    session = f"replay:{HERE / 'orders-session.jsonl'}"
    forgewright("run", GOAL, "--repo", ".", "--model", session, "--improvements", "2", cwd=repository)
    runs = forgewright("runs", "--json", cwd=repository, quiet=True)
    run = json.loads(runs.splitlines()[0])["run"]

    say("Why the coder was refused, and what is asked of whoever wants to change that")
    forgewright("policy", "explain", "edit", ".github/workflows/tests.yml", cwd=repository, may_fail=True)

    say("What it changed, and into the user's own files with it")
    forgewright("diff", run, cwd=repository)
    forgewright("apply", run, cwd=repository)
    subprocess.run(["git", "status", "--short"], cwd=repository, check=True)

    say("The record: exported, and verified offline by the auditor's single file alone")
    forgewright("audit", "fsck", cwd=repository)
    forgewright("audit", "export", run, "-o", str(bundle), cwd=repository)
    key = str(folder / "home" / "keys" / "log.pub")
    forgewright("audit", "verify", str(bundle), "--key", key, cwd=repository)
    with tarfile.open(bundle) as tar:
        verifier = tar.extractfile("verify.py")
        assert verifier is not None
        (folder / "verify.py").write_bytes(verifier.read())
    print("$ python3 verify.py run.tar --key log.pub", flush=True)
    subprocess.run([sys.executable, "verify.py", bundle.name, "--key", key], cwd=folder, check=True)

    say("The same record with one byte changed")
    change_one_byte(bundle, folder / "tampered.tar")
    code = forgewright("audit", "verify", str(folder / "tampered.tar"), cwd=repository, may_fail=True)
    if code == "exit code 0":
        print("the changed bundle was not refused", file=sys.stderr)
        return 1
    say(f"Done. Everything lies in {folder}")
    return 0


def say(what: str) -> None:
    print(f"\n── {what} ──", flush=True)


def forgewright(*arguments: str, cwd: Path, quiet: bool = False, may_fail: bool = False) -> str:
    """Runs the command line; its output is shown, or returned where `quiet`. Ends the demo where it fails."""
    if not quiet:
        shown = [f'"{a}"' if " " in a else a for a in arguments]
        print(f"$ forgewright {' '.join(shown)}", flush=True)
    done = subprocess.run(
        [*FORGEWRIGHT, *arguments], cwd=cwd, stdout=subprocess.PIPE if quiet else None, text=True, check=False
    )
    if done.returncode and not may_fail:
        print(f"forgewright {arguments[0]} ended with exit code {done.returncode}", file=sys.stderr)
        raise SystemExit(done.returncode)
    return done.stdout if quiet else f"exit code {done.returncode}"


def change_one_byte(bundle: Path, target: Path) -> None:
    """Copies a bundle with one letter of its largest file changed."""
    data = bytearray(bundle.read_bytes())
    with tarfile.open(bundle) as tar:
        largest = max((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.size)
        at = largest.offset_data + largest.size // 2
    data[at] ^= 1
    target.write_bytes(data)


if __name__ == "__main__":
    raise SystemExit(main())
