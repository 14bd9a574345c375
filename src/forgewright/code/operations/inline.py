"""`inline`: a variable's value or a function's body in the place of its name."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from forgewright.code.globs import matcher
from forgewright.code.operations.base import PYTHON, SCRIPTS, Example, Languages, Operation, Outcome, Scene
from forgewright.code.operations.targets import locate, python, script
from forgewright.core.errors import EditRefused


class Inline(Operation, frozen=True, kw_only=True):
    """Put a variable's value, or a function's body, where it is used, and take the definition out.

    Refused where the meaning would change: several assignments, recursion, a return in the middle, uses that are
    no calls.
    """

    symbol: Annotated[str, Meta(description="Selector of the definition, as function[name=load].")] = ""
    at: Annotated[str, Meta(description="Or where its name stands: path:line:column.")] = ""
    within: Annotated[str, Meta(description="Glob of the files in which the selector is looked up.")] = ""
    only_here: Annotated[
        bool, Meta(description="Only the use that `at:` points at; the definition stays.")
    ] = False
    keep: Annotated[bool, Meta(description="Leave the definition in place.")] = False
    strings: Annotated[bool, Meta(description="In strings and comments where the name is visible, too.")] = (
        False
    )
    files: Annotated[str, Meta(description="Glob: change these files only.")] = ""

    group: ClassVar[str] = "inline"
    languages: ClassVar[Languages] = (*PYTHON, *SCRIPTS)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            program="(inline at: 'app.py:2:5')",
            before={"app.py": "def f(w, h):\n    area = w + h\n    return area * 2\n"},
            after={"app.py": "def f(w, h):\n    return (w + h) * 2\n"},
            note="Parentheses are added where precedence needs them.",
        ),
        Example(
            program="(inline symbol: 'function[name=double]')",
            before={"app.py": "def double(x):\n    return x * 2\n\n\nprint(double(3))\n"},
            after={"app.py": "print(3 * 2)\n"},
        ),
        Example(
            program="(inline at: 'app.py:1:1')",
            before={"app.py": "a = 1\na = 2\nprint(a)\n"},
            refused="bound more than once",
        ),
        Example(
            program="(inline at: 'app.ts:2:9')",
            before={
                "app.ts": "function f(w: number, h: number) {\n  const area = w + h;\n  return area * 2;\n}\n"
            },
            after={"app.ts": "function f(w: number, h: number) {\n  return (w + h) * 2;\n}\n"},
        ),
        Example(
            program="(inline symbol: 'variable[name=last]')",
            before={"app.js": "let last = queue.length - 1\nqueue.push(1)\nlog(last)\n"},
            refused="may change its value",
        ),
    )

    def plan(self, scene: Scene) -> Outcome:
        from forgewright.code.python.refactor.inline import inline_variable
        from forgewright.code.python.refactor.inline_function import inline_function

        path, offset = locate(scene, self.symbol, self.at, self.within)
        if (scripts := script(scene, path)) is not None:
            from forgewright.code.javascript.refactor.inline import inline

            name, made = inline(
                scripts,
                path,
                offset,
                only=self.only_here,
                keep=self.keep,
                strings=self.strings,
                files=self.files,
            )
            return Outcome(splices=tuple(made), text=f"inlined {name} in {path}")
        resolver = python(scene, path)
        keys, name = resolver.keys_at(path, offset)
        if not keys and name and self.strings:
            file = resolver.file(path)
            binding = resolver.types.lookup(file.scope_at(offset), name)
            keys = resolver.identity.of_binding(binding) if binding is not None else keys
        if not keys:
            raise EditRefused("no symbol of this project is named there", hint="point at a name")
        only = (path, offset) if self.only_here else None
        remove = not (self.keep or self.only_here)
        scopes = [
            site.scope
            for key in keys
            if not key.is_module
            for site in resolver.identity.sites(key)
            if site.kind == "function" and site.scope is not None
        ]
        if scopes:
            splices = inline_function(resolver, scopes[-1], only=only, remove=remove)
        else:
            splices = inline_variable(resolver, keys, name, only=only, remove=remove, strings=self.strings)
        if self.files:
            wanted = matcher(self.files)
            splices = [splice for splice in splices if wanted(splice.path)]
        files = {splice.path for splice in splices}
        return Outcome(splices=tuple(splices), text=f"inlined {name} in {', '.join(sorted(files))}")
