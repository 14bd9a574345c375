"""Which file an import names: relative paths, index files, tsconfig's `paths`, packages.

TypeScript handbook, "Module Resolution"; Node.js documentation, "Modules: Packages". Only files of the
project are ever looked at.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any

from forgewright.core.errors import NotFound, UnsafePath

if TYPE_CHECKING:
    from forgewright.code.project import Project

ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".d.mts", ".d.cts", ".js", ".jsx", ".mjs", ".cjs")
_FROM_JAVASCRIPT = {
    ".js": (".ts", ".tsx", ".d.ts", ".js", ".jsx"),
    ".jsx": (".tsx", ".jsx"),
    ".mjs": (".mts", ".mjs"),
}
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r",(\s*[}\]])")
CONFIGS = ("tsconfig.json", "jsconfig.json")


class Modules:
    """Resolves module specifiers over a project's files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._exists: dict[str, bool] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._json: dict[str, Any] = {}

    def resolve(self, path: str, specifier: str) -> str | None:
        """The path of the file that `specifier` means in the file `path`; None if none of the project."""
        folder = posixpath.dirname(path)
        key = (folder, specifier)
        if key not in self._found:
            self._found[key] = self._resolve(folder, specifier)
        return self._found[key]

    def _resolve(self, folder: str, specifier: str) -> str | None:
        if specifier.startswith((".", "/")):
            return self._file(posixpath.normpath(posixpath.join(folder, specifier)).lstrip("/"))
        mapped = self._mapped(folder, specifier)
        if mapped is not None:
            return mapped
        for above in _upwards(folder):
            found = self._file(posixpath.join(above, "node_modules", specifier))
            found = found or self._file(posixpath.join(above, "node_modules/@types", specifier))
            if found is not None:
                return found
        return self._workspace(folder, specifier)

    def _file(self, base: str) -> str | None:
        stem, ending = posixpath.splitext(base)
        for other in _FROM_JAVASCRIPT.get(ending, ()):
            if self.is_file(stem + other):
                return stem + other
        if self.is_file(base) and base.endswith(ENDINGS):
            return base
        for other in ENDINGS:
            if self.is_file(base + other):
                return base + other
        package = self.read_json(posixpath.join(base, "package.json"))
        if isinstance(package, dict):
            for field in ("types", "typings", "source", "module", "main"):
                entry = package.get(field)
                if isinstance(entry, str):
                    found = self._file(posixpath.normpath(posixpath.join(base, entry)))
                    if found is not None:
                        return found
        for other in ENDINGS:
            index = posixpath.join(base, "index" + other)
            if self.is_file(index):
                return index
        return None

    def _mapped(self, folder: str, specifier: str) -> str | None:
        """`compilerOptions.paths` and `baseUrl` of the nearest configuration."""
        for above in _upwards(folder):
            for name in CONFIGS:
                options, base = self._options(posixpath.join(above, name), 4)
                if options is None:
                    continue
                root = posixpath.normpath(posixpath.join(base, str(options.get("baseUrl", "."))))
                paths = options.get("paths")
                for pattern, targets in paths.items() if isinstance(paths, dict) else ():
                    star = _match(pattern, specifier)
                    if star is None or not isinstance(targets, list):
                        continue
                    for target in targets:
                        found = self._file(
                            posixpath.normpath(posixpath.join(root, str(target).replace("*", star)))
                        )
                        if found is not None:
                            return found
                return (
                    self._file(posixpath.normpath(posixpath.join(root, specifier)))
                    if "baseUrl" in options
                    else None
                )
        return None

    def options(self, path: str) -> dict[str, Any]:
        """`compilerOptions` of the configuration nearest to a file; empty if there is none."""
        for above in _upwards(posixpath.dirname(path)):
            for name in CONFIGS:
                found, _ = self._options(posixpath.join(above, name), 4)
                if found is not None:
                    return found
        return {}

    def mapped(self, path: str, specifier: str) -> str | None:
        """The file that a specifier means by `paths` and `baseUrl` only."""
        return self._mapped(posixpath.dirname(path), specifier)

    def patterns(self, path: str) -> list[tuple[str, str]]:
        """(name, file) patterns that the configuration nearest to a file gives, `*` standing for the same in both."""
        for above in _upwards(posixpath.dirname(path)):
            for name in CONFIGS:
                options, base = self._options(posixpath.join(above, name), 4)
                if options is None:
                    continue
                root = posixpath.normpath(posixpath.join(base, str(options.get("baseUrl", "."))))
                paths = options.get("paths")
                found = [
                    (str(pattern), posixpath.normpath(posixpath.join(root, str(target))))
                    for pattern, targets in (paths.items() if isinstance(paths, dict) else ())
                    for target in (targets if isinstance(targets, list) else ())
                ]
                if "baseUrl" in options:
                    found.append(("*", posixpath.normpath(posixpath.join(root, "*"))))
                return found
        return []

    def _options(self, path: str, depth: int) -> tuple[dict[str, Any] | None, str]:
        config = self.read_json(path)
        if not isinstance(config, dict):
            return None, ""
        options = config.get("compilerOptions")
        own = dict(options) if isinstance(options, dict) else {}
        base = posixpath.dirname(path)
        parent = config.get("extends")
        if isinstance(parent, str) and parent.startswith(".") and depth:
            target = posixpath.normpath(posixpath.join(base, parent))
            inherited, there = self._options(
                target if target.endswith(".json") else target + ".json", depth - 1
            )
            if inherited and "paths" not in own and "baseUrl" not in own:
                return {**inherited, **own}, there
        return own, base

    def _workspace(self, folder: str, specifier: str) -> str | None:
        """A package of the same repository, by the name in its `package.json`."""
        parts = specifier.split("/")
        name = "/".join(parts[:2]) if specifier.startswith("@") else parts[0]
        home = self.packages.get(name)
        if home is None:
            return None
        rest = specifier[len(name) :].lstrip("/")
        return self._file(posixpath.join(home, rest) if rest else home or ".")

    @property
    def packages(self) -> dict[str, str]:
        """Name → folder of the packages in the project."""
        if "" not in self._json:
            named: dict[str, str] = {}
            for path in self.project.paths():
                if posixpath.basename(path) == "package.json" and "node_modules/" not in path:
                    package = self.read_json(path)
                    if isinstance(package, dict) and isinstance(package.get("name"), str):
                        named[package["name"]] = posixpath.dirname(path)
            self._json[""] = named
        found: dict[str, str] = self._json[""]
        return found

    def is_file(self, path: str) -> bool:
        if path not in self._exists:
            try:
                self.project.source(path)
                self._exists[path] = True
            except (NotFound, UnsafePath):
                self._exists[path] = False
        return self._exists[path]

    def read_json(self, path: str) -> Any:
        """A JSON file, with comments and trailing commas as in `tsconfig.json`; None if there is none."""
        if path not in self._json:
            self._json[path] = None
            if self.is_file(path):
                text = self.project.source(path).data.decode("utf-8-sig", "replace")
                text = _COMMA.sub(r"\1", _COMMENT.sub(lambda m: m.group(1) or "", text))
                try:
                    self._json[path] = json.loads(text)
                except ValueError:
                    pass
        return self._json[path]


def _upwards(folder: str) -> list[str]:
    found = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        found.append(folder)
    return found


def _match(pattern: str, specifier: str) -> str | None:
    before, star, after = pattern.partition("*")
    if not star:
        return "" if pattern == specifier else None
    if (
        specifier.startswith(before)
        and specifier.endswith(after)
        and len(specifier) >= len(before) + len(after)
    ):
        return specifier[len(before) : len(specifier) - len(after)]
    return None
