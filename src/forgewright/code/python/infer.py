"""Light type inference: enough to know whose attribute `x.y` is where annotations, calls and assignments tell.

Everything is lazy, memoised and bounded in depth; what is not understood is `UNKNOWN`, never guessed.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING

from forgewright.code.python import narrowing
from forgewright.code.python.parse import parse_span
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
    ModuleValue,
    Super,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.modules import Modules

DEPTH_MAX = 24
BUILTINS = frozenset(dir(builtins))
ITERABLES = frozenset(
    [
        "list",
        "set",
        "tuple",
        "frozenset",
        "deque",
        "Iterable",
        "Iterator",
        "Sequence",
        "MutableSequence",
        "Collection",
        "Generator",
        "List",
        "Set",
        "Tuple",
        "FrozenSet",
        "Deque",
        "AbstractSet",
        "MutableSet",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "Reversible",
        "Container",
        "KeysView",
        "ValuesView",
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "OrderedDict",
        "DefaultDict",
    ]
)
MAPPINGS = frozenset(
    [
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "OrderedDict",
        "DefaultDict",
        "ChainMap",
        "Counter",
    ]
)
WRAPPERS = frozenset(
    ["Optional", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Awaitable", "Coroutine"]
)
TRANSPARENT = frozenset(
    [
        "staticmethod",
        "classmethod",
        "abstractmethod",
        "override",
        "final",
        "overload",
        "lru_cache",
        "cache",
        "wraps",
        "no_type_check",
        "asynccontextmanager",
        "contextmanager",
        "atomic",
    ]
)
PROPERTIES = frozenset(
    ["property", "cached_property", "setter", "getter", "deleter", "abstractproperty", "classproperty"]
)
LITERALS = {
    "string": "str",
    "concatenated_string": "str",
    "integer": "int",
    "float": "float",
    "true": "bool",
    "false": "bool",
    "comparison_operator": "bool",
    "not_operator": "bool",
}


class Inference:
    """Asks files for their facts and answers what an expression can be."""

    def __init__(self, modules: Modules, file: Callable[[str], FileIndex]) -> None:
        self.modules = modules
        self.file = file
        self._memo: dict[tuple[Scope, int, int, str], Values] = {}
        self._active: set[object] = set()
        self._mro: dict[Scope, tuple[list[Scope], bool]] = {}

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

    def infer_link(self, link: Link, path: str) -> Values:
        module = self.modules.find(path, link.level, link.module)
        if link.name is None:
            return (ModuleValue(module),) if module is not None else (External(".".join(link.module)),)
        if module is None:
            if link.level:
                return UNSURE
            return (External(".".join((*link.module, link.name))),)
        return self.module_member(module, link.name)

    def module_member(self, module: str, name: str) -> Values:
        binding = self.module_binding(module, name)
        if binding is not None:
            own = [site for site in binding.sites if site.kind in ("import", "from")]
            inner = self.modules.submodule(module, name)
            if inner is not None and own and len(own) == len(binding.sites):
                return union(self.infer_binding(binding), (ModuleValue(inner),))
            return self.infer_binding(binding)
        inner = self.modules.submodule(module, name)
        if inner is not None:
            return (ModuleValue(inner),)
        return UNSURE

    def module_binding(self, module: str, name: str) -> Binding | None:
        for path in self.modules.files(module):
            file = self.file(path)
            found = file.module.bindings.get(name) or self.starred(file, name, frozenset({module}))
            if found is not None:
                return found
        return None

    # members ----------------------------------------------------------------------------------

    def mro(self, scope: Scope) -> tuple[list[Scope], bool]:
        """The class and those it inherits from, nearest first; and whether all of them are known."""
        if scope in self._mro:
            return self._mro[scope]
        self._mro[scope] = ([scope], True)
        order: list[Scope] = [scope]
        complete = True
        for base in scope.bases:
            values = self.infer(base, scope.parent or scope)
            complete &= bool(values)
            for value in values:
                if isinstance(value, ClassValue):
                    inner, whole = self.mro(value.scope)
                    order += inner
                    complete &= whole
                elif not isinstance(value, External):
                    complete = False
        unique = list(dict.fromkeys(reversed(order)))
        unique.reverse()
        self._mro[scope] = (unique, complete)
        return self._mro[scope]

    def owner(self, scope: Scope, name: str, after: bool = False) -> Scope | None:
        """The nearest class in the resolution order that defines `name`."""
        order = self.mro(scope)[0]
        for cls in order[1:] if after else order:
            if name in cls.bindings or name in cls.self_sites or name in cls.slots:
                return cls
        return None

    def sites(self, cls: Scope, name: str) -> list[Site]:
        binding = cls.bindings.get(name)
        return (binding.sites if binding is not None else []) + cls.self_sites.get(name, [])

    def member(self, value: Value, name: str) -> Values:
        """What `value.name` can be."""
        if isinstance(value, ModuleValue):
            return self.module_member(value.module, name)
        if isinstance(value, (ClassValue, Instance, Super)):
            cls = self.owner(value.scope, name, isinstance(value, Super))
            if cls is None:
                if name == "__class__" and isinstance(value, Instance):
                    return (ClassValue(value.scope),)
                return UNSURE
            return self.class_member(cls, name, value)
        if isinstance(value, External):
            return (External(f"{value.name}.{name}"),)
        if isinstance(value, ExternalInstance):
            return (ExternalInstance(f"{value.name}.{name}", value.args),)
        return UNSURE

    def class_member(self, cls: Scope, name: str, value: Value) -> Values:
        found: list[Values] = []
        sites = [site for site in self.sites(cls, name) if site.kind not in ("del", "augmented")]
        declared = [site for site in sites if site.annotation is not None]
        if declared and all(site.kind in ("variable", "self") for site in sites):
            annotated = self.infer_site(declared[0])
            if annotated and UNKNOWN not in annotated:
                return annotated
        receiver = value.scope if isinstance(value, (ClassValue, Instance, Super)) else None
        for site in sites[:8]:
            if site.kind == "function" and site.scope is not None:
                names = {self.decorator_name(site.scope, d) for d in site.scope.decorators}
                if names & PROPERTIES and isinstance(value, (Instance, Super)):
                    found.append(self.returned(site.scope, receiver))
                else:
                    found.append((Function(site.scope, receiver),))
            else:
                found.append(self.infer_site(site))
        if self.is_enum(cls) and isinstance(value, ClassValue) and cls.bindings.get(name) is not None:
            if all(site.kind == "variable" for site in sites):
                return (Instance(cls),)
        return union(*found) if found else UNSURE

    def is_enum(self, cls: Scope) -> bool:
        for scope in self.mro(cls)[0]:
            for base in scope.bases:
                if scope.file.text(base).rpartition(".")[2] in (
                    "Enum",
                    "IntEnum",
                    "StrEnum",
                    "Flag",
                    "IntFlag",
                ):
                    return True
        return False

    # calls ------------------------------------------------------------------------------------

    def infer_call(self, node: Node, scope: Scope) -> Values:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if function is None:
            return UNSURE
        args = [c for c in arguments.named_children if c.type != "comment"] if arguments is not None else []
        if function.type == "identifier":
            name = scope.file.text(function)
            special = self.builtin_call(name, args, scope)
            if special is not None and self.lookup(scope, name) is None:
                return special
        elif function.type == "attribute" and scope.file.data.endswith(b"._replace", 0, function.end_byte):
            obj = function.child_by_field_name("object")
            same = (
                tuple(v for v in self.infer(obj, scope) if isinstance(v, Instance)) if obj is not None else ()
            )
            if same:
                return same
        return union(*(self.called(value, args, scope) for value in self.infer(function, scope) or UNSURE))

    def called(self, value: Value, args: list[Node], scope: Scope) -> Values:
        if isinstance(value, ClassValue):
            return (Instance(value.scope),)
        if isinstance(value, Function):
            return self.returned(value.scope, value.receiver)
        if isinstance(value, Instance):
            cls = self.owner(value.scope, "__call__")
            if cls is None:
                return UNSURE
            return union(
                *(self.called(one, args, scope) for one in self.class_member(cls, "__call__", value))
            )
        if isinstance(value, External):
            short = value.name.rpartition(".")[2]
            if short in ("cast",) and args:
                return self.annotation(args[0], scope)
            if short in ("copy", "deepcopy", "replace") and args:
                return self.infer(args[0], scope)
            if value.name.startswith("builtins."):
                return (
                    (ExternalInstance(short),) if short[:1].islower() or short.endswith("Error") else UNSURE
                )
            return (ExternalInstance(value.name),)
        if isinstance(value, ExternalInstance):
            return self.external_method(value)
        return UNSURE

    def external_method(self, value: ExternalInstance) -> Values:
        base, _, method = value.name.rpartition(".")
        kind = base.rpartition(".")[2]
        if kind in MAPPINGS and len(value.args) == 2:
            if method in ("get", "pop", "setdefault"):
                return value.args[1]
            if method == "items":
                return (ExternalInstance("list", ((ExternalInstance("tuple", value.args),),)),)
            if method == "values":
                return (ExternalInstance("list", (value.args[1],)),)
            if method == "keys":
                return (ExternalInstance("list", (value.args[0],)),)
        if method in ("pop", "popleft") and value.args:
            return value.args[0]
        if method in ("copy", "union", "difference") and value.args:
            return (ExternalInstance(base, value.args),)
        if kind == "str":
            return (ExternalInstance("list", ((ExternalInstance("str"),),) if method == "split" else ()),)
        return UNSURE

    def builtin_call(self, name: str, args: list[Node], scope: Scope) -> Values | None:
        if name == "super":
            method: Scope | None = scope
            while method is not None and method.method_of is None:
                method = method.parent
            if args:
                classes = [v for v in self.infer(args[0], scope) if isinstance(v, ClassValue)]
                return tuple(Super(v.scope) for v in classes) or UNSURE
            return (
                (Super(method.method_of),) if method is not None and method.method_of is not None else UNSURE
            )
        if name == "type" and len(args) == 1:
            values = self.infer(args[0], scope)
            return (
                tuple(ClassValue(v.scope) if isinstance(v, Instance) else UNKNOWN for v in values) or UNSURE
            )
        if not args:
            return None
        if name in ("list", "set", "tuple", "frozenset", "sorted", "reversed", "iter"):
            return (ExternalInstance("list", (self.elements(self.infer(args[0], scope)),)),)
        if name in ("next", "min", "max") and len(args) == 1:
            return self.elements(self.infer(args[0], scope))
        if name == "enumerate":
            element = self.elements(self.infer(args[0], scope))
            pair = ExternalInstance("tuple", ((ExternalInstance("int"),), element))
            return (ExternalInstance("list", ((pair,),)),)
        if name == "zip":
            row = ExternalInstance("tuple", tuple(self.elements(self.infer(a, scope)) for a in args))
            return (ExternalInstance("list", ((row,),)),)
        if name == "filter" and len(args) == 2:
            return (ExternalInstance("list", (self.elements(self.infer(args[1], scope)),)),)
        return None

    def returned(self, scope: Scope, receiver: Scope | None = None) -> Values:
        """What a call of this function gives."""
        names = {self.decorator_name(scope, d) for d in scope.decorators}
        if names - TRANSPARENT - PROPERTIES:
            return UNSURE
        declared = scope.node.child_by_field_name("return_type")
        if declared is not None:
            found = self.annotation(declared, scope, receiver or scope.method_of)
            if {"contextmanager", "asynccontextmanager"} & names:
                return (ExternalInstance("contextmanager", (self.elements(found),)),)
            return found
        if scope.kind == "lambda":
            body = scope.node.child_by_field_name("body")
            return self.infer(body, scope) if body is not None else UNSURE
        if scope in self._active:
            return NOTHING
        self._active.add(scope)
        try:
            if scope.yields:
                parts = [self.infer(y.named_children[0], scope) for y in scope.yields[:6] if y.named_children]
                kind = "contextmanager" if {"contextmanager", "asynccontextmanager"} & names else "Generator"
                return (ExternalInstance(kind, (union(*parts) if parts else UNSURE,)),)
            parts = []
            for one in scope.returns[:12]:
                children = [c for c in one.named_children if c.type != "comment"]
                if not children:
                    continue
                found = self.infer(children[0], scope)
                if receiver is not None and scope.method_of is not None:
                    found = tuple(
                        Instance(receiver)
                        if isinstance(v, Instance)
                        and v.scope is scope.method_of
                        and _is_self(children[0], scope)
                        else v
                        for v in found
                    )
                parts.append(found)
            return union(*parts) if parts else NOTHING
        finally:
            self._active.discard(scope)

    # containers -------------------------------------------------------------------------------

    def elements(self, values: Values) -> Values:
        """What iterating gives."""
        found: list[Values] = []
        for value in values:
            if isinstance(value, ExternalInstance) and value.args:
                short = value.name.rpartition(".")[2]
                if short in MAPPINGS:
                    found.append(value.args[0])
                elif short == "tuple":
                    found.append(union(*value.args))
                elif short in ITERABLES:
                    found.append(value.args[0])
                else:
                    found.append(UNSURE)
            elif isinstance(value, ClassValue) and self.is_enum(value.scope):
                found.append((Instance(value.scope),))
            elif isinstance(value, Instance):
                found.append(self.iterated(value))
            else:
                found.append(UNSURE)
        return union(*found) if found else UNSURE

    def iterated(self, value: Instance) -> Values:
        for method, deeper in (
            ("__iter__", True),
            ("__next__", False),
            ("__aiter__", True),
            ("__anext__", False),
        ):
            cls = self.owner(value.scope, method)
            if cls is None:
                continue
            given = union(*(self.called(v, [], cls) for v in self.class_member(cls, method, value)))
            if not deeper:
                return given
            if given == (value,):
                continue
            return self.elements(given)
        return UNSURE

    def unpacked(self, values: Values, index: int) -> Values:
        found: list[Values] = []
        for value in values:
            if (
                isinstance(value, ExternalInstance)
                and value.name.rpartition(".")[2] == "tuple"
                and value.args
            ):
                if index < 0:
                    found.append((ExternalInstance("list", (union(*value.args),)),))
                elif index < len(value.args):
                    found.append(value.args[index])
                else:
                    found.append(UNSURE)
            else:
                found.append(self.elements((value,)))
        return union(*found) if found else UNSURE

    def infer_subscript(self, node: Node, scope: Scope) -> Values:
        value, index = node.child_by_field_name("value"), node.child_by_field_name("subscript")
        if value is None:
            return UNSURE
        found: list[Values] = []
        for one in self.infer(value, scope):
            if isinstance(one, ExternalInstance) and one.args:
                short = one.name.rpartition(".")[2]
                if index is not None and index.type == "slice":
                    found.append((one,))
                elif short in MAPPINGS and len(one.args) == 2:
                    found.append(one.args[1])
                elif short == "tuple" and index is not None and index.type == "integer":
                    found.append(self.unpacked((one,), int(scope.file.text(index), 0)))
                else:
                    found.append(self.elements((one,)))
            elif isinstance(one, Instance) and (cls := self.owner(one.scope, "__getitem__")) is not None:
                found += [self.called(v, [], cls) for v in self.class_member(cls, "__getitem__", one)]
            elif isinstance(one, ClassValue):
                found.append((one,))
            else:
                found.append(UNSURE)
        return union(*found) if found else UNSURE

    def entered(self, value: Value) -> Values:
        """What `with value as x` gives."""
        if isinstance(value, ExternalInstance) and value.name == "contextmanager" and value.args:
            return value.args[0]
        if isinstance(value, Instance):
            for method in ("__enter__", "__aenter__"):
                cls = self.owner(value.scope, method)
                if cls is not None:
                    return union(*(self.called(v, [], cls) for v in self.class_member(cls, method, value)))
        if isinstance(value, ExternalInstance):
            return (value,)
        return UNSURE

    # annotations ------------------------------------------------------------------------------

    def instances(self, values: Values) -> Values:
        """Of classes: their instances."""
        found: list[Value] = []
        for value in values:
            if isinstance(value, ClassValue):
                found.append(Instance(value.scope))
            elif isinstance(value, External):
                name = value.name.removeprefix("builtins.")
                unknown = name.rpartition(".")[2] in ("Any", "TypeVar", "object")
                found.append(UNKNOWN if unknown else ExternalInstance(name))
            else:
                found.append(UNKNOWN)
        return tuple(dict.fromkeys(found))

    def annotation(self, node: Node, scope: Scope, owner: Scope | None = None) -> Values:
        """What an annotation allows, as values."""
        kind = node.type
        if kind in ("type", "parenthesized_expression", "module", "expression_statement"):
            children = node.named_children
            return self.annotation(children[0], scope, owner) if children else UNSURE
        if kind == "none":
            return NOTHING
        if kind == "string":
            content = [c for c in node.named_children if c.type == "string_content"]
            if len(content) != 1:
                return UNSURE
            return self.annotation(
                parse_span(scope.file.data, content[0].start_byte, content[0].end_byte), scope, owner
            )
        if kind in ("binary_operator", "union_type"):
            return union(*(self.annotation(child, scope, owner) for child in node.named_children))
        if kind in ("generic_type", "subscript"):
            return self.generic(node, scope, owner)
        if kind == "member_type":
            return self.instances(self.infer_dotted(node, len(node.named_children), scope))
        if kind in ("identifier", "attribute"):
            text = scope.file.text(node).rpartition(".")[2]
            if text == "Self" and (found := owner or _class_around(scope)) is not None:
                return (Instance(found),)
            if kind == "identifier":
                alias = self.alias(scope, text, owner)
                if alias is not None:
                    return alias
            return self.instances(self.infer(node, scope))
        return UNSURE

    def alias(self, scope: Scope, name: str, owner: Scope | None) -> Values | None:
        """A name that stands for a type expression, or a type variable."""
        binding = self.lookup(scope, name)
        if binding is None or len(binding.sites) != 1:
            return None
        site = binding.sites[0]
        if site.kind == "typeparam":
            return UNSURE
        if site.kind not in ("variable", "type") or site.value is None or site in self._active:
            return None
        if site.value.type in ("subscript", "generic_type", "binary_operator", "type", "string"):
            self._active.add(site)
            try:
                return self.annotation(site.value, site.where, owner)
            finally:
                self._active.discard(site)
        return None

    def generic(self, node: Node, scope: Scope, owner: Scope | None) -> Values:
        children = node.named_children
        arguments = children[1:]
        if node.type == "generic_type" and len(children) > 1 and children[1].type == "type_parameter":
            arguments = children[1].named_children
        head = scope.file.text(children[0]).rpartition(".")[2]
        if head in WRAPPERS or head == "Annotated":
            one = arguments[-1] if head == "Coroutine" else arguments[0] if arguments else None
            return self.annotation(one, scope, owner) if one is not None else UNSURE
        if head == "Union":
            return union(*(self.annotation(one, scope, owner) for one in arguments))
        if head in ("Type", "type"):
            inner = self.annotation(arguments[0], scope, owner) if arguments else UNSURE
            return tuple(ClassValue(v.scope) if isinstance(v, Instance) else UNKNOWN for v in inner)
        if head in ("Callable", "Literal", "TypeGuard", "TypeIs"):
            return (ExternalInstance(head),)
        base = self.instances(self.infer(children[0], scope))
        if any(isinstance(value, ExternalInstance) for value in base):
            parts = tuple(
                self.annotation(one, scope, owner) for one in arguments if scope.file.text(one) != "..."
            )
            short = (
                head[:1].lower() + head[1:] if head in ("List", "Dict", "Set", "Tuple", "FrozenSet") else head
            )
            return (ExternalInstance(short, parts),)
        return base


def _class_around(scope: Scope) -> Scope | None:
    current: Scope | None = scope
    while current is not None and current.kind != "class":
        current = current.parent
    return current


def _is_self(node: Node, scope: Scope) -> bool:
    return node.type == "identifier" and scope.file.text(node) == scope.self_name
