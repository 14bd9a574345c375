"""Runs a marked program before and after an operation.

In a program's text `«…»` is the selection (`RANGE` in the operation) and `¦` stands before the name that it is about
(`AT`). The text is `main.py`; lines `--- name.py` begin other files.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from forgewright.code.engine import CodeEngine

MARKS = re.compile("[«»¦]")


def marked(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The files, and what `RANGE` and `AT` mean in them."""
    parts = re.split(r"(?m)^--- (\S+)\n", "--- main.py\n" + dedent(text).lstrip("\n"))
    files, meant, first = {}, {}, ""
    for path, marked_text in zip(parts[1::2], parts[2::2], strict=True):
        clean = ""
        for piece in re.split("([«»¦])", marked_text):
            place = f"{clean.count(chr(10)) + 1}:{len(clean) - clean.rfind(chr(10))}"
            if piece == "«":
                first = f"'{path}:{place}"
            elif piece == "»":
                meant["RANGE"] = f"{first}-{place}'"
            elif piece == "¦":
                meant["AT"] = f"'{path}:{place}'"
            else:
                clean += piece
        files[path] = clean
    return files, meant


def said(root: Path) -> str:
    """What `main.py` prints, up to the exception that ends it."""
    had, path, out = set(sys.modules), list(sys.path), io.StringIO()
    sys.path.insert(0, str(root))
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(root / "main.py"), run_name="__main__")
    except Exception as error:
        print(type(error).__name__, error, file=out)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - had:
            where = getattr(sys.modules[name], "__file__", None) or ""
            if where.startswith(str(root)):
                del sys.modules[name]
    return out.getvalue()


def ends(root: Path, operation: str, text: str) -> tuple[str, str, Mapping[str, str]]:
    """(what it said before, what it says after, the files after). Raises `EditRefused`."""
    files, meant = marked(text)
    for name, value in meant.items():
        operation = operation.replace(name, value)
    before, after = root / "before", root / "after"
    for folder in (before, after):
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(data)
    engine = CodeEngine(after)
    engine.commit(engine.plan(operation))
    now = {path: (after / path).read_text() for path in files}
    return said(before), said(after), now
