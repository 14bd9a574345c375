"""A function with all that must keep the same parameters as it, and every place that calls it.

Overloads, overriding and overridden methods, declarations in interfaces, functions that are put where an interface
expects them; calls through imports, `require`, other names, `.call`, `super(…)` and subclasses without a constructor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import Entity
from forgewright.code.javascript.hazards import place
from forgewright.code.javascript.locate import name_at
from forgewright.code.javascript.names import CLASSES, bare
from forgewright.code.javascript.refactor.functions import (
    function_of,
    holder,
    name_node,
    own_constructors,
    value_name,
)
from forgewright.code.javascript.refactor.mentions import (
    Call,
    Carrier,
    Escape,
    Module,
    of_value,
    use_at,
    value_at,
)
from forgewright.code.javascript.refactor.unseen import outside, required, unseen_caller
from forgewright.code.javascript.search import Search
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import places
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.resolver import JavaScriptResolver

SEARCHES_MAX = 60
"""Names under which one function is looked for; beyond it the question is refused."""
_TYPED = ("property_signature", "public_field_definition")
_MEMBERS = frozenset(
    ("property_identifier", "private_property_identifier", "shorthand_property_identifier_pattern")
)


class Family:
    """What a change of one function's parameters touches."""

    def __init__(self, first: Node, name: str) -> None:
        self.first = first
        """The function that was pointed at."""
        self.name = name
        self.functions: list[Node] = []
        """All declarations and implementations, `first` among them."""
        self.calls: list[Call] = []
        self.escapes: list[Escape] = []
        self.uncertain: list[Node] = []
        """Names that may mean it: members of things whose type is not known."""
        self.decorated = ""
        """The decorator of a class that is constructed by others."""

    def only_calls(self) -> list[Call]:
        """The calls, if there is nothing else. Raises `EditRefused`."""
        for escape in self.escapes:
            raise refused(escape, self.name)
        for node in self.uncertain:
            raise unsure(node, self.name)
        return self.calls


def refused(escape: Escape, name: str) -> EditRefused:
    return EditRefused(
        f"{name} {escape.why} at {place(escape.node)}, and may be called from there",
        hint="change that place first, as into a function that calls it",
    )


def unsure(node: Node, name: str) -> EditRefused:
    return EditRefused(
        f"{place(node)} may mean {name}: what it belongs to is not known", hint="make its type known first"
    )


def function_at(resolver: JavaScriptResolver, path: str, offset: int) -> Node:
    """The very function whose name, or whose first byte, is at a place. Raises `EditRefused`."""
    unit = resolver.program.unit(path)
    node = name_at(unit, offset) if unit is not None else None
    found = function_of(node) if node is not None and node.start <= offset else None
    if found is None and unit is not None:
        held = holder(unit.root.at(offset), offset)
        found = function_of(held) if held is not None else None
    return found if found is not None else family_at(resolver, path, offset).first


def family_at(resolver: JavaScriptResolver, path: str, offset: int, *, hierarchy: bool = True) -> Family:
    """The function whose name is at a byte (of a class: its constructor), with its calls. Raises `EditRefused`."""
    made = _constructor_at(resolver, path, offset)
    if made is not None:
        return Gathering(resolver, hierarchy).constructor(*made)
    name, entity = name_node(resolver, path, offset)
    if entity.unit.path[:1] == "\0" or "node_modules" in entity.unit.path.split("/"):
        raise EditRefused(f"{name.text!r} is not defined in this project", hint="point at the project's own")
    if entity.kind == "class":
        return Gathering(resolver, hierarchy).constructor(entity.names[0], entity)
    return Gathering(resolver, hierarchy).function(name, entity)


def _constructor_at(resolver: JavaScriptResolver, path: str, offset: int) -> tuple[Node, Entity] | None:
    """The class whose constructor is named at a place."""
    unit = resolver.program.unit(path)
    node = name_at(unit, offset) if unit is not None else None
    if node is None or node.text != "constructor" or node.up.up.type != "class_body" or node.field != "name":
        return None
    own = resolver.checker.own(node.up.up.up)
    return (own.names[0], own) if own is not None and own.names else None


class Gathering:
    """Follows one function through the project."""

    def __init__(self, resolver: JavaScriptResolver, hierarchy: bool) -> None:
        self.resolver = resolver
        self.program = resolver.program
        self.checker = resolver.checker
        self.hierarchy = hierarchy
        self.seen: set[Node] = set()
        self.queue: list[tuple[Node, Entity]] = []
        self.asked: set[Entity] = set()
        self.spread: set[Entity] = set()
        """Modules whose default export was looked for."""

    def function(self, name: Node, entity: Entity) -> Family:
        declared = [n for n in entity.names if n.path == name.path] or entity.names
        own = next((f for n in (name, *declared) if (f := function_of(n)) is not None), None)
        if own is None:
            raise EditRefused(
                f"{name.text} at {place(name)} names no function of the project",
                hint="point at a function's name",
            )
        self.family = Family(own, entity.declared_name)
        self.queue.append((declared[0] if declared else name, entity))
        self._run(classes=False)
        if own not in self.family.functions:
            self.family.functions.insert(0, own)
        return self.family

    def constructor(self, name: Node, entity: Entity) -> Family:
        nodes = own_constructors(self.checker.bodies(entity))
        if not nodes:
            raise EditRefused(
                f"{entity.declared_name} has no constructor of its own",
                hint="write one first, or name its base",
            )
        implemented = [node for node in nodes if node.get("body") is not None]
        self.family = Family((implemented or nodes)[-1], f"the constructor of {entity.declared_name}")
        self.family.functions = nodes
        self.queue.append((name, entity))
        self._run(classes=True)
        return self.family

    def _run(self, *, classes: bool) -> None:
        while self.queue:
            name, entity = self.queue.pop(0)
            entity = entity.real
            if entity in self.asked:
                continue
            self.asked.add(entity)
            if len(self.asked) > SEARCHES_MAX:
                raise EditRefused(
                    f"{self.family.name} goes by more than {SEARCHES_MAX} names", hint="change it in steps"
                )
            if classes and entity.kind == "class":
                self._inside(entity)
            search = Search(
                self.resolver.meanings, renaming=False, shorthand=False, keep=False, hierarchy=self.hierarchy
            )
            search.run(name, entity)
            for node in sorted(search.hits, key=lambda n: (n.path, n.start)):
                if node not in self.seen:
                    self.seen.add(node)
                    self._hit(node, classes)
            if _is_member(entity):
                self._unknown(search)
            if not self.queue:
                self._defaults(classes)

    def _defaults(self, classes: bool) -> None:
        """What names a default export as `m.default`, or takes it out of `import()` under another name."""
        for entity in list(self.asked):
            module = entity.unit.module
            exported = module.exports.get("default") if module is not None else None
            if module is None or exported is None or module in self.spread:
                continue
            if self.program.resolve(exported) not in self.asked and exported.real not in self.asked:
                continue
            self.spread.add(module)
            for path in self.program.containing("default"):
                unit = self.program.unit(path)
                for offset in places(unit.data, "default") if unit is not None else ():
                    node = unit.root.at(offset) if unit is not None else None
                    if node is None or node.type != "property_identifier" or node in self.seen:
                        continue
                    meant = self.resolver.meanings.at(node)
                    if meant is not None and (
                        meant is exported.real or self.program.resolve(meant) in self.asked
                    ):
                        self.seen.add(node)
                        self._hit(node, classes)

    def _hit(self, node: Node, classes: bool) -> None:
        unit = self.program.unit(node.path)
        if "node_modules" in node.path.split("/"):
            raise EditRefused(
                f"{self.family.name} is also declared in an installed package, {place(node)}",
                hint="only what the project itself defines can be changed",
            )
        if unit is not None and node in unit.decl and node.type != "shorthand_property_identifier":
            self._declared(node, classes)
            return
        heritage = self._subclass(node) if classes else None
        if heritage is not None:
            self._inherited(heritage)
            return
        self._use(use_at(node))

    def _use(self, use: Call | Carrier | Module | Escape | None) -> None:
        if isinstance(use, Call):
            if use.node not in {call.node for call in self.family.calls}:
                self.family.calls.append(use)
        elif isinstance(use, Escape):
            self.family.escapes.append(use)
        elif isinstance(use, Carrier):
            entity = self.resolver.meanings.at(use.name)
            if entity is not None and entity.real in self.asked:
                return
            declared = self.program.unit(use.name.path)
            if entity is None or declared is None or use.name not in declared.decl:
                self.family.escapes.append(Escape(use.name, use.name, "is kept in another place"))
                return
            holder = use.name.up.get("object")
            module = declared.module
            if holder is not None and holder.text in ("module.exports", "exports"):
                if module is not None and "export=" in module.exports:
                    target = self.program.resolve(module.exports["export="])
                    if target is None or target.kind != "object":
                        self.family.escapes.append(
                            Escape(use.name, use.name, "is exported with another export")
                        )
                        return
            unseen = unseen_caller(self.resolver, use.name)
            self.family.escapes += [unseen] if unseen is not None else []
            if use.name.type == "shorthand_property_identifier":
                entity = declared.decl[use.name].real
            self.queue.append((use.name, entity))
        elif isinstance(use, Module):
            for value in required(self.program, use.node):
                self._use(of_value(value, value) if value.type == "call_expression" else use_at(value))

    def _declared(self, name: Node, classes: bool) -> None:
        """A declaration among the occurrences: one of the functions, or another name for them."""
        parent = name.up
        if parent.type in ("import_specifier", "import_clause", "export_specifier", "namespace_import"):
            return
        if parent.type in CLASSES or parent.type in ("interface_declaration", "type_alias_declaration"):
            return
        if parent.type in ("internal_module", "namespace_export", "import_alias"):
            return
        function = function_of(name)
        if function is not None and not classes:
            if function not in self.family.functions:
                self.family.functions.append(function)
                unseen = unseen_caller(self.resolver, name)
                self.family.escapes += [unseen] if unseen is not None else []
            self._typed(name, function)
            self._exported(name, function)
            return
        if parent.type == "shorthand_property_identifier_pattern" or name.type == (
            "shorthand_property_identifier_pattern"
        ):
            return
        value = self._value(name)
        if value is None:
            if parent.type in ("pair_pattern",) or parent.field == "left":
                return
            self.family.escapes.append(Escape(name, name, "is declared without a function"))
            return
        inner = bare(value)
        if inner.type == "call_expression" and inner.get("function") is not None:
            called = inner.get("function")
            if called is not None and called.text == "require":
                return
        target = value_name(inner)
        entity = self.resolver.meanings.at(target) if target is not None else None
        entity = self.program.resolve(entity) if entity is not None else None
        if target is None or entity is None or not entity.names:
            self.family.escapes.append(Escape(name, name, "may be something else"))
            return
        self.queue.append((entity.names[0], entity))

    def _typed(self, name: Node, function: Node) -> None:
        """A variable with a type of its own takes its parameters from there."""
        parent = name.up
        kind = parent.get("type") if parent.type in ("variable_declarator", *_TYPED) else None
        if kind is None or function.type == "function_type":
            return
        self.family.escapes.append(Escape(name, name, "has a type that says what its parameters are"))

    def _exported(self, name: Node, function: Node) -> None:
        """`module.exports = function f() {}`, and a function that is a value where it is declared."""
        if function.type in ("function_expression", "generator_function", "arrow_function"):
            if name.up is function:
                value = function
                while value.up.type == "parenthesized_expression":
                    value = value.up
                self._use(of_value(value, name))

    @staticmethod
    def _value(name: Node) -> Node | None:
        parent = name.up
        if parent.type in ("variable_declarator", "pair", "public_field_definition", "field_definition"):
            return parent.get("value")
        if parent.type == "member_expression" and parent.up.type == "assignment_expression":
            return parent.up.get("right")
        return None

    # classes

    def _subclass(self, node: Node) -> Node | None:
        """The class whose `extends` names it here."""
        value = value_at(node)
        for above in value.above():
            if above.type == "extends_clause" or above.type == "class_heritage":
                clause = above.get("value") if above.type == "extends_clause" else above.items[0]
                return (
                    above.up
                    if above.type == "class_heritage" and clause is value
                    else (above.up.up if clause is value else None)
                )
            if above.type in CLASSES:
                return None
        return None

    def _inherited(self, cls: Node) -> None:
        """A subclass: its `super(…)` are calls; without a constructor it is constructed like its base."""
        body = cls.get("body")
        made = own_constructors([body]) if body is not None else []
        for constructor in made:
            for node in constructor.walk():
                if node.type == "call_expression":
                    called = node.get("function")
                    if called is not None and called.type == "super":
                        self.family.calls.append(Call(node, called, node.get("arguments")))
        if not made:
            entity = self.checker.own(cls)
            if entity is not None and entity.names:
                self.queue.append((entity.names[0], entity))
            else:
                self.family.escapes.append(Escape(cls, cls, "is the base of a class without a name"))

    def _inside(self, entity: Entity) -> None:
        """`new this(…)` and `new this.constructor(…)` inside of the class."""
        for body in self.checker.bodies(entity):
            holder = body.up
            if holder.first("decorator") is not None or holder.up.first("decorator") is not None:
                found = holder.first("decorator") or holder.up.first("decorator")
                assert found is not None
                self.family.decorated = found.text
            for node in body.walk():
                if node.type != "new_expression":
                    continue
                made = node.get("constructor")
                made = bare(made) if made is not None else None
                if made is not None and (made.type == "this" or "this" in made.text.split(".")[:1]):
                    self.family.escapes.append(Escape(node, node, f"is called as new {made.text}"))

    # members of things that are not known

    def _unknown(self, search: Search) -> None:
        for node in search.unknown:
            if node.type in _MEMBERS and node not in search.hits and node not in self.seen:
                if not outside(self.program, node):
                    self.seen.add(node)
                    self.family.uncertain.append(node)


def _is_member(entity: Entity) -> bool:
    if entity.roots:
        return True
    return entity.scope is None and entity.container is not None and entity.container.kind != "module"
