"""Modules and packages of a project: which folder an import path names.

Go Modules Reference, "go.mod files".
"""

from __future__ import annotations

import posixpath
import re

from forgewright.code.go.binder import bind
from forgewright.code.go.things import File, Package
from forgewright.code.project import Project
from forgewright.code.scopes.tree import Node, mirror
from forgewright.core.errors import NotFound, UnsafePath

_CLAUSE = re.compile(rb"^[ \t]*package[ \t]+([\w]+)", re.MULTILINE)
_MODULE = re.compile(rb"^[ \t]*module[ \t]+\"?([^\s\"]+)", re.MULTILINE)


class Packages:
    """Packages are bound when first needed, all files of one together."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._folders: dict[str, list[str]] | None = None
        self._bound: dict[tuple[str, str], Package] = {}
        self._files: dict[str, File] = {}
        self._modules: dict[str, str] | None = None

    @property
    def folders(self) -> dict[str, list[str]]:
        """Folder → the Go files in it."""
        if self._folders is None:
            self._folders = {}
            for path in self.project.paths(language="go"):
                self._folders.setdefault(posixpath.dirname(path), []).append(path)
        return self._folders

    @property
    def modules(self) -> dict[str, str]:
        """Folder of a `go.mod` → the path of its module."""
        if self._modules is None:
            self._modules = {}
            for path in self.project.paths():
                if posixpath.basename(path) == "go.mod":
                    found = _MODULE.search(self.project.source(path).data)
                    if found is not None:
                        self._modules[posixpath.dirname(path)] = found.group(1).decode()
        return self._modules

    def module_of(self, folder: str) -> str | None:
        """The folder of the module that `folder` belongs to."""
        while True:
            if folder in self.modules:
                return folder
            if not folder:
                return None
            folder = posixpath.dirname(folder)

    def import_path(self, folder: str) -> str | None:
        home = self.module_of(folder)
        if home is None:
            return None
        inside = posixpath.relpath(folder or ".", home or ".")
        return self.modules[home] if inside == "." else f"{self.modules[home]}/{inside}"

    def folder_of(self, path: str) -> str | None:
        """The folder that an import path names; None if it is not in the project."""
        best: str | None = None
        for folder, module in self.modules.items():
            if path == module or path.startswith(module + "/"):
                candidate = posixpath.normpath(posixpath.join(folder, path[len(module) :].lstrip("/")))
                candidate = "" if candidate == "." else candidate
                if candidate in self.folders and (best is None or len(candidate) > len(best)):
                    best = candidate
        return best

    def clause(self, path: str) -> str:
        """The name in a file's package clause."""
        found = _CLAUSE.search(self.project.source(path).data)
        return found.group(1).decode() if found else ""

    def package(self, folder: str, name: str) -> Package:
        key = (folder, name)
        if key not in self._bound:
            package = self._bound[key] = Package(folder, name)
            for path in self.folders.get(folder, ()):
                if self.clause(path) == name:
                    source = self.project.source(path)
                    file = File(path, mirror(source.tree, path, source.data), package)
                    file.broken = source.tree.root_node.has_error
                    package.files.append(file)
                    self._files[path] = file
                    bind(file)
        return self._bound[key]

    def file(self, path: str) -> File | None:
        """A file, bound with its package; None if it is not there."""
        if path not in self._files:
            try:
                name = self.clause(path)
            except (NotFound, UnsafePath):
                return None
            if not path.endswith(".go"):
                return None
            self.package(posixpath.dirname(path), name)
        return self._files.get(path)

    def imported(self, path: Node) -> Package | None:
        """The package that an import names by its path."""
        folder = self.folder_of(path.text[1:-1])
        if folder is None:
            return None
        names = {self.clause(file) for file in self.folders[folder] if not file.endswith("_test.go")}
        names = names or {self.clause(file) for file in self.folders[folder]}
        wanted = [name for name in sorted(names) if name != "main" or len(names) == 1]
        return self.package(folder, wanted[0]) if wanted else None
