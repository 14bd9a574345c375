"""An import that is added to a script: nothing that is bound there is bound again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.code.python.edits import edited

from forgewright.code.engine import CodeEngine
from forgewright.core.errors import EditRefused


@pytest.mark.parametrize(
    "text",
    [
        "import { each } from './all';\n",
        "import { one as each } from './all';\n",
        "import each from './all';\n",
        "import * as each from './all';\n",
        "import type { each } from './more';\n",
        "export function each() {}\n",
        "const { a: [each = 1], ...b } = c;\n",
        "import { a } from './more';\nclass each {}\n",
        "interface each {}\n",
    ],
)
def test_a_name_that_is_bound_is_not_imported_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.ts").write_text(text)
    with pytest.raises(EditRefused, match=r"a\.ts:\d binds 'each' already"):
        CodeEngine(tmp_path).plan("(add-import module: './more' name: 'each' in: 'a.ts')")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import { each as one } from './all';\n", "import { each } from './more';\n"),
        ("export const x = { each: 1 };\n", "import { each } from './more';\n\n"),
        ("function f(each) {}\n", "import { each } from './more';\n\n"),
    ],
)
def test_what_is_no_binding_of_the_module_is_no_hindrance(tmp_path: Path, text: str, line: str) -> None:
    after, _ = edited(tmp_path, "(add-import module: './more' name: 'each' in: 'a.ts')", {"a.ts": text})
    assert after["a.ts"].replace(line, "") == text
    assert line in after["a.ts"]
