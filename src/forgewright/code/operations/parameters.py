"""Operations on parameters that are there: their defaults, types, and what they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.operations.aimed import At, Within
from forgewright.code.operations.base import (
    PYTHON,
    SCRIPTS,
    Example,
    Languages,
    Operation,
    Outcome,
    Scene,
    plural,
)
from forgewright.code.operations.signature import Function, Target
from forgewright.code.operations.targets import locate, python, script, span
from forgewright.core.errors import EditRefused


class InlineDefault(Target, frozen=True, kw_only=True):
    """Calls that leave a parameter to its default pass it themselves."""

    name: Annotated[str, Meta(description="The parameter.")] = ""
    index: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="Or its place, from 0.")] = None
    remove: Annotated[bool, Meta(description="Take the default off the definition.")] = False

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(inline-default symbol: 'function[name=f]' name: 'n' remove: true)",
            before={"app.py": "def f(n=1):\n    pass\n\n\nf()\n"},
            after={"app.py": "def f(n):\n    pass\n\n\nf(1)\n"},
        ),
        Example(
            program="(inline-default symbol: 'function#f' name: 'n' remove: true)",
            before={"a.ts": "function f(text: string, n = 1) {}\nf('a');\nf('b', 2);\n"},
            after={"a.ts": "function f(text: string, n: number) {}\nf('a', 1);\nf('b', 2);\n"},
        ),
        Example(
            program="(inline-default symbol: 'function#f' name: 'n')",
            before={"a.js": "const f = (n = []) => {};\nf();\n"},
            after={"a.js": "const f = (n = []) => {};\nf([]);\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        script_resolver = script(scene, path)
        if script_resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.inlined_default(script_resolver, path, offset, self)
        from forgewright.code.python.refactor.defaults import inline_default
        from forgewright.code.python.refactor.signature import function_at

        which = self.name or self.index
        if which is None:
            raise EditRefused("expected name: or index:", hint="say which parameter")
        resolver = python(scene, path)
        splices = inline_default(resolver, function_at(resolver, path, offset), which, remove=self.remove)
        return Outcome(splices=tuple(splices), text=plural(len(splices), "place"))


class IntroduceParameter(Operation, frozen=True, kw_only=True):
    """An expression of a function's body becomes a parameter: passed by every call, or as its default."""

    range: Annotated[str, Meta(description="The expression: path:line:column-line:column.")] = ""
    select: Annotated[str, Meta(description="Or a selector of it.")] = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The new parameter's name.")]
    as_default: Annotated[bool, Meta(description="Keep the expression as the default; calls stay.")] = False

    group: ClassVar[str] = "signature"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(introduce-parameter range: 'app.py:2:12-2:24' name: 'text')",
            before={"app.py": "def greet(name):\n    return 'Hi ' + name\n\n\ngreet('Ada')\n"},
            after={"app.py": "def greet(name, text):\n    return text\n\n\ngreet('Ada', 'Hi ' + 'Ada')\n"},
        ),
        Example(
            program="(introduce-parameter range: 'app.py:5:19-5:24' name: 'limit' as_default: true)",
            before={"app.py": "limit = 10\n\n\ndef first(items):\n    return items[:limit]\n"},
            after={"app.py": "limit = 10\n\n\ndef first(items, limit=limit):\n    return items[:limit]\n"},
        ),
        Example(
            program="(introduce-parameter range: 'app.ts:2:10-2:22' name: 'text' as_default: true)",
            before={"app.ts": "function greet(name: string) {\n  return 'Hi ' + name;\n}\n\ngreet('Ada');\n"},
            after={
                "app.ts": "function greet(name: string, text = 'Hi ' + name) {\n  return text;\n}\n\ngreet('Ada');\n"
            },
        ),
        Example(
            program="(introduce-parameter select: 'number' name: 'count')",
            before={"app.js": "const first = items => items.slice(-3)\nfirst(xs)\n"},
            after={"app.js": "const first = (items, count) => items.slice(-count)\nfirst(xs, 3)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.parameters import introduce_parameter

        path, start, end = span(scene, self.range, self.select, self.within)
        if (scripts := script(scene, path)) is not None:
            from forgewright.code.javascript.refactor import introduce_parameter as introducing

            return introducing.introduce_parameter(
                scripts, path, start, end, self.name, as_default=self.as_default
            )
        resolver = python(scene, path)
        splices = introduce_parameter(
            resolver, resolver.file(path), start, end, self.name, as_default=self.as_default
        )
        text = f"introduced {self.name}"
        return Outcome(splices=tuple(splices), text=text, captures=frozenset((self.name,)))


class InlineParameter(Operation, frozen=True, kw_only=True):
    """A parameter that every call gives the same constant is replaced by it, and removed."""

    symbol: Function = ""
    at: At = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The parameter.")]

    group: ClassVar[str] = "inline"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(inline-parameter symbol: 'function[name=add]' name: 'b')",
            before={"app.py": "def add(a, b):\n    return a + b\n\n\nadd(1, 2)\nadd(3, b=2)\n"},
            after={"app.py": "def add(a):\n    return a + 2\n\n\nadd(1)\nadd(3)\n"},
        ),
        Example(
            program="(inline-parameter symbol: 'function#add' name: 'b')",
            before={
                "a.ts": "function add(a: number, b: number) {\n  return a + b;\n}\nadd(1, -2);\nadd(3, -2);\n"
            },
            after={"a.ts": "function add(a: number) {\n  return a + -2;\n}\nadd(1);\nadd(3);\n"},
        ),
        Example(
            program="(inline-parameter symbol: 'function#show' name: 'unit')",
            before={"a.js": "function show(unit) {\n  return { unit };\n}\nshow('m');\nshow('km');\n"},
            refused="the calls pass different values for unit: 'km', 'm'",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        script_resolver = script(scene, path)
        if script_resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.inlined_parameter(script_resolver, path, offset, self)
        from forgewright.code.python.refactor.parameters import inline_parameter
        from forgewright.code.python.refactor.signature import function_at

        resolver = python(scene, path)
        splices = inline_parameter(resolver, function_at(resolver, path, offset), self.name)
        return Outcome(splices=tuple(splices), text=f"inlined {self.name}")


class IntroduceParameterObject(Target, frozen=True, kw_only=True):
    """Several parameters become one object: a frozen data class, which the calls make and the body reads.

    In JavaScript and TypeScript an object literal that the function takes apart, with an interface for its type.
    """

    parameters: Annotated[list[str], Meta(description="Their names.", min_length=1)]
    name: Annotated[str, Meta(description="The new class's name.", min_length=1)]
    parameter: Annotated[
        str, Meta(description="The new parameter's name; else the class's in small letters.")
    ] = ""

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(introduce-parameter-object symbol: 'function#fetch' parameters: ['host', 'port'] name: 'Address')",
            before={
                "net.py": "def fetch(path, host: str, port: int = 80):\n    return f'{host}:{port}/{path}'\n",
                "app.py": "from net import fetch\n\nfetch('a', 'localhost')\nfetch('b', port=81, host='h')\n",
            },
            after={
                "net.py": "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Address:\n    host: str\n"
                "    port: int = 80\n\n\ndef fetch(path, address: Address):\n"
                "    return f'{address.host}:{address.port}/{path}'\n",
                "app.py": "from net import fetch, Address\n\nfetch('a', Address(host='localhost'))\n"
                "fetch('b', Address(port=81, host='h'))\n",
            },
        ),
        Example(
            program="(introduce-parameter-object symbol: 'function#f' parameters: ['n'] name: 'Size')",
            before={"app.py": "def f(n):\n    n += 1\n    return n\n"},
            refused="n is assigned in f",
        ),
        Example(
            program="(introduce-parameter-object symbol: 'function#load' parameters: ['host', 'port'] name: 'Address')",
            before={
                "net.ts": "export function load(path: string, host: string, port = 80) {\n"
                "  return `${host}:${port}/${path}`;\n}\n",
                "app.ts": "import { load } from './net';\n\nconst host = 'h';\nload('a', host);\nload('b', 'x', 81);\n",
            },
            after={
                "net.ts": "export interface Address {\n  host: string;\n  port?: number;\n}\n\n"
                "export function load(path: string, { host, port = 80 }: Address) {\n"
                "  return `${host}:${port}/${path}`;\n}\n",
                "app.ts": "import { load } from './net';\n\nconst host = 'h';\nload('a', { host });\n"
                "load('b', { host: 'x', port: 81 });\n",
            },
        ),
        Example(
            program="(introduce-parameter-object symbol: 'function#f' parameters: ['a', 'b'] name: 'Options')",
            before={"a.js": "function f(a, b = 2) {\n  return a + b;\n}\nf(1);\n"},
            after={"a.js": "function f({ a, b = 2 }) {\n  return a + b;\n}\nf({ a: 1 });\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        script_resolver = script(scene, path)
        if script_resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.parameter_object(script_resolver, path, offset, self)
        import re

        from forgewright.code.python.refactor.parameter_object import introduce_parameter_object
        from forgewright.code.python.refactor.signature import function_at

        resolver = python(scene, path)
        function = function_at(resolver, path, offset)
        name = self.parameter or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name).lower()
        splices = introduce_parameter_object(resolver, function, self.parameters, self.name, name)
        files = {splice.path for splice in splices}
        return Outcome(
            splices=tuple(splices), text=f"{function.dotted()} takes {self.name}; {len(files)} files changed"
        )


class SetTypes(Target, frozen=True, kw_only=True):
    """Set, change or (with empty text) take away the annotations of parameters and of the result."""

    types: Annotated[Mapping[str, str], Meta(description="Parameter → its annotation.")] = {}
    returns: Annotated[str | None, Meta(description="The annotation of the result.")] = None

    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(set-types symbol: 'function#fetch' types: {url: 'str' retry: 'int'} returns: 'bytes')",
            before={"app.py": "def fetch(url, retry=2, *rest):\n    return b''\n"},
            after={"app.py": "def fetch(url: str, retry: int = 2, *rest) -> bytes:\n    return b''\n"},
        ),
        Example(
            program="(set-types symbol: 'function#fetch' types: {url: ''})",
            before={"app.py": "def fetch(url: str = 'x') -> None:\n    pass\n"},
            after={"app.py": "def fetch(url='x') -> None:\n    pass\n"},
        ),
        Example(
            program="(set-types symbol: 'function#load' types: {url: 'string' retry: ''} returns: 'Promise<void>')",
            before={"a.ts": "async function load(url, retry: number = 2) {}\n"},
            after={"a.ts": "async function load(url: string, retry = 2): Promise<void> {}\n"},
        ),
        Example(
            program="(set-types symbol: 'function#load' types: {url: 'string'})",
            before={"a.js": "function load(url) {}\n"},
            refused="a.js is JavaScript, which has no annotations",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        path, offset = locate(scene, self.symbol, self.at, self.within)
        script_resolver = script(scene, path)
        if script_resolver is not None:
            from forgewright.code.javascript.refactor import changes

            return changes.set_types(script_resolver, path, offset, self)
        from forgewright.code.python.refactor.signature import function_at
        from forgewright.code.python.refactor.types import set_types

        function = function_at(python(scene, path), path, offset)
        splices = set_types(function, dict(self.types), self.returns)
        return Outcome(
            splices=tuple(splices), text=f"{function.dotted()}: {len(splices)} annotations changed"
        )
