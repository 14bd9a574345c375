"""Inline a function: its body stands where it was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forgewright.code.javascript.names import parameters, pattern_of
from forgewright.code.javascript.refactor.inline_shapes import defined, in_loop, statement_of
from forgewright.code.javascript.refactor.inline_variable import (
    check_names,
    delete_statement,
)
from forgewright.code.javascript.refactor.leaving import completes
from forgewright.code.javascript.refactor.precedence import fitted, needs_parentheses
from forgewright.code.javascript.refactor.purity import Doing, Effect, earlier, effect, postponed
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.text import (
    CONTINUING,
    anchor_of,
    previous,
    reindented,
    semicolons,
)
from forgewright.code.javascript.refactor.uses import Use, Uses, host_of, this_of
from forgewright.code.layout import indent_unit, indentation, line_end, line_start, only_space
from forgewright.code.project import Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Entity
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node


class Given(NamedTuple):
    """What a parameter stands for in one call."""

    node: Node | None
    """None for an argument that is missing, and has no default."""
    reads: list[Use]


class Inliner:
    """The body of one function, ready to be put in the place of its calls. Raises `EditRefused`."""

    def __init__(self, resolver: JavaScriptResolver, uses: Uses, entity: Entity, function: Node) -> None:
        self.resolver, self.uses, self.entity, self.function = resolver, uses, entity, function
        self.name = entity.name
        self.source = resolver.project.source(uses.unit.path)
        self.method = function.type == "method_definition"
        self.value: Node | None = None
        """What it gives back."""
        self.statements: list[Node] = []
        self._check()
        self.parameters = self._parameters()

    def _refuse(self, why: str, hint: str = "inline it by hand") -> None:
        raise EditRefused(f"{self.name} {why}", hint=hint)

    def _check(self) -> None:
        function = self.function
        if len(self.entity.names) != 1:
            self._refuse("is defined more than once", "inline a function with one definition")
        if function.has("async") or function.has("*"):
            self._refuse("is async or a generator", "inline a plain function")
        if function.has("get") or function.has("set") or function.has("abstract"):
            self._refuse("is no plain method", "inline a method that is called")
        if self.name == "constructor":
            self._refuse("is a constructor", "inline a plain method")
        body = function.get("body")
        if body is None:
            self._refuse("has no body", "inline a function with a body")
            return
        if body.type != "statement_block":
            self.value = body.items[0] if body.type == "parenthesized_expression" and body.items else body
        else:
            self._block(body)
        for node in body.walk():
            if node.type in ("super", "meta_property") or node.text == "arguments":
                self._refuse(f"uses {node.text}")
            if node.type == "this" and not self.method and this_of(node) is function:
                self._refuse("uses this")
            if self.method and node.type == "this" and this_of(node) is not function:
                continue
        if any(use.node.within(body) for use in self.uses.of(self.entity)):
            self._refuse("calls itself", "inline a function that is not recursive")

    def _block(self, body: Node) -> None:
        statements = body.items
        returns = [n for n in body.walk() if n.type == "return_statement" and host_of(n) is self.function]
        if returns:
            if len(returns) > 1 or returns[0] is not statements[-1]:
                self._refuse("returns in the middle", "give it a single return at its end")
            self.value = returns[0].items[0] if returns[0].items else None
            statements = statements[:-1]
        elif statements and not completes(statements[-1]):
            self._refuse("throws in every case")
        self.statements = statements
        if any(s.type == "expression_statement" and s.items[0].type == "string" for s in statements):
            self._refuse("has a directive")

    def _parameters(self) -> list[tuple[str, Node | None, list[Use]]]:
        """(name, default, reads) of each."""
        found = []
        for parameter in parameters(self.function):
            pattern = pattern_of(parameter)
            if pattern.type != "identifier":
                self._refuse("takes its parameters apart, or any number of them", "give it plain parameters")
            entity = self.uses.unit.decl[pattern].real
            uses = [use for use in self.uses.of(entity) if not use.declares]
            if any(use.writes for use in uses):
                self._refuse(f"assigns its parameter {pattern.text}")
            default = parameter.get("value") or parameter.get("right")
            found.append((pattern.text, default, uses))
        return found

    # one call -----------------------------------------------------------------------------------

    def splices(self, call: Node) -> list[Splice]:
        """The edits at one call."""
        for top in [*self.statements, *([self.value] if self.value is not None else [])]:
            check_names(self.uses, top, call, skip=self.function)
        if (
            not self.method
            and self.function.type == "arrow_function"
            and this_of(call) is not this_of(self.function)
        ):
            if any(n.type == "this" for n in self.function.walk()):
                self._refuse(f"is called in line {line_of(call)} with another this")
        given = self._given(call)
        if self.statements:
            return self._as_statements(call, given)
        if self.value is None:
            return self._nothing(call, given)
        self._check_arguments(call, given)
        text = self._text([self.value], self.value.start, self.value.end, given, call)
        return [Splice(call.path, call.start, call.end, self._whole(text, given, call).encode())]

    def _whole(self, text: str, given: dict[str, Given], call: Node) -> str:
        """The value with parentheses, if it needs some where the call stands."""
        value = self.value
        assert value is not None
        if value.type == "identifier" and value.text in given:
            value = given[value.text].node or value
        text = self._moved(value, text, call)
        called = call.up.type == "call_expression" and call.field == "function"
        if called and value.type in ("member_expression", "subscript_expression"):
            return f"(0, {text})"
        return f"({text})" if needs_parentheses(value, call) else text

    def _moved(self, node: Node, text: str, call: Node) -> str:
        old = indentation(node.data, node.start).decode()
        return reindented(node, text, old, indentation(call.data, call.start).decode())

    def _given(self, call: Node) -> dict[str, Given]:
        arguments = call.get("arguments")
        assert arguments is not None
        items = arguments.items
        where = f"is called in line {line_of(call)}"
        if any(item.type == "spread_element" for item in items):
            self._refuse(f"{where} with ...", "write the arguments out")
        if any(effect(self.uses, extra) > Effect.STABLE for extra in items[len(self.parameters) :]):
            self._refuse(f"{where} with more arguments than it takes", "take them out")
        found = {}
        for at, (name, default, reads) in enumerate(self.parameters):
            node = items[at] if at < len(items) else default
            if at < len(items) and default is not None and not defined(items[at]):
                self._refuse(f"{where} with {items[at].text[:30]}, which may be undefined")
            found[name] = Given(node, reads)
        if self.method:
            self._receiver(call)
        return found

    def _receiver(self, call: Node) -> str:
        function = call.get("function")
        receiver = function.get("object") if function is not None else None
        if receiver is None or (receiver.type != "this" and receiver.type != "identifier"):
            self._refuse(f"is called in line {line_of(call)} on more than a name", "give it a name first")
        assert receiver is not None
        private = any(n.type == "private_property_identifier" for n in self.function.walk())
        if private and self.function.up.up not in call.above():
            self._refuse("uses private members", "inline it in its class only")
        return receiver.text

    def _check_arguments(self, call: Node, given: dict[str, Given]) -> None:
        """Refuse where an argument would be computed at another time, or another number of times."""
        value = self.value
        assert value is not None
        acts = Doing(self.uses, [value]).acts
        order: list[tuple[int, Node]] = []
        for node, reads in given.values():
            strength = effect(self.uses, node) if node is not None else Effect.CONSTANT
            if node is None or strength <= Effect.STABLE:
                continue
            hint = "give the argument a name first, with extract-variable"
            why = f"the argument {node.text[:40]} of line {line_of(call)}"
            if strength >= Effect.MAKES and len(reads) != 1:
                raise EditRefused(f"{why} would be computed {len(reads)} times", hint=hint)
            for use in reads:
                if host_of(use.node) is not self.function:
                    raise EditRefused(
                        f"{why} would be computed in another function of {self.name}", hint=hint
                    )
                if postponed(use.node, value) or in_loop(use.node, value):
                    raise EditRefused(f"{why} would be computed under a condition", hint=hint)
                order.append((use.node.start, node))
                before = [n for n in earlier(use.node, value) if not any(u.node.within(n) for u in reads)]
                if Doing(self.uses, before).disturbs(Doing(self.uses, [node])) or (
                    strength is Effect.ACTS and Doing(self.uses, [node]).disturbs(Doing(self.uses, before))
                ):
                    raise EditRefused(f"{why} would be computed after other code of {self.name}", hint=hint)
            if acts and len(reads) > 1:
                raise EditRefused(f"{why} would be computed again after a call", hint=hint)
        nodes = [node for _, node in sorted(order, key=lambda pair: pair[0])]
        for first, second in zip(nodes, nodes[1:], strict=False):
            if (
                first.start > second.start
                and Doing(self.uses, [first]).acts | Doing(self.uses, [second]).acts
            ):
                raise EditRefused(
                    f"the arguments of line {line_of(call)} would be computed in another order",
                    hint="give them names first, with extract-variable",
                )

    def _text(self, tops: list[Node], start: int, end: int, given: dict[str, Given], call: Node) -> str:
        """A piece of the body with the arguments in the parameters' place."""
        edits: list[tuple[int, int, str]] = []
        for name, (node, reads) in given.items():
            for use in reads:
                place = use.node
                if not start <= place.start < end:
                    continue
                if node is not None:
                    self._check_seen(node, place)
                if place is self.value:
                    text = node.text if node is not None else "undefined"
                else:
                    text = fitted(node, place) if node is not None else "undefined"
                if place.type == "shorthand_property_identifier":
                    text = f"{name}: {text}"
                edits.append((place.start, place.end, text))
        receiver = self._receiver(call) if self.method else ""
        for node in (n for top in tops for n in top.walk()):
            if node.type == "this" and receiver not in ("", "this") and this_of(node) is self.function:
                edits.append((node.start, node.end, receiver))
        data = self.source.data
        out, at = b"", start
        for first, last, text in sorted(edits):
            out += data[at:first] + text.encode()
            at = last
        return (out + data[at:end]).decode("utf-8", "surrogateescape")

    def _check_seen(self, argument: Node, place: Node) -> None:
        """Refuse where a name of the argument means something else inside the function."""
        for use in self.uses.within(argument.start, argument.end):
            if use.entity is not None and any(name.within(argument) for name in use.entity.names):
                continue
            for scope in self.uses.unit.scope_at(place).chain():
                if not scope.node.within(self.function):
                    break
                found = scope.table.get(use.node.text)
                if found is not None and not (scope.node is self.function and found.kind == "parameter"):
                    self._refuse(f"has a {use.node.text} of its own", "rename one of the two first")

    # statements ---------------------------------------------------------------------------------

    def _nothing(self, call: Node, given: dict[str, Given]) -> list[Splice]:
        for node, _ in given.values():
            if node is not None and effect(self.uses, node) > Effect.READS:
                self._refuse(
                    f"is called in line {line_of(call)} with what does something", "take it out first"
                )
        if call.up.type == "expression_statement" and anchor_of(call).kind == "block":
            return [delete_statement(self.source, call.up)]
        return [Splice(call.path, call.start, call.end, b"undefined")]

    def _as_statements(self, call: Node, given: dict[str, Given]) -> list[Splice]:
        holder = statement_of(call)
        anchor = anchor_of(call)
        if holder is None or anchor.kind != "block" or anchor.node is not holder:
            self._refuse(
                f"is called in line {line_of(call)} in the middle of a statement",
                "give the result a name first, with extract-variable",
            )
        assert holder is not None
        data, end = self.source.data, line_end(self.source.data).decode()
        indent = indentation(data, holder.start).decode()
        if not only_space(data[line_start(data, holder.start) : holder.start]):
            self._refuse(
                f"is called in line {line_of(call)}, which holds more than the call", "break the line"
            )
        bound, given = self._bound(given)
        declared = [*bound, *(u.node.text for u in self.uses.all if u.declares and u.node.within(self.function)
                              and host_of(u.node) is self.function and u.entity is not None
                              and u.entity.kind != "parameter")]  # fmt: skip
        plain = holder.type == "expression_statement" and holder.items[0] is call
        block = plain and bool(declared)
        inner = indent + (indent_unit(self.source).decode() if block else "")
        if not block:
            for name in declared:
                if (
                    self.uses.taken(name, holder.up) is not None
                    or self.uses.taken(name, host_of(call)) is not None
                ):
                    self._refuse(
                        f"declares {name}, which line {line_of(call)} knows too", "rename one of the two"
                    )
        stop = ";" if semicolons(self.uses.unit) else ""
        lines = [f"const {name} = {text}{stop}" for name, text in bound.items()]
        first, last = self.statements[0], self.statements[-1]
        text = self._text(self.statements, first.start, last.end, given, call)
        lines.append(reindented(self.statements, text, indentation(data, first.start).decode(), inner))
        if self.value is not None or not plain:
            shown = (
                self._text([self.value], self.value.start, self.value.end, given, call)
                if self.value
                else "undefined"
            )
            if plain:
                if self.value is not None and effect(self.uses, self.value) is Effect.ACTS:
                    lines.append(shown + stop)
            else:
                whole = self._whole(shown, given, call) if self.value is not None else shown
                head = data[holder.start : call.start].decode("utf-8", "surrogateescape")
                lines.append(head + whole + data[call.end : holder.end].decode("utf-8", "surrogateescape"))
        before = previous(holder)
        if lines[0].encode().startswith(CONTINUING) and before is not None and not stop:
            lines[0] = ";" + lines[0]
        body = (end + inner).join(lines)
        if block:
            body = f"{{{end}{inner}{body}{end}{indent}}}"
        elif stop and not body.endswith((";", "}")):
            body += stop
        return [Splice(call.path, holder.start, holder.end, body.encode("utf-8", "surrogateescape"))]

    def _bound(self, given: dict[str, Given]) -> tuple[dict[str, str], dict[str, Given]]:
        """Arguments that need a variable of their own, and those that can stand for their parameter."""
        own: dict[str, str] = {}
        rest: dict[str, Given] = {}
        for name, (node, reads) in given.items():
            if (
                node is None
                or effect(self.uses, node) <= Effect.STABLE
                or (node.type == "identifier" and node.text == name)
            ):
                rest[name] = Given(node, reads)
            else:
                if any(
                    u.node.text == name and not u.node.within(self.function)
                    for u in self.uses.within(node.start, node.end)
                ):
                    self._refuse(
                        f"has a parameter {name}, a name that its argument uses too", "rename one of the two"
                    )
                own[name] = node.text
        for node, _ in rest.values():
            if node is not None and any(u.node.text in own for u in self.uses.within(node.start, node.end)):
                self._refuse(f"has a parameter called as what {node.text[:30]} uses", "rename one of the two")
        return own, rest
