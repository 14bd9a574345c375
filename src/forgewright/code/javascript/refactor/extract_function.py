"""Take statements or an expression out into a function or a method of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from forgewright.code.javascript.hazards import check_name
from forgewright.code.javascript.names import name_of
from forgewright.code.javascript.refactor import leaving
from forgewright.code.javascript.refactor.annotate import Annotations
from forgewright.code.javascript.refactor.extract_variable import check_place, in_place, value_text, widest
from forgewright.code.javascript.refactor.flow import Flow, assignment_of
from forgewright.code.javascript.refactor.fresh_members import check_member
from forgewright.code.javascript.refactor.region import Region
from forgewright.code.javascript.refactor.text import (
    anchor_of,
    following,
    joins,
    place_definition,
    previous,
    reindented,
    semicolons,
    statement_text,
)
from forgewright.code.layout import indent_unit, indentation, line_end
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node


class Wanted(msgspec.Struct, frozen=True):
    """How a function is extracted; see the operation."""

    kind: str = "auto"
    place: str = "after"
    top: bool = False
    keep_last: bool = False


class Extraction:
    """One extraction of a function, planned. Raises `EditRefused`."""

    def __init__(self, resolver: JavaScriptResolver, region: Region, name: str, wanted: Wanted) -> None:
        check_name(name, quoted=False)
        self.region, self.uses, self.unit = region, region.uses, region.unit
        self.resolver, self.name, self.wanted = resolver, name, wanted
        self.source = resolver.project.source(region.path)
        if region.expression is not None:
            region.expression = widest(region.expression)
            region.start, region.end = region.expression.start, region.expression.end
            check_place(region.expression)
        self.leave = leaving.check(region)
        self.is_async = any(n.type in ("await_expression", "await") for n in region.here())
        self.kind = self._kind()
        self.anchor = self._anchor()
        self.home = self.unit.scope_at(self.anchor.up)
        self.flow = Flow(region, self.home, ends=bool(self.leave))
        self._check_this()
        self._check_name()
        self.notes: list[str] = []

    # what and where -----------------------------------------------------------------------------

    def _kind(self) -> str:
        wanted = self.wanted.kind
        host = self.region.this_host
        owned = host.up.type == "class_body"
        if wanted == "classmethod":
            raise EditRefused("a classmethod is for Python only", hint="extract a staticmethod")
        if self.wanted.top:
            return "function" if wanted == "auto" else wanted
        if wanted in ("method", "staticmethod") and not owned:
            raise EditRefused(
                f"a {wanted} can only be extracted from a class", hint="extract a function instead"
            )
        if wanted == "auto":
            if not owned or leaving.before_super(self.region, host):
                return "function"
            return "staticmethod" if host.has("static") or host.type == "class_static_block" else "method"
        return wanted

    def _anchor(self) -> Node:
        """The statement, or the member of a class, beside which the new function is put."""
        host = self.region.this_host
        if self.kind != "function":
            return host
        here = self.region.first
        if self.wanted.top or self.region.host.type == "program":
            while here.parent is not None and here.up.type != "program":
                here = here.up
            return here
        here = host if host.up.type == "class_body" else self.region.host
        while True:
            anchor = anchor_of(here)
            if anchor.kind == "block" and anchor.node.up.type in ("program", "statement_block"):
                return anchor.node
            here = anchor.node.up

    def _check_this(self) -> None:
        special = self.region.uses_this()
        if special is None:
            return
        word = special.text.split("(")[0]
        called = special.type == "super" and special.up.type == "call_expression"
        if special.type in ("this", "super") and not called and self.kind != "function":
            static = self.region.this_host.has("static") or self.region.this_host.type == "class_static_block"
            if static == (self.kind == "staticmethod"):
                return
        raise EditRefused(
            f"the selection uses {word}, which would be another one",
            hint="extract a method, or leave it out" if special.type == "this" else "leave it out",
        )

    def _check_name(self) -> None:
        name = self.name
        if self.kind != "function":
            check_member(self.resolver, self.anchor.up.up, self.name)
            return
        block = self.anchor.up
        taken = EditRefused(f"{name} is already used there", hint="choose another name")
        if name in self.home.table or self.uses.program.declared(self.home, name) is not None:
            raise taken
        if self.home.kind == "script" and self.uses.program.global_(name) is not None:
            raise taken
        if self.uses.hidden(name, self.region.first, self.home.node):
            raise taken
        outer = set(self.home.chain())
        for use in self.uses.within(block.start, block.end):
            if use.node.text != name:
                continue
            if use.entity is None or use.entity.scope in outer or self.region.contains(use.node):
                raise taken

    # text ---------------------------------------------------------------------------------------

    def splices(self) -> list[Splice]:
        flow, region = self.flow, self.region
        outputs = list(flow.outputs)
        if not outputs and self.wanted.keep_last and not self.leave and region.expression is None:
            written = [e for e in flow.inside if e in flow.foreign and flow.writes(e)] + flow.own
            last = max(written, key=lambda e: flow.inside[e][-1].node.start, default=None)
            outputs = [last] if last is not None and last.kind in ("const", "let", "var") else []
        inputs = sorted(flow.inputs, key=lambda e: flow.inside[e][0].node.start)
        typed = self._typed(inputs)
        call = f"{self._target()}({', '.join(e.name for e in inputs)})"
        definition = self._definition(typed, outputs)
        return [
            *self._call(f"await {call}" if self.is_async else call, outputs),
            place_definition(self.source, self.anchor, definition, before=self._before()),
        ]

    def _before(self) -> bool:
        at_top = self.kind == "function" and self.region.host.type == "program"
        return self.wanted.place == "before" or at_top

    def _target(self) -> str:
        if self.kind == "function":
            return self.name
        host = self.region.this_host
        if self.kind == "staticmethod" and not host.has("static") and host.type != "class_static_block":
            owner = name_of(self.anchor.up.up)
            if owner is None:
                raise EditRefused("the class has no name", hint="extract a method or a function")
            return f"{owner.text}.{self.name}"
        return f"this.{self.name}"

    def _typed(self, inputs: list[Entity]) -> list[str]:
        """The parameters, in TypeScript with their types, and the type parameters that they need."""
        if self.unit.javascript:
            self.generics = ""
            return [entity.name for entity in inputs]
        types = Annotations(self.resolver.checker, self.uses, self.home)
        found = []
        unknown = []
        for entity in inputs:
            said = types.of(entity)
            found.append(f"{entity.name}: {said}" if said else entity.name)
            unknown += [entity.name] if not said else []
        for entity in self.flow.types:
            if entity.kind != "type parameter" or not types.generic(entity):
                raise EditRefused(
                    f"the selection uses the type {entity.name}, which is not known there",
                    hint="move the type out of its function first",
                )
        for entity in inputs:
            if entity.kind in ("class", "enum") and any(
                use.node.type == "type_identifier" for use in self.flow.inside[entity]
            ):
                raise EditRefused(
                    f"the selection uses the type {entity.name}, which is not known there",
                    hint="move the type out of its function first",
                )
        if unknown:
            self.notes.append(f"the type could not be told of: {', '.join(unknown)}")
        self.generics = types.type_parameters()
        return found

    def _definition(self, parameters: list[str], outputs: list[Entity]) -> str:
        data, end = self.source.data, line_end(self.source.data).decode()
        indent = indentation(data, self.anchor.start).decode()
        inner = indent + indent_unit(self.source).decode()
        stop = ";" if semicolons(self.unit) else ""
        words = []
        if self.kind == "staticmethod":
            words.append("static")
        words += ["async"] if self.is_async else []
        words += ["function"] if self.kind == "function" else []
        head = f"{' '.join(words)} {self.name}".strip() + f"{self.generics}({', '.join(parameters)}) {{"
        old = indentation(data, self.region.start).decode()
        lines = [head]
        if self.region.expression is not None:
            text = reindented(self.region.expression, value_text(self.region.expression), old, inner)
            lines.append(f"{inner}return {text}{stop}")
        else:
            lines += [f"{inner}let {name}{stop}" for name in self._declared_anew()]
            lines.append(inner + self._body(old, inner))
            if len(outputs) == 1:
                lines.append(f"{inner}return {outputs[0].name}{stop}")
            elif outputs:
                lines.append(f"{inner}return {{ {', '.join(e.name for e in outputs)} }}{stop}")
        return end.join([*lines, f"{indent}}}"])

    def _declared_anew(self) -> list[str]:
        """Variables of the code around that the moved code only writes; those it begins with get `let` there."""
        self._begun: dict[int, bytes] = {}
        found = []
        for entity in self.flow.locals:
            first = self.flow.writes(entity)[0].node
            holder = assignment_of(first)
            if holder is not None and holder.up in self.region.statements and first.field == "left":
                self._begun[holder.start] = b"let "
            else:
                found.append(entity.name)
        return found

    def _body(self, old: str, inner: str) -> str:
        data, start, end = self.source.data, self.region.start, self.region.end
        text = b""
        at = start
        for offset in sorted(self._begun):
            text += data[at:offset] + self._begun[offset]
            at = offset
        whole = (text + data[at:end]).decode("utf-8", "surrogateescape")
        return reindented(self.region.statements, whole, old, inner)

    def _call(self, call: str, outputs: list[Entity]) -> list[Splice]:
        region, path = self.region, self.region.path
        if region.expression is not None:
            node = region.expression
            text = in_place(node, call)
            if self.is_async and node.field in ("object", "function", "constructor", "left"):
                text = f"({text})"
            return [Splice(path, region.start, region.end, text.encode())]
        data = self.source.data
        after = following(region.statements[-1])
        if data[region.end :].lstrip().startswith(b";"):
            after = None
        rest = data[after.start : after.start + 1] if after is not None else b""
        line = self._statement(call, outputs)
        before = previous(region.statements[0])
        if line.startswith("(") and joins(before, b"("):
            line = ";" + line
        text = statement_text(line, self.unit, rest)
        if data[region.end - 1 : region.end] == b";" and not text.endswith(";"):
            text += ";"
        return [Splice(path, region.start, region.end, text.encode())]

    def _statement(self, call: str, outputs: list[Entity]) -> str:
        """What stands instead of the statements, without its semicolon."""
        if self.leave == "value":
            return f"return {call}"
        if not outputs:
            return call
        names = ", ".join(e.name for e in outputs)
        own = [e for e in outputs if e in self.flow.own]
        if len(outputs) == 1:
            return f"{self._keyword(own)} {names} = {call}" if own else f"{names} = {call}"
        if len(own) == len(outputs):
            return f"{self._keyword(own)} {{ {names} }} = {call}"
        assigned = f"({{ {names} }} = {call})"
        if not own:
            return assigned
        end = line_end(self.source.data).decode()
        indent = indentation(self.source.data, self.region.start).decode()
        keyword = "var" if self._keyword(own) == "var" else "let"
        return f"{keyword} {', '.join(e.name for e in own)};{end}{indent}{assigned}"

    def _keyword(self, own: list[Entity]) -> str:
        kinds = {entity.kind for entity in own}
        return next((kind for kind in ("var", "let") if kind in kinds), "const")


def extract_function(
    resolver: JavaScriptResolver, path: str, start: int, end: int, name: str, what: str, wanted: Wanted
) -> tuple[list[Splice], tuple[str, ...]]:
    """The splices, and notes on types that could not be told. Raises `EditRefused`."""
    from forgewright.code.javascript.refactor.region import uses_of

    extraction = Extraction(resolver, Region(uses_of(resolver, path), start, end, what), name, wanted)
    return extraction.splices(), tuple(extraction.notes)
