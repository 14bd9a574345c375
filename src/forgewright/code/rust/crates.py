"""Files as modules of crates: where `mod name;` leads, and which module a file is.

The Rust Reference, "Modules": module source filenames.
"""

from __future__ import annotations

import posixpath
import re

from forgewright.code.project import Project
from forgewright.code.rust.binder import Binder
from forgewright.code.rust.items import File, Item, Module, plain
from forgewright.code.scopes.tree import mirror
from forgewright.core.errors import NotFound, UnsafePath

ROOTS = ("lib.rs", "main.rs")
_PACKAGE = re.compile(rb"^\s*\[package\][^\[]*?^\s*name\s*=\s*\"([^\"]+)\"", re.MULTILINE | re.DOTALL)


class Crates:
    """Files are bound when first needed and kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._files: dict[str, File | None] = {}
        self._parents: dict[str, tuple[File, Item] | None] = {}
        self._packages: dict[str, str] | None = None

    def file(self, path: str) -> File | None:
        if path not in self._files:
            self._files[path] = None
            try:
                source = self.project.source(path)
            except (NotFound, UnsafePath):
                return None
            if source.language == "rust":
                file = File(path, mirror(source.tree, path, source.data))
                self._files[path] = file
                Binder(file).run()
        return self._files[path]

    def containing(self, word: str) -> list[File]:
        found = [self.file(path) for path in self.project.containing(word.encode()) if path.endswith(".rs")]
        return [file for file in found if file is not None]

    def folder(self, file: File) -> str:
        """Where the files of a file's child modules lie."""
        folder, name = posixpath.split(file.path)
        if name in (*ROOTS, "mod.rs") or self.parent(file.path) is None:
            return folder
        return posixpath.join(folder, name.removesuffix(".rs"))

    def child(self, module: Module, name: str) -> File | None:
        """The file of `mod name;` in a module."""
        folder = self.folder(module.file)
        inside: list[str] = []
        outer: Module | None = module
        while outer is not None and outer.outer is not None:
            inside.insert(0, outer.name)
            outer = outer.outer
        folder = posixpath.join(folder, *inside)
        for candidate in (f"{name}.rs", f"{name}/mod.rs"):
            file = self.file(posixpath.join(folder, candidate))
            if file is not None:
                return file
        return None

    def parent(self, path: str) -> tuple[File, Item] | None:
        """The file with the `mod name;` that makes `path` a module, with that item; None for a root."""
        if path not in self._parents:
            self._parents[path] = None
            self._parents[path] = self._parent(path)
        return self._parents[path]

    def _parent(self, path: str) -> tuple[File, Item] | None:
        folder, name = posixpath.split(path)
        if name in ROOTS:
            return None
        stem = name.removesuffix(".rs")
        if stem == "mod":
            folder, stem = posixpath.split(folder)
        candidates = [posixpath.join(folder, root) for root in ("mod.rs", *ROOTS)]
        candidates.append(folder + ".rs")
        for candidate in candidates:
            file = self.file(candidate) if candidate != path else None
            item = _declared(file, stem) if file is not None else None
            if file is not None and item is not None:
                return file, item
        return None

    def outer(self, module: Module) -> Module | None:
        """The module around a module, across files."""
        if module.outer is not None:
            return module.outer
        found = self.parent(module.file.path)
        return found[1].module if found is not None else None

    def root(self, module: Module) -> Module:
        for _ in range(100):
            outer = self.outer(module)
            if outer is None:
                break
            module = outer
        return module

    def crate(self, name: str) -> Module | None:
        """The library of another package of the project."""
        if self._packages is None:
            self._packages = {}
            for path in self.project.paths():
                if posixpath.basename(path) == "Cargo.toml":
                    found = _PACKAGE.search(self.project.source(path).data)
                    if found is not None:
                        home = posixpath.dirname(path)
                        self._packages[found.group(1).decode().replace("-", "_")] = home
        found_home = self._packages.get(name)
        file = self.file(posixpath.join(found_home, "src/lib.rs")) if found_home is not None else None
        return file.module if file is not None else None


def _declared(file: File, name: str) -> Item | None:
    for item in file.decl.values():
        if item.kind == "mod" and item.name == plain(name) and item.node.get("body") is None:
            return item
    return None
