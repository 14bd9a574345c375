"""Names of scripts before and after a program: what is lost or captured is refused, what is moved is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused


def written(root: Path, files: Mapping[str, str]) -> CodeEngine:
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_text(text)
    return CodeEngine(root)


@pytest.mark.parametrize(
    ("program", "files", "reason"),
    [
        (
            "(delete-node target: 'a.ts::function#load')",
            {
                "a.ts": "export function load() {}\nexport const x = 1\n",
                "lib/index.ts": "export * from '../a'\n",
                "use.ts": "import { load } from './lib'\nload()\n",
            },
            "use.ts:1 load: not to be imported",
        ),
        (
            "(set-modifiers target: 'a.ts::type#Part' remove: [export])",
            {
                "a.ts": "export type Part = 1\nexport interface I {\n\t<A>(a: Part): void\n\t<B>(b: Part): void\n}\n",
                "lib/index.ts": "export * from '../a'\n",
                "use.ts": "import { Part } from './lib'\nlet p: Part\n",
            },
            "use.ts:1 Part: not to be imported",
        ),
        (
            "(delete-node target: 'a.ts::import')",
            {"a.ts": "import { x } from 'somewhere'\nx()\n"},
            "a.ts:1 x: bound nowhere",
        ),
        (
            "(delete-node target: 'a.tsx::function#Part')",
            {"a.tsx": "function Part() { return null }\nconst all = <Part />\n"},
            "a.tsx:1 Part: bound nowhere",
        ),
        (
            "(delete-node target: 'a.ts::interface#Size')",
            {"a.ts": "interface Size {}\nconst a: Size = {}\n"},
            "a.ts:1 Size: bound nowhere",
        ),
    ],
)
def test_lost(program: str, files: Mapping[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(EditRefused, match=reason):
        written(tmp_path, files).plan(program)


@pytest.mark.parametrize(
    ("program", "files"),
    [
        (
            "(delete-node target: 'a.ts::function#load')",
            {"a.ts": "export function load() {}\n", "b.ts": "import { load } from 'a'\nload()\n"},
        ),
        (
            "(replace-text in: 'a.js' old: 'const size = 2' new: 'const size = 3')",
            {"a.js": "const size = 2\nfunction f() { return size }\n"},
        ),
        (
            "(move-file path: 'a.ts' to: 'lib/a.ts')",
            {"a.ts": "export const x = 1\n", "b.ts": "import { x } from './a'\nx\n"},
        ),
        (
            "(insert-first target: 'a.js::function#f' code: 'const other = 1;')",
            {"a.js": "function f() {\n  return other;\n}\n"},
        ),
        (
            "(allow what: ['lost']) (delete-node target: 'a.js::function#f')",
            {"a.js": "function f() {}\nf()\n"},
        ),
        (
            "(delete-node target: 'a.js::function#f')",
            {"a.js": "exports.g = 1\nfunction f() {}\n", "b.js": "const { f } = require('./a')\n"},
        ),
    ],
)
def test_kept_or_not_known(program: str, files: Mapping[str, str], tmp_path: Path) -> None:
    assert written(tmp_path, files).plan(program).changes
