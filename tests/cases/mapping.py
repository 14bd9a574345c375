"""From a case's `op` and `args` to our operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cases.here import RenameHere
from tests.cases.scene import MemoryScene

from forgewright.code.operations.base import Operation
from forgewright.code.operations.rename import Rename, RenameModule

Case = dict[str, Any]
Step = Operation | RenameHere | Callable[[], Operation]


def operations(case: Case, scene: MemoryScene) -> list[Step] | None:
    """The operations that a case asks for, in order; None if there is none like it."""
    make = MAKERS.get(case["op"])
    return None if make is None else make(case, case["args"])


def at(case: Case, args: Case, line: str = "line", column: str = "column") -> str:
    """The case's position, as `path:line:column` from 1."""
    text = case["files"][args["path"]]
    if "offset" in args and line == "line":
        before = text[: args["offset"]]
        row = before.count("\n")
        return f"{args['path']}:{row + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"
    return f"{args['path']}:{args[line]}:{args[column] + 1}"


def globs(args: Case) -> str:
    """The files that rope was told to look at."""
    return ",".join(resource["resource"] for resource in args.get("resources", ()))


def rename(case: Case, args: Case) -> list[Step]:
    if case["lang"] != "python":
        return [RenameHere(case)]
    if args.get("module"):
        return [RenameModule(module=args["path"], new=args["new_name"])]
    rope = case["id"].startswith("rope/")
    docs = "all" if args.get("docs") else "off"
    return [
        Rename(
            at=at(case, args),
            new=args["new_name"],
            hierarchy=args.get("in_hierarchy", False) if rope else True,
            docs=docs,
            strings=docs,
            files=globs(args),
            uncertain=(args.get("unsure") or {}).get("callable") == "_true",
        )
    ]


MAKERS: dict[str, Callable[[Case, Case], list[Step] | None]] = {
    "rename": rename,
}
