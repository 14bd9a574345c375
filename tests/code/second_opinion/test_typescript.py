"""TypeScript's own server beside the resolver, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forgewright.code.languages import make_resolver
from forgewright.code.second_opinion import typescript
from forgewright.code.second_opinion.documents import byte_of, edits, position
from forgewright.code.second_opinion.server import LanguageServer
from forgewright.code.sources import DiskProject
from forgewright.core.errors import MissingProgram, ToolError, UnsafePath


def compiler() -> str:
    """A `tsc` of version 7 or later; skipped, or failed in CI, where there is none."""
    set_up = Path(sys.prefix, "node", "node_modules", ".bin")
    if set_up.is_dir():
        os.environ["PATH"] = f"{set_up}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which("tsc")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
    if not version.startswith("Version ") or int(version.split()[1].split(".")[0]) < 7:
        message = "needs TypeScript 7: make setup"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return str(found)


def test_types_decide_what_syntax_cannot(tmp_path: Path) -> None:
    compiler()
    (tmp_path / "a.ts").write_text(
        "export class A { close() {} }\nexport const all = { one: new A() } as const;\n"
    )
    (tmp_path / "b.ts").write_text(
        "import { all } from './a';\nfunction pick<K extends keyof typeof all>(k: K) { return all[k]; }\n"
        "pick('one').close();\nconst é = 1; all.one.close();\n"
    )
    (tmp_path / "tsconfig.json").write_text("{}")
    project = DiskProject(tmp_path)
    resolver = make_resolver("typescript", project)
    symbol = next(s for s in resolver.definitions("a.ts") if s.name == "close")
    own = resolver.rename(symbol, "end")
    assert len(own.uncertain) == 1
    made = typescript.confirmed(tmp_path, project, symbol, "end", own)
    assert made.uncertain == ()
    assert len(made.splices) == 3
    assert "close" in (tmp_path / "a.ts").read_text(), "the server does not write"


def test_barrels_and_shorthand_are_no_disagreement(tmp_path: Path) -> None:
    compiler()
    (tmp_path / "a.ts").write_text("export const load = 1;\nexport const o = { load };\n")
    (tmp_path / "index.ts").write_text("export { load } from './a';\n")
    (tmp_path / "b.ts").write_text("import { load } from './index';\nload;\n")
    (tmp_path / "tsconfig.json").write_text("{}")
    project = DiskProject(tmp_path)
    resolver = make_resolver("typescript", project)
    symbol = next(s for s in resolver.definitions("a.ts") if s.name == "load")
    own = resolver.rename(symbol, "read")
    made = typescript.confirmed(tmp_path, project, symbol, "read", own)
    assert made.uncertain == ()
    assert made.splices == own.splices


def test_a_missing_server_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="tsc"):
        typescript.command()


SERVER = """
import json, sys
def send(message):
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()
def receive():
    size = 0
    while (line := sys.stdin.buffer.readline().strip()):
        size = int(line.split(b":")[1])
    return json.loads(sys.stdin.buffer.read(size))
asked = None
while True:
    message = receive()
    if message.get("method") == "wants":
        asked = message["id"]
        send({"jsonrpc": "2.0", "id": "e", "method": "workspace/applyEdit", "params": {"edit": {}}})
    elif message.get("id") == "e":
        send({"jsonrpc": "2.0", "id": asked, "result": message["result"]})
    elif message.get("method") == "leave":
        break
    elif message.get("method") == "initialize":
        send({"jsonrpc": "2.0", "id": message["id"], "result": {}})
"""


def server(tmp_path: Path, **options: float) -> LanguageServer:
    return LanguageServer([sys.executable, "-c", SERVER], tmp_path, install="", **options)  # type: ignore[arg-type]


def test_a_server_that_wants_to_write_is_declined(tmp_path: Path) -> None:
    with server(tmp_path) as one:
        assert one.ask("wants", {})["applied"] is False


def test_a_silent_or_leaving_server_is_an_error(tmp_path: Path) -> None:
    with server(tmp_path) as one, pytest.raises(ToolError, match="gone"):
        one.ask("leave", {})
    with server(tmp_path) as one:
        one.timeout_seconds = 0.05
        with pytest.raises(ToolError, match="no answer"):
            one.ask("nothing", {})


def test_edits_outside_the_root_are_refused(tmp_path: Path) -> None:
    edit = {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}},
        "newText": "x",
    }
    with pytest.raises(UnsafePath):
        edits({"changes": {"file:///usr/lib/python3/warnings.py": [edit]}}, tmp_path, {})


def test_positions_count_utf16_units() -> None:
    data = "a\n😀é x\n".encode()
    offset = data.index(b"x")
    place = position(data, offset)
    assert place == {"line": 1, "character": 4}
    assert byte_of(data.splitlines(keepends=True), place) == offset
