"""Random changes of signatures and classes in JavaScript and TypeScript; TypeScript's compiler judges each.

python -m tests.properties.no_harm.script_signatures FOLDER [--count 100] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.properties.no_harm.renames import Harm, _quoted
from tests.properties.no_harm.scripts import Ground

from forgewright.code.sources import SourceFile
from forgewright.code.validity import mistake
from forgewright.core.errors import ForgewrightError

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = ("function_declaration", "method_definition", "arrow_function", "function_expression",
             "generator_function_declaration", "function_signature", "method_signature")  # fmt: skip
Maker = Callable[[random.Random, "Found"], str | None]


class Found:
    """A function that is to be changed."""

    def __init__(self, path: str, node: Node, data: bytes) -> None:
        self.path = path
        self.node = node
        self.data = data
        self.typed = not path.endswith((".js", ".jsx", ".mjs", ".cjs"))
        listed = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        items = [listed] if listed is not None and listed.type == "identifier" else []
        if listed is not None and not items:
            items = [n for n in listed.named_children if n.type != "comment"]
        self.names = [self._name(n) for n in items]
        self.defaults = [
            self._name(n) for n in items if n.child_by_field_name("value") or n.type == "assignment_pattern"
        ]

    def _name(self, node: Node) -> str:
        inner = node.child_by_field_name("pattern") or node.child_by_field_name("left") or node
        return self.data[inner.start_byte : inner.end_byte].decode()

    @property
    def at(self) -> str:
        node = self.node.child_by_field_name("name") or self.node
        line = self.data[self.data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte].decode()
        return _quoted(f"{self.path}:{node.start_point.row + 1}:{len(line) + 1}")


def _add(rng: random.Random, found: Found) -> str | None:
    parts = [f"(add-parameter at: {found.at} name: 'fwNew'"]
    how = rng.choice(("default", "value", "both"))
    if how != "value":
        parts.append("default: '0'")
    if how != "default":
        parts.append("value: '1'")
    if rng.random() < 0.5:
        parts.append(f"index: {rng.randrange(len(found.names) + 1)}")
    if found.typed:
        parts.append("type: 'any'")
    return " ".join(parts) + ")"


def _remove(rng: random.Random, found: Found) -> str | None:
    text = found.data[found.node.start_byte : found.node.end_byte].decode()
    unused = [
        at for at, name in enumerate(found.names) if len(re.findall(rf"\b{re.escape(name)}\b", text)) == 1
    ]
    if not unused:
        return None
    return f"(remove-parameter at: {found.at} index: {rng.choice(unused)})"


def _object(rng: random.Random, found: Found) -> str | None:
    names = [name for name in found.names if name.isidentifier() and name != "this"]
    if not names:
        return None
    chosen = rng.sample(names, rng.randint(1, len(names)))
    words = " ".join(map(_quoted, chosen))
    return f"(introduce-parameter-object at: {found.at} parameters: [{words}] name: 'FwOptions')"


def _inline_default(rng: random.Random, found: Found) -> str | None:
    remove = rng.choice(("true", "false"))
    if not found.defaults:
        return None
    return f"(inline-default at: {found.at} name: {_quoted(rng.choice(found.defaults))} remove: {remove})"


def _inline(rng: random.Random, found: Found) -> str | None:
    if not found.names:
        return None
    return f"(inline-parameter at: {found.at} name: {_quoted(rng.choice(found.names))})"


def _reorder(rng: random.Random, found: Found) -> str | None:
    names = [name for name in found.names if name.isidentifier() and name != "this"]
    if len(names) < 2:
        return None
    chosen = rng.sample(names, 2)
    return f"(reorder-parameters at: {found.at} order: [{' '.join(map(_quoted, chosen))}])"


def _document(rng: random.Random, found: Found) -> str | None:
    name = found.node.child_by_field_name("name")
    if name is None:
        return None
    return f"(set-docstring target: {found.at} text: 'Says what it is.')"


def _unset_types(rng: random.Random, found: Found) -> str | None:
    if not found.typed or not found.names:
        return None
    name = rng.choice(found.names)
    return f"(set-types at: {found.at} types: {{{_quoted(name)}: 'any'}})"


FUNCTION_MAKERS: dict[str, Maker] = {
    "add": _add, "remove": _remove, "reorder": _reorder, "object": _object,
    "inline-default": _inline_default, "inline": _inline, "document": _document, "types": _unset_types,
}  # fmt: skip
PLACES = {
    "encapsulate": (("public_field_definition", "field_definition"), "(encapsulate-field at: {})"),
    "member": (("member_expression",), "(encapsulate-field at: {})"),
    "local": (("variable_declarator",), "(local-to-field at: {})"),
    "invert": (("variable_declarator", "function_declaration", "method_definition"), "(invert-boolean at: {} new: 'fwNot')"),
    "factory": (("class_declaration",), "(introduce-factory at: {} name: 'fwMake')"),
    "static": (("method_definition",), "(make-static target: {})"),
    "method-to-function": (("method_definition",), "(method-to-function at: {} name: 'fwFunction')"),
    "function-to-method": (("function_declaration",), "(function-to-method at: {} name: 'fwMethod')"),
}  # fmt: skip
"""Node types → a program for a place where one of these is named."""
KINDS = (*FUNCTION_MAKERS, *PLACES)


def made(kind: str, path: str, data: bytes, rng: random.Random) -> str | None:
    """A program for a random place of a file."""
    if kind in FUNCTION_MAKERS:
        found = functions(path, data)
        return FUNCTION_MAKERS[kind](rng, rng.choice(found)) if found else None
    types, program = PLACES[kind]
    stack, nodes = [SourceFile(path, data).tree.root_node], []
    while stack:
        node = stack.pop()
        if node.type in types:
            nodes.append(node)
        stack.extend(node.children)
    if not nodes:
        return None
    node = rng.choice(nodes)
    name = node.child_by_field_name("name") or node.child_by_field_name("property") or node
    line = data[data.rfind(b"\n", 0, name.start_byte) + 1 : name.start_byte].decode()
    return program.format(_quoted(f"{path}:{name.start_point.row + 1}:{len(line) + 1}"))


def functions(path: str, data: bytes) -> list[Found]:
    stack = [SourceFile(path, data).tree.root_node]
    found = []
    while stack:
        node = stack.pop()
        if node.type in FUNCTIONS:
            found.append(Found(path, node, data))
        stack.extend(node.children)
    return found


def trial(ground: Ground, rng: random.Random, only: str = "") -> tuple[str, str, str]:
    """(kind, `done`, `refused` or `left out`, what was said). Raises `Harm`."""
    kind = only or rng.choice(KINDS)
    program = None
    for _ in range(50):
        path = rng.choice(ground.paths)
        program = made(kind, path, ground.files[path], rng)
        if program is not None:
            break
    if program is None:
        return kind, "left out", ""
    try:
        try:
            plan = ground.engine.plan(program)
        except ForgewrightError as error:
            return kind, "refused", str(error)
        if not plan.changes:
            return kind, "left out", ""
        committed = ground.engine.commit(plan)
        after = ground.mistakes()
        broke = [
            mistake(SourceFile(c.path, c.before or b""), SourceFile(c.path, c.after))
            for c in plan.changes
            if c.after is not None
        ]
        ground.engine.commit(ground.engine.plan(committed.undo))
        for change in plan.changes:
            if (ground.root / change.path).read_bytes() != change.before:
                raise Harm(f"undo does not give back {change.path}")
        if any(broke):
            raise Harm("; ".join(broke))
        had = Counter((file, code, message) for file, _, code, message in ground.before)
        fresh = []
        for file, line, code, message in after:
            if had[file, code, message]:
                had[file, code, message] -= 1
            else:
                fresh.append(f"{file}:{line} {code} {message}")
        if fresh:
            raise Harm("; ".join(fresh[:3]) + "\n" + committed.diff[:3000])
    except Exception as error:
        error.add_note(f"{ground.name}: {program}")
        raise
    return kind, "done", plan.diff()


def run(origin: Path, number: int, seed: str, only: str = "", verbose: bool = False) -> Iterator[str]:
    """Trials until `number` are done (or twenty times as many were tried)."""
    ends: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        ground = Ground(origin, Path(folder) / "work")
        for at in range(number * 20):
            if sum(v for k, v in ends.items() if k.endswith(" done")) >= number:
                break
            rng = random.Random(f"{seed}/{origin.name}/{at}")
            try:
                kind, end, text = trial(ground, rng, only)
            except Exception as error:
                ends["HARM"] += 1
                yield f"HARM {at}: {type(error).__name__} {error} {getattr(error, '__notes__', '')}"
                if not isinstance(error, Harm):
                    import traceback

                    yield traceback.format_exc()
                continue
            ends[f"{kind} {end}"] += 1
            if verbose and text:
                yield f"{at} {kind} {end}: {text}"
    yield f"{origin.name}: {dict(sorted(ends.items()))}"


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--seed", default="1")
    options.add_argument("--only", default="")
    options.add_argument("--verbose", action="store_true")
    given = options.parse_args()
    for line in run(given.folder, given.count, given.seed, given.only, given.verbose):
        print(line, flush=True)
    sys.exit(0)
