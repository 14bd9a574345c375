"""One digest of all files below a folder: what an approval of a command is bound to."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

LEFT_OUT = frozenset((".git", ".forgewright", "__pycache__", ".venv", "node_modules"))
"""Folders that are no part of it: what git keeps, caches, installed packages."""


def tree_digest(root: Path) -> str:
    """SHA-256 over the paths, the modes' executable bits and the contents of all files, and the targets of links."""
    whole = sha256()
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted([*files, *(f for f in folders if os.path.islink(os.path.join(folder, f)))]):
            path = Path(folder, name)
            if path.is_symlink():
                kind, content = "link", sha256(os.fsencode(os.readlink(path)))
            elif path.is_file():
                kind = "x" if path.stat().st_mode & 0o100 else "file"
                with path.open("rb") as file:
                    content = sha256()
                    while block := file.read(1 << 20):
                        content.update(block)
            else:
                continue
            said = f"{kind} {content.hexdigest()} {path.relative_to(root)}\0"
            whole.update(said.encode("utf-8", "surrogateescape"))
    return f"sha256:{whole.hexdigest()}"
