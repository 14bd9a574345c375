"""Light type inference: enough to know whose attribute `x.y` is where annotations, calls and assignments tell.

Everything is lazy, memoised and bounded in depth; what is not understood is `UNKNOWN`, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.deadline import check as check_time
from forgewright.code.python import annotated, containers, members, narrowing, returns
from forgewright.code.python.known import BUILTINS, DEPTH_MAX, LITERALS
from forgewright.code.python.scopes import Binding, FileIndex, Link, Scope, Site
from forgewright.code.python.values import (
    NOTHING,
    UNKNOWN,
    UNSURE,
    ClassValue,
    External,
    ExternalInstance,
    Function,
    Instance,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.modules import Modules


class Inference:
    """Asks files for their facts and answers what an expression can be."""

    def __init__(self, modules: Modules, file: Callable[[str], FileIndex]) -> None:
        self.modules = modules
        self.file = file
        self._memo: dict[tuple[Scope, int, int, str], Values] = {}
        self._active: set[object] = set()
        self._mro: dict[Scope, tuple[list[Scope], bool]] = {}

    def forget(self) -> None:
        """Drop what was inferred, before the scopes that it speaks of are dropped."""
        self._memo.clear()
        self._mro.clear()

    # expressions ------------------------------------------------------------------------------

    def infer(self, node: Node, scope: Scope) -> Values:
        """The alternatives that the expression `node` in `scope` can be."""
        key = (scope, node.start_byte, node.end_byte, node.type)
        if key in self._memo:
            return self._memo[key]
        if key in self._active or len(self._active) > DEPTH_MAX:
            return NOTHING
        self._active.add(key)
        try:
            found = self._infer(node, scope)
        finally:
            self._active.discard(key)
        if not self._active or found:
            self._memo[key] = found
        return found

    def _infer(self, node: Node, scope: Scope) -> Values:
        kind = node.type
        if kind == "identifier":
            return self.infer_name(node, scope)
        if kind == "attribute":
            obj, attr = node.child_by_field_name("object"), node.child_by_field_name("attribute")
            if obj is None or attr is None:
                return UNSURE
            narrowed = narrowing.narrowed(self, node, scope)
            if narrowed is not None:
                return narrowed
            name = scope.file.text(attr)
            return union(*(self.member(value, name) for value in self.infer(obj, scope) or UNSURE))
        if kind == "call":
            check_time()
            return self.infer_call(node, scope)
        if kind in LITERALS:
            return (ExternalInstance(LITERALS[kind]),)
        if kind in ("parenthesized_expression", "await", "type", "expression_statement"):
            children = node.named_children
            return self.infer(children[0], scope) if len(children) == 1 else UNSURE
        if kind == "conditional_expression":
            children = node.named_children
            return (
                union(self.infer(children[0], scope), self.infer(children[2], scope))
                if len(children) == 3
                else UNSURE
            )
        if kind == "boolean_operator":
            children = node.named_children
            return union(*(self.infer(child, scope) for child in children))
        if kind == "named_expression":
            value = node.child_by_field_name("value")
            return self.infer(value, scope) if value is not None else UNSURE
        if kind in ("list", "set"):
            return (
                ExternalInstance(kind, (union(*(self.infer(c, scope) for c in node.named_children[:8])),)),
            )
        if kind in ("tuple", "expression_list"):
            return (ExternalInstance("tuple", tuple(self.infer(c, scope) for c in node.named_children[:8])),)
        if kind == "dictionary":
            pairs = [c for c in node.named_children if c.type == "pair"][:8]
            keys = union(*(self.infer(c.named_children[0], scope) for c in pairs)) if pairs else NOTHING
            values = union(*(self.infer(c.named_children[-1], scope) for c in pairs)) if pairs else NOTHING
            return (ExternalInstance("dict", (keys, values)),)
        if kind in ("list_comprehension", "set_comprehension", "generator_expression"):
            inner = self.scope_of(node, scope)
            body = node.child_by_field_name("body")
            element = self.infer(body, inner) if body is not None and inner is not None else UNSURE
            return (ExternalInstance("list", (element,)),)
        if kind == "subscript":
            return self.infer_subscript(node, scope)
        if kind == "none":
            return NOTHING
        if kind == "lambda":
            inner = self.scope_of(node, scope)
            return (Function(inner),) if inner is not None else UNSURE
        if kind == "dotted_name":
            return self.infer_dotted(node, len(node.named_children), scope)
        return UNSURE

    def scope_of(self, node: Node, scope: Scope) -> Scope | None:
        """The scope that a lambda or comprehension makes."""
        for inner in scope.file.scopes:
            if inner.node.start_byte == node.start_byte and inner.node.end_byte == node.end_byte:
                if inner.kind in ("lambda", "comprehension"):
                    return inner
        return None

    def infer_dotted(self, node: Node, count: int, scope: Scope) -> Values:
        """The first `count` parts of a dotted name."""
        parts = node.named_children
        values = self.infer_name(parts[0], scope)
        for part in parts[1:count]:
            name = scope.file.text(part)
            values = union(*(self.member(value, name) for value in values or UNSURE))
        return values

    def infer_name(self, node: Node, scope: Scope) -> Values:
        name = scope.file.text(node)
        narrowed = narrowing.narrowed(self, node, scope)
        if narrowed is not None:
            return narrowed
        binding = self.lookup(scope, name, node.start_byte)
        if binding is None:
            return (External(f"builtins.{name}"),) if name in BUILTINS else UNSURE
        return self.infer_binding(binding, node.start_byte, scope, node)

    def lookup(self, scope: Scope, name: str, position: int = 1 << 60) -> Binding | None:
        """As `FileIndex.lookup`, star imports included."""
        found = scope.file.lookup(scope, name, position)
        return found if found is not None else self.starred(scope.file, name)

    def starred(self, file: FileIndex, name: str, seen: frozenset[str] = frozenset()) -> Binding | None:
        """What `from m import *` in `file` brings in under this name."""
        for link, _ in reversed(file.stars):
            module = self.modules.find(file.path, link.level, link.module)
            if module is None or module in seen:
                continue
            for path in self.modules.files(module):
                if path == file.path:
                    continue
                other = self.file(path)
                exports = other.exports()
                if name not in exports if exports is not None else name.startswith("_"):
                    continue
                found = other.module.bindings.get(name) or self.starred(other, name, seen | {module})
                if found is not None:
                    return found
        return None

    # bindings ---------------------------------------------------------------------------------

    def infer_binding(
        self, binding: Binding, position: int = 1 << 60, scope: Scope | None = None, node: Node | None = None
    ) -> Values:
        """The alternatives of a name; those of the assignments that can reach `position`."""
        sites = [site for site in binding.sites if site.kind not in ("del", "augmented")]
        declared = [site for site in sites if site.annotation is not None and site.kind != "function"]
        if declared and declared[0].kind != "parameter":
            annotated = self.infer_site(declared[0])
            if annotated and UNKNOWN not in annotated:
                return annotated
        if len(sites) > 1 and scope is not None and node is not None:
            sites = narrowing.reaching(sites, node, scope, binding)
        return union(*(self.infer_site(site) for site in sites)) if sites else UNSURE

    def infer_site(self, site: Site) -> Values:
        key = site
        if key in self._active or len(self._active) > DEPTH_MAX:
            return NOTHING
        self._active.add(key)
        try:
            return self._infer_site(site)
        finally:
            self._active.discard(key)

    def _infer_site(self, site: Site) -> Values:
        kind, scope = site.kind, site.where
        if kind == "class" and site.scope is not None:
            return (ClassValue(site.scope),)
        if kind == "function" and site.scope is not None:
            return (Function(site.scope),)
        if kind in ("import", "from") and site.link is not None:
            return self.infer_link(site.link, scope.file.path)
        if kind == "parameter":
            return self.infer_parameter(site)
        if site.annotation is not None:
            declared = self.annotation(site.annotation, scope)
            if declared:
                return declared
        if site.value is None:
            return UNSURE
        if kind in ("variable", "self", "walrus"):
            value = self.infer(site.value, scope)
            for index in site.unpack:
                value = self.unpacked(value, index)
            return value
        if kind == "type":
            return self.infer(site.value, scope)
        if kind == "for":
            value = self.elements(self.infer(site.value, scope))
            for index in site.unpack:
                value = self.unpacked(value, index)
            return value
        if kind == "with":
            entered: list[Values] = []
            for one in self.infer(site.value, scope):
                entered.append(self.entered(one))
            return union(*entered) if entered and not site.unpack else UNSURE
        if kind == "except":
            nodes = site.value.named_children if site.value.type == "tuple" else [site.value]
            return union(*(self.instances(self.infer(one, scope)) for one in nodes))
        if kind == "match":
            if site.value.type == "class_pattern":
                return self.instances(self.infer(site.value.named_children[0], scope))
            return self.infer(site.value, scope)
        return UNSURE

    def infer_parameter(self, site: Site) -> Values:
        scope = site.where
        parameter = next((p for p in scope.parameters if p.start == site.start), None)
        owner = scope.method_of
        if parameter is None:
            return UNSURE
        if owner is not None and parameter.name == scope.self_name:
            names = {self.decorator_name(scope, d) for d in scope.decorators}
            if "classmethod" in names or scope.name in ("__new__", "__init_subclass__", "__class_getitem__"):
                return (ClassValue(owner),)
            if self.is_metaclass(owner):
                return UNSURE
            return (Instance(owner),)
        if site.annotation is not None:
            declared = self.annotation(site.annotation, scope)
            if parameter.kind == "star":
                return (ExternalInstance("tuple", (declared,)),)
            if parameter.kind == "kwargs":
                return (ExternalInstance("dict", (NOTHING, declared)),)
            return declared or UNSURE
        if parameter.kind == "star":
            return (ExternalInstance("tuple", (UNSURE,)),)
        if parameter.kind == "kwargs":
            return (ExternalInstance("dict", (NOTHING, UNSURE)),)
        if parameter.default is not None and scope.parent is not None:
            return union(self.infer(parameter.default, scope.parent), UNSURE)
        return UNSURE

    def is_metaclass(self, scope: Scope) -> bool:
        return any(scope.file.text(base) == "type" for base in scope.bases)

    def decorator_name(self, scope: Scope, decorator: Node) -> str:
        """The last name of a decorator: `cache` of `@functools.cache(…)`."""
        node = decorator.named_children[0] if decorator.named_children else decorator
        if node.type == "call":
            node = node.child_by_field_name("function") or node
        return scope.file.text(node).rpartition(".")[2]

    # members ----------------------------------------------------------------------------------

    # calls ------------------------------------------------------------------------------------

    # containers -------------------------------------------------------------------------------

    def instances(self, values: Values) -> Values:
        """Of classes: their instances."""
        return annotated.instances(self, values)

    def annotation(self, node: Node, scope: Scope, owner: Scope | None = None) -> Values:
        """What an annotation allows, as values."""
        return annotated.annotation(self, node, scope, owner)

    def alias(self, scope: Scope, name: str, owner: Scope | None) -> Values | None:
        """A name that stands for a type expression, or a type variable."""
        return annotated.alias(self, scope, name, owner)

    def generic(self, node: Node, scope: Scope, owner: Scope | None) -> Values:
        return annotated.generic(self, node, scope, owner)

    def elements(self, values: Values) -> Values:
        """What iterating gives."""
        return containers.elements(self, values)

    def iterated(self, value: Instance) -> Values:
        return containers.iterated(self, value)

    def unpacked(self, values: Values, index: int) -> Values:
        return containers.unpacked(self, values, index)

    def infer_subscript(self, node: Node, scope: Scope) -> Values:
        return containers.infer_subscript(self, node, scope)

    def entered(self, value: Value) -> Values:
        """What `with value as x` gives."""
        return containers.entered(self, value)

    def infer_call(self, node: Node, scope: Scope) -> Values:
        return returns.infer_call(self, node, scope)

    def called(self, value: Value, args: list[Node], scope: Scope) -> Values:
        return returns.called(self, value, args, scope)

    def external_method(self, value: ExternalInstance) -> Values:
        return returns.external_method(self, value)

    def builtin_call(self, name: str, args: list[Node], scope: Scope) -> Values | None:
        return returns.builtin_call(self, name, args, scope)

    def returned(self, scope: Scope, receiver: Scope | None = None) -> Values:
        """What a call of this function gives."""
        return returns.returned(self, scope, receiver)

    def infer_link(self, link: Link, path: str) -> Values:
        return members.infer_link(self, link, path)

    def module_member(self, module: str, name: str) -> Values:
        return members.module_member(self, module, name)

    def module_binding(self, module: str, name: str) -> Binding | None:
        return members.module_binding(self, module, name)

    def mro(self, scope: Scope) -> tuple[list[Scope], bool]:
        """The class and those it inherits from, nearest first; and whether all of them are known."""
        return members.mro(self, scope)

    def owner(self, scope: Scope, name: str, after: bool = False) -> Scope | None:
        """The nearest class in the resolution order that defines `name`."""
        return members.owner(self, scope, name, after)

    def sites(self, cls: Scope, name: str) -> list[Site]:
        return members.sites(self, cls, name)

    def member(self, value: Value, name: str) -> Values:
        """What `value.name` can be."""
        return members.member(self, value, name)

    def class_member(self, cls: Scope, name: str, value: Value) -> Values:
        return members.class_member(self, cls, name, value)

    def is_enum(self, cls: Scope) -> bool:
        return members.is_enum(self, cls)

    # annotations ------------------------------------------------------------------------------
