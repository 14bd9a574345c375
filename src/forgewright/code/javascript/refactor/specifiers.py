"""How one file names another in an import: in the manner of the imports that are there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from forgewright.code.javascript.modules import ENDINGS, Modules
from forgewright.code.javascript.moving import relative, written

MODERN = ("nodenext", "node16", "node18", "node20")


def named_like(modules: Modules, path: str, target: str, models: Iterable[str]) -> str:
    """A specifier of `target` for the file `path`; `models` are specifiers that the files around it use."""
    for model in models:
        if model.startswith("."):
            suffix = posixpath.splitext(model)[1] if model.endswith(ENDINGS) else ""
            return written(modules, path, "./x" + suffix, path, target, target)
    suffix = ".js" if _wants_ending(modules, path) else ""
    return written(modules, path, "./x" + suffix, path, target, target)


def _wants_ending(modules: Modules, path: str) -> bool:
    """Whether Node.js itself, which adds no endings to imports, is to find the file."""
    if path.endswith((".mjs", ".mts")):
        return True
    options = modules.options(path)
    if options:
        chosen = (options.get("moduleResolution"), options.get("module"))
        return any(str(option).lower() in MODERN for option in chosen)
    folder = posixpath.dirname(path)
    while True:
        package = modules.read_json(posixpath.join(folder, "package.json"))
        if isinstance(package, dict):
            return package.get("type") == "module"
        if not folder:
            return False
        folder = posixpath.dirname(folder)


def carried(modules: Modules, after: Modules, text: str, origin: str, to: str) -> str:
    """What a specifier in `origin` becomes in `to`, so that it means the same file."""
    target = modules.resolve(origin, text)
    if target is None:
        if not text.startswith("."):
            return text
        return relative(to, posixpath.normpath(posixpath.join(posixpath.dirname(origin), text)))
    if not text.startswith("."):
        return text if after.resolve(to, text) == target else written(after, to, text, origin, target, target)
    if posixpath.dirname(origin) == posixpath.dirname(to):
        return text
    return written(after, to, text, origin, target, target)
