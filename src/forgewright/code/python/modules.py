"""Which file an import means, inside the root. What is not found there belongs to somebody else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forgewright.code.project import Project

SUFFIXES = (".py", ".pyi", ".pyw")


class Modules:
    """Modules are named by their path without suffix (`app/cache`); a package by its folder."""

    def __init__(self, project: Project) -> None:
        self.listed = tuple(project.paths(language="python"))
        self.paths = set(self.listed)
        self.folders: set[str] = {""}
        for path in self.paths:
            folder = path.rpartition("/")[0]
            while folder not in self.folders:
                self.folders.add(folder)
                folder = folder.rpartition("/")[0]
        self._packages = {
            path.rpartition("/")[0]
            for path in self.paths
            if path.rpartition("/")[2].startswith("__init__.py")
        }
        roots = {self.root_of(package) for package in self._packages}
        self.roots = sorted(roots | {""} | ({"src"} & self.folders), key=lambda root: (len(root), root))
        self._found: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def root_of(self, folder: str) -> str:
        """The folder from which the modules in `folder` are imported."""
        while folder and folder in self._packages:
            folder = folder.rpartition("/")[0]
        return folder

    def module_of(self, path: str) -> str:
        """The module that a file is."""
        base = path.rpartition(".")[0]
        if base.rpartition("/")[2] == "__init__":
            return base.rpartition("/")[0]
        return base

    def files(self, module: str) -> list[str]:
        """The files of a module: source first, then stub; none for a folder without `__init__`."""
        found = [module + suffix for suffix in SUFFIXES if module + suffix in self.paths]
        start = module + "/__init__" if module else "__init__"
        return [start + suffix for suffix in SUFFIXES if start + suffix in self.paths] or found

    def exists(self, module: str) -> bool:
        return module in self.folders or bool(self.files(module))

    def is_package(self, module: str) -> bool:
        return module in self.folders

    def dotted(self, module: str) -> str:
        """The name by which others import a module."""
        root = self.root_of(module.rpartition("/")[0])
        return (module[len(root) + 1 :] if root else module).replace("/", ".")

    def package_of(self, path: str) -> str:
        return path.rpartition("/")[0]

    def find(self, path: str, level: int, dotted: tuple[str, ...]) -> str | None:
        """The module that `dotted` means in an import of the file `path`; None outside the root."""
        if level:
            folder = self.package_of(path)
            for _ in range(level - 1):
                if not folder:
                    return None
                folder = folder.rpartition("/")[0]
            module = "/".join([part for part in (folder, *dotted) if part])
            return module if self.exists(module) else None
        folder = self.package_of(path)
        own = self.root_of(folder)
        key = (path if not dotted[1:] else folder, dotted)
        if key not in self._found:
            found = self._absolute(own, dotted)
            if found is None and folder != own and dotted and dotted[0] not in sys.stdlib_module_names:
                beside = "/".join([part for part in (folder, *dotted) if part])
                found = beside if self.files(beside) and beside != self.module_of(path) else None
            self._found[key] = found
        return self._found[key]

    def _absolute(self, own: str, dotted: tuple[str, ...]) -> str | None:
        if not dotted:
            return None
        standard = dotted[0] in sys.stdlib_module_names
        fallback = None
        for root in [own, *(root for root in self.roots if root != own)]:
            if standard and root != own:
                break
            module = "/".join([part for part in (root, *dotted) if part])
            if self.files(module):
                return module
            if fallback is None and module in self.folders:
                fallback = module
        return fallback

    def submodule(self, module: str, name: str) -> str | None:
        """`name` in the package `module`, if that is a module."""
        inner = f"{module}/{name}" if module else name
        return inner if self.is_package(module) and self.exists(inner) else None


_LAST: list[Modules] = []


def modules_of(project: Project) -> Modules:
    """The modules of a project: the ones asked for last, if the files are still the same."""
    if not (_LAST and _LAST[0].listed == tuple(project.paths(language="python"))):
        _LAST[:] = [Modules(project)]
    return _LAST[0]
