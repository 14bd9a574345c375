"""What belongs to a definition: its decorators, docstring, bases; and the imports of a file."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from forgewright.code import bodies, layout, lists
from forgewright.code.deletion import delete
from forgewright.code.importing import import_splices
from forgewright.code.operations.base import (
    PYTHON,
    SCRIPTS,
    Example,
    Languages,
    Match,
    Operation,
    Outcome,
    Scene,
)
from forgewright.code.operations.fields import Targeted
from forgewright.code.operations.targets import script
from forgewright.code.project import Splice
from forgewright.code.selectors import nodes
from forgewright.code.syntax.diagnostics import SelectorError
from forgewright.core.errors import EditRefused


class AddImport(Operation, frozen=True, kw_only=True):
    """Import a module or a name, once: merged into an import that is there, else in its group and order."""

    module: Annotated[str, Meta(description="The module, as app.util or ./util.js.", min_length=1)]
    name: Annotated[str, Meta(description="The name to import from it; JavaScript also default and *.")] = ""
    alias: Annotated[str, Meta(description="Another name for it here.")] = ""
    in_: Annotated[str, Meta(description="The file, or a glob of files.", min_length=1)] = msgspec.field(
        name="in"
    )

    group: ClassVar[str] = "imports"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-import module: 'typing' name: 'Any' in: 'a.py')",
            before={"a.py": "import os\nfrom typing import TYPE_CHECKING, Final\n\nx = 1\n"},
            after={"a.py": "import os\nfrom typing import TYPE_CHECKING, Any, Final\n\nx = 1\n"},
        ),
        Example(
            program="(add-import module: 'json' in: 'a.py')",
            before={"a.py": '"""Doc."""\n\nx = 1\n'},
            after={"a.py": '"""Doc."""\n\nimport json\n\nx = 1\n'},
        ),
        Example(
            program="(add-import module: './util.js' name: 'load' in: 'a.js')",
            before={"a.js": "import { save } from './util.js';\n\nsave();\n"},
            after={"a.js": "import { save, load } from './util.js';\n\nsave();\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        paths = list(scene.project.paths(self.in_))
        if not paths:
            paths = [scene.project.source(self.in_).path]
        splices: list[Splice] = []
        for path in paths:
            splices.extend(import_splices(scene.project.source(path), self.module, self.name, self.alias))
        return Outcome(splices=tuple(splices), text="" if splices else "it is imported already")


class AddDecorator(Targeted, frozen=True, kw_only=True):
    """Put a decorator above a function, method or class, above those that are there."""

    decorator: Annotated[str, Meta(description="The decorator, with or without @.", min_length=1)]

    group: ClassVar[str] = "decorators"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-decorator target: 'method#A.size' decorator: 'property')",
            before={"a.py": "class A:\n    def size(self):\n        return 1\n"},
            after={"a.py": "class A:\n    @property\n    def size(self):\n        return 1\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        text = "@" + self.decorator.strip().lstrip("@")
        splices = []
        for match in self.targets(scene):
            node = nodes.whole(match.node)
            if node.parent is not None and node.parent.type == "export_statement":
                node = node.parent
            data = match.source.data
            indent = layout.indentation(data, node.start_byte)
            new = layout.fit(text, match.source, indent)[len(indent) :] + layout.line_end(data) + indent
            splices.append(Splice(match.path, node.start_byte, node.start_byte, new))
        return Outcome(splices=tuple(splices))


class RemoveDecorator(Targeted, frozen=True, kw_only=True):
    """Take a decorator off a function, method or class."""

    decorator: Annotated[str, Meta(description="Its name, as functools.cache, or the last part, as cache.")]

    group: ClassVar[str] = "decorators"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-decorator target: 'function#f' decorator: 'cache')",
            before={"a.py": "@functools.cache\n@log\ndef f():\n    ...\n"},
            after={"a.py": "@log\ndef f():\n    ...\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        name = self.decorator.strip().lstrip("@").partition("(")[0]
        splices = []
        for match in self.targets(scene):
            outer = nodes.whole(match.node)
            found = [
                c
                for c in (*outer.children, *match.node.children)
                if c.type == "decorator" and name in nodes.names(c)
            ]
            if not found:
                raise SelectorError(
                    f"{match.kind} {match.name!r} has no decorator {name!r}",
                    candidates=[nodes.text(c) for c in outer.children if c.type == "decorator"],
                )
            splices.append(delete(match.source, found[0]))
        return Outcome(splices=tuple(splices))


class SetDocstring(Targeted, frozen=True, kw_only=True):
    """Write, replace or (with empty text) remove the docstring of a module, class or function.

    In JavaScript and TypeScript the comment `/** */` of any declaration or member.
    """

    text: Annotated[
        str, Meta(description="Its text without quotes; lines after the first are indented for it.")
    ]

    group: ClassVar[str] = "replace"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(set-docstring target: 'function#f' text: 'Add one.')",
            before={"a.py": "def f(x):\n    return x + 1\n"},
            after={"a.py": 'def f(x):\n    """Add one."""\n    return x + 1\n'},
        ),
        Example(
            program="(set-docstring target: 'function#f' text: '''\n  Add.\n\n  Twice.''')",
            before={"a.py": "def f(x):\n    '''Old.'''\n    return x + 1\n"},
            after={"a.py": 'def f(x):\n    """Add.\n\n    Twice.\n    """\n    return x + 1\n'},
        ),
        Example(
            program="(set-docstring target: 'function#f' text: '''\n  Adds.\n\n  @param x what''')",
            before={"a.ts": "export function f(x: number) {}\n"},
            after={"a.ts": "/**\n * Adds.\n *\n * @param x what\n */\nexport function f(x: number) {}\n"},
        ),
        Example(
            program="(set-docstring target: 'method#A.go' text: 'Goes.')",
            before={"a.js": "class A {\n  /** Old. */\n  go() {}\n}\n"},
            after={"a.js": "class A {\n  /** Goes. */\n  go() {}\n}\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return Outcome(splices=tuple(self._splice(match) for match in self.targets(scene)))

    def _splice(self, match: Match) -> Splice:
        source = match.source
        if source.language in ("javascript", "typescript", "tsx"):
            from forgewright.code.javascript.refactor.documentation import set_comment

            return set_comment(match, self.text)
        body = nodes.body_of(match.node)
        if source.language != "python" or body is None:
            raise EditRefused(
                f"{match.kind} {match.name!r} has no docstring", hint="use (insert-before …) for comments"
            )
        found = bodies.statements(body)
        first = found[0] if found else None
        there = (
            first is not None and first.named_child_count == 1 and nodes.is_docstring(first.named_children[0])
        )
        if not self.text.strip():
            if not there or first is None:
                raise EditRefused(f"{match.kind} {match.name!r} has no docstring to remove")
            return delete(source, first)
        literal = _docstring(self.text)
        if there and first is not None:
            indent = layout.indentation(source.data, first.start_byte)
            text = layout.fit(literal, source, indent)[len(indent) :]
            return Splice(source.path, first.start_byte, first.end_byte, text)
        return bodies.into_body(source, match.node, literal, last=False)


def _docstring(text: str) -> str:
    text = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if "\n" in text:
        return f'"""{text}\n"""'
    return f'"""{text} """' if text.endswith('"') else f'"""{text}"""'


class AddBase(Targeted, frozen=True, kw_only=True):
    """Add a base class to a class; in TypeScript also an interface to a class or to an interface."""

    base: Annotated[str, Meta(description="The base class, as it is written there.", min_length=1)]

    group: ClassVar[str] = "class members"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-base target: 'class#A' base: 'Base')",
            before={"a.py": "class A:\n    pass\n"},
            after={"a.py": "class A(Base):\n    pass\n"},
        ),
        Example(
            program="(add-base target: 'class#A' base: 'Mixin')",
            before={"a.py": "class A(Base, metaclass=M):\n    pass\n"},
            after={"a.py": "class A(Base, Mixin, metaclass=M):\n    pass\n"},
        ),
        Example(
            program="(add-base target: 'class#A' base: 'Closeable')",
            before={"a.ts": "interface Closeable {}\nclass A extends B<string> {}\n"},
            after={"a.ts": "interface Closeable {}\nclass A extends B<string> implements Closeable {}\n"},
        ),
        Example(
            program="(add-base target: 'class#A' base: 'Base')",
            before={"a.js": "class A {\n  constructor() {}\n}\n"},
            refused="does not call super",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        splices = []
        for match in self.targets(scene):
            resolver = script(scene, match.path)
            if resolver is not None:
                from forgewright.code.javascript.refactor.bases import add_base

                splices.append(add_base(resolver, match, self.base))
                continue
            if match.node.type != "class_definition":
                raise EditRefused(
                    f"{match.kind} {match.name!r} is no Python class", hint="use (replace-node …)"
                )
            bases = match.node.child_by_field_name("superclasses")
            if bases is None:
                name = match.node.child_by_field_name("name")
                assert name is not None
                at = name.end_byte
                parameters = match.node.child_by_field_name("type_parameters")
                at = parameters.end_byte if parameters is not None else at
                splices.append(Splice(match.path, at, at, f"({self.base})".encode()))
                continue
            plain = [n for n in lists.items(bases) if n.type not in ("keyword_argument", "dictionary_splat")]
            splices.append(lists.insert(match.source, bases, len(plain), self.base))
        return Outcome(splices=tuple(splices))
