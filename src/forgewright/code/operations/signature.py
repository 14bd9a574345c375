"""Operations on a function's parameters; its calls follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from forgewright.code.operations.aimed import At, Within
from forgewright.code.operations.base import PYTHON, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import locate, python, span
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.refactor.calls import Call
    from forgewright.code.python.refactor.signature import Change

Function = Annotated[
    str, Meta(description="Selector of the function, as function[name=load] or class#Cache > method.")
]
Calls = Annotated[
    Literal["keep", "positional", "keywords"],
    Meta(description="How arguments are written: as they were, by position where possible, or by name."),
]
Hierarchy = Annotated[bool, Meta(description="Overriding and overridden methods too.")]


def changed(
    scene: Scene,
    target: Target,
    change: Change,
    *,
    calls: str = "keep",
    include: Callable[[Call], bool] | None = None,
) -> Outcome:
    from forgewright.code.python.refactor.signature import change_signature, function_at

    path, offset = locate(scene, target.symbol, target.at, target.within)
    resolver = python(scene, path)
    function = function_at(resolver, path, offset)
    style: Literal["keep", "positional", "keywords"] = (
        "positional" if calls == "positional" else "keywords" if calls == "keywords" else "keep"
    )
    splices = change_signature(
        resolver, function, change, style=style, hierarchy=target.hierarchy, chosen=include
    )
    files = {splice.path for splice in splices}
    return Outcome(
        splices=tuple(splices), text=f"{function.dotted()}: {len(splices)} places in {len(files)} file(s)"
    )


class Target(Operation, frozen=True, kw_only=True):
    """What the operations of this file have in common."""

    symbol: Function = ""
    at: At = ""
    within: Within = ""
    hierarchy: Hierarchy = True

    group: ClassVar[str] = "signature"
    languages: ClassVar[Languages] = PYTHON


class AddParameter(Target, frozen=True, kw_only=True):
    """Add a parameter, with a default, or with a value that each call passes, or both."""

    name: Annotated[str, Meta(description="Its name.")]
    type: Annotated[str, Meta(description="Its annotation.")] = ""
    default: Annotated[str | None, Meta(description="Its default, as code.")] = None
    value: Annotated[str | None, Meta(description="What the calls pass, as code.")] = None
    index: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Its place, from 0 (self counts); else last.")
    ] = None
    keyword_only: Annotated[bool, Meta(description="To be given by name only.")] = False
    include: Annotated[str, Meta(description="Glob: only calls in these files pass the value.")] = ""
    exclude: Annotated[str, Meta(description="Glob: calls in these files do not pass the value.")] = ""
    calls: Calls = "keep"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'timeout' type: 'float' default: '10.0')",
            before={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
            after={"app.py": "def fetch(url, timeout: float = 10.0):\n    return url\n\n\nfetch('x')\n"},
        ),
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'session' index: 0 value: 'None')",
            before={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
            after={"app.py": "def fetch(session, url):\n    return url\n\n\nfetch(None, 'x')\n"},
            note="Without a default, every call passes the value.",
        ),
        Example(
            program="(add-parameter symbol: 'function[name=fetch]' name: 'url')",
            before={"app.py": "def fetch(url):\n    return url\n"},
            refused="already has a parameter url",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.globs import matcher
        from forgewright.code.python.refactor.signature_changes import adding
        from forgewright.code.python.rename import check_name

        check_name(self.name)
        wanted = matcher(self.include) if self.include else None
        unwanted = matcher(self.exclude) if self.exclude else None

        def chosen(call: Call) -> bool:
            path = call.file.path
            return (wanted is None or wanted(path)) and (unwanted is None or not unwanted(path))

        change = adding(
            self.name,
            self.index,
            default=self.default,
            value=self.value,
            annotation=self.type or None,
            keyword_only=self.keyword_only,
        )
        if (wanted or unwanted) and self.default is None:
            raise EditRefused("calls that do not pass the value need a default", hint="give default: too")
        return changed(scene, self, change, calls=self.calls, include=chosen)


class RemoveParameter(Target, frozen=True, kw_only=True):
    """Remove a parameter, and its argument from every call."""

    name: Annotated[str, Meta(description="Its name.")] = ""
    index: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Or its place, from 0 (self counts).")
    ] = None
    calls: Calls = "keep"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(remove-parameter symbol: 'function[name=fetch]' name: 'retry')",
            before={"app.py": "def fetch(url, retry):\n    return url\n\n\nfetch('x', retry=2)\n"},
            after={"app.py": "def fetch(url):\n    return url\n\n\nfetch('x')\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature_changes import removing

        which = self.name or self.index
        if which is None:
            raise EditRefused("expected name: or index:", hint="say which parameter")
        return changed(scene, self, removing(which), calls=self.calls)


class ReorderParameters(Target, frozen=True, kw_only=True):
    """Put parameters in another order; calls by position follow."""

    order: Annotated[
        list[str], Meta(description="Names in their new order; those not named keep their places.")
    ]
    default: Annotated[
        str | None, Meta(description="Default for parameters that would follow one with a default.")
    ] = None
    calls: Calls = "keep"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(reorder-parameters symbol: 'function[name=put]' order: ['value', 'key'])",
            before={"app.py": "def put(key, value):\n    pass\n\n\nput(1, 2)\n"},
            after={"app.py": "def put(value, key):\n    pass\n\n\nput(2, 1)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature import function_at
        from forgewright.code.python.refactor.signature_changes import reordering

        path, offset = locate(scene, self.symbol, self.at, self.within)
        function = function_at(python(scene, path), path, offset)
        if self.calls == "keywords" and any(p.kind in ("star", "kwargs") for p in function.parameters):
            raise EditRefused(f"{function.name} takes any number of arguments", hint="calls: keep")
        return changed(scene, self, reordering(self.order, self.default), calls=self.calls)


class KeywordOnly(Target, frozen=True, kw_only=True):
    """Make parameters keyword-only; calls that passed them by position name them."""

    names: Annotated[list[str], Meta(description="The parameters.")]

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(keyword-only symbol: 'function[name=fetch]' names: ['retry'])",
            before={"app.py": "def fetch(url, retry=0):\n    pass\n\n\nfetch('x', 2)\n"},
            after={"app.py": "def fetch(url, *, retry=0):\n    pass\n\n\nfetch('x', retry=2)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature_changes import keyword_only

        return changed(scene, self, keyword_only(self.names))


class NormaliseCalls(Target, frozen=True, kw_only=True):
    """Write the arguments of all calls one way: by position, or by name."""

    calls: Calls = "keywords"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(normalise-calls symbol: 'function[name=put]' calls: 'keywords')",
            before={"app.py": "def put(key, value):\n    pass\n\n\nput(1, value=2)\n"},
            after={"app.py": "def put(key, value):\n    pass\n\n\nput(key=1, value=2)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        return changed(scene, self, lambda slots: slots, calls=self.calls)


class InlineDefault(Target, frozen=True, kw_only=True):
    """Calls that leave a parameter to its default pass it themselves."""

    name: Annotated[str, Meta(description="The parameter.")] = ""
    index: Annotated[Annotated[int, Meta(ge=0)] | None, Meta(description="Or its place, from 0.")] = None
    remove: Annotated[bool, Meta(description="Take the default off the definition.")] = False

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(inline-default symbol: 'function[name=f]' name: 'n' remove: true)",
            before={"app.py": "def f(n=1):\n    pass\n\n\nf()\n"},
            after={"app.py": "def f(n):\n    pass\n\n\nf(1)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature import function_at, inline_default

        which = self.name or self.index
        if which is None:
            raise EditRefused("expected name: or index:", hint="say which parameter")
        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        splices = inline_default(resolver, function_at(resolver, path, offset), which, remove=self.remove)
        return Outcome(splices=tuple(splices), text=f"{len(splices)} places")


class IntroduceParameter(Operation, frozen=True, kw_only=True):
    """An expression of a function's body becomes a parameter: passed by every call, or as its default."""

    range: Annotated[str, Meta(description="The expression: path:line:column-line:column.")] = ""
    select: Annotated[str, Meta(description="Or a selector of it.")] = ""
    within: Within = ""
    name: Annotated[str, Meta(description="The new parameter's name.")]
    as_default: Annotated[bool, Meta(description="Keep the expression as the default; calls stay.")] = False

    group: ClassVar[str] = "signature"
    languages: ClassVar[Languages] = PYTHON
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
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.parameters import introduce_parameter

        path, start, end = span(scene, self.range, self.select, self.within)
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
    languages: ClassVar[Languages] = PYTHON
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(inline-parameter symbol: 'function[name=add]' name: 'b')",
            before={"app.py": "def add(a, b):\n    return a + b\n\n\nadd(1, 2)\nadd(3, b=2)\n"},
            after={"app.py": "def add(a):\n    return a + 2\n\n\nadd(1)\nadd(3)\n"},
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.parameters import inline_parameter
        from forgewright.code.python.refactor.signature import function_at

        path, offset = locate(scene, self.symbol, self.at, self.within)
        resolver = python(scene, path)
        splices = inline_parameter(resolver, function_at(resolver, path, offset), self.name)
        return Outcome(splices=tuple(splices), text=f"inlined {self.name}")


class IntroduceParameterObject(Target, frozen=True, kw_only=True):
    """Several parameters become one object: a frozen data class, which the calls make and the body reads."""

    parameters: Annotated[list[str], Meta(description="Their names.", min_length=1)]
    name: Annotated[str, Meta(description="The new class's name.", min_length=1)]
    parameter: Annotated[
        str, Meta(description="The new parameter's name; else the class's in small letters.")
    ] = ""

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
    )

    def plan(self, scene: Scene) -> Outcome:
        import re

        from forgewright.code.python.refactor.parameter_object import introduce_parameter_object
        from forgewright.code.python.refactor.signature import function_at

        path, offset = locate(scene, self.symbol, self.at, self.within)
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
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.signature import function_at
        from forgewright.code.python.refactor.types import set_types

        path, offset = locate(scene, self.symbol, self.at, self.within)
        function = function_at(python(scene, path), path, offset)
        splices = set_types(function, dict(self.types), self.returns)
        return Outcome(
            splices=tuple(splices), text=f"{function.dotted()}: {len(splices)} annotations changed"
        )
