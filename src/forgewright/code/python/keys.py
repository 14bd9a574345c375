"""What a name stands for across files: imports followed, stubs joined with sources, members owned.

Two places mean the same symbol if they have a key in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forgewright.code.python.known import BUILTINS
from forgewright.code.python.scopes import Attribute, Binding, FileIndex, Keyword, Link, Name, Scope, Site
from forgewright.code.python.values import (
    UNKNOWN,
    ClassValue,
    External,
    ExternalInstance,
    Function,
    Instance,
    ModuleValue,
    Super,
    Value,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from forgewright.code.python.infer import Inference
    from forgewright.code.python.modules import Modules

DATA = frozenset({"variable", "self", "augmented", "del", "for", "with", "walrus", "except", "match"})
ROOTS = frozenset({"NamedTuple", "TypedDict"})


class Key(NamedTuple):
    """A name in a scope of a file; or a module, with scope -1 and no name."""

    path: str
    scope: int
    name: str

    @property
    def is_module(self) -> bool:
        return self.scope < 0


Keys = frozenset[Key]
NONE: Keys = frozenset()


class Identity:
    """Answers which keys a place has."""

    def __init__(self, types: Inference, modules: Modules) -> None:
        self.types = types
        self.modules = modules
        self._bindings: dict[Binding, Keys] = {}
        self._fields: dict[Scope, bool] = {}

    def forget(self) -> None:
        """Drop what was found, before the scopes that it speaks of are dropped."""
        self._bindings.clear()
        self._fields.clear()

    # bindings ---------------------------------------------------------------------------------

    def of_name(self, name: Name, word: str) -> Keys:
        binding = self.types.lookup(name.scope, word, name.start)
        if binding is not None:
            return self.of_binding(binding)
        file = name.scope.file
        if word not in BUILTINS and file.path.rpartition("/")[2].startswith("__init__."):
            # Importing a submodule binds its name in the package (import system, 5.4.2).
            inner = self.modules.submodule(self.modules.module_of(file.path), word)
            return frozenset({Key(inner, -1, "")}) if inner is not None else NONE
        return NONE

    def of_binding(self, binding: Binding) -> Keys:
        if binding in self._bindings:
            return self._bindings[binding]
        self._bindings[binding] = NONE
        found: set[Key] = set()
        own = False
        for site in binding.sites:
            if site.role == "import" and site.link is not None:
                linked = self.of_link(site.link, binding.scope.file.path)
                found |= linked
                own |= not linked
            elif site.kind not in ("augmented", "del") or len(binding.sites) == 1:
                own = True
        if own:
            found |= self._sourced(binding) or {self.own(binding.scope, binding.name)}
        self._bindings[binding] = frozenset(found)
        return self._bindings[binding]

    def _sourced(self, stub: Binding) -> Keys:
        """Of a name that a stub defines and its source file imports: what it imports."""
        if stub.scope.kind != "module":
            return NONE
        home = self.canonical(stub.scope, stub.name)
        other = home.bindings.get(stub.name)
        if home is stub.scope or other is None or any(site.role != "import" for site in other.sites):
            return NONE
        return self.of_binding(other)

    def of_link(self, link: Link, path: str) -> Keys:
        """What an import brings in; nothing if it is outside the root."""
        module = self.modules.find(path, link.level, link.module)
        if module is None:
            return NONE
        if link.name is None:
            return frozenset({Key(module, -1, "")})
        return self.of_module_member(module, link.name)

    def of_module_member(self, module: str, name: str) -> Keys:
        binding = self.types.module_binding(module, name)
        if binding is not None:
            found = self.of_binding(binding)
            if found:
                return found
        inner = self.modules.submodule(module, name)
        return frozenset({Key(inner, -1, "")}) if inner is not None else NONE

    def own(self, scope: Scope, name: str) -> Key:
        if scope.kind == "class":
            return self.of_member(scope, name) or Key(scope.file.path, scope.index, name)
        if scope.kind == "function":
            return self.of_local(scope, name)
        scope = self.canonical(scope, name)
        return Key(scope.file.path, scope.index, name)

    def of_local(self, scope: Scope, name: str) -> Key:
        """A local name; the parameters of a function's overloads and of its stub are one."""
        site = scope.site
        if site is not None and any(p.name == name for p in scope.parameters):
            home = self.canonical(site.where, scope.name)
            binding = home.bindings.get(scope.name)
            sites = [s for s in binding.sites if s.scope is not None] if binding is not None else []
            inner = [s.scope for s in sites if s.scope is not None and s.kind == "function"]
            together = home is not site.where or any(
                self.types.decorator_name(s, d) == "overload" for s in inner for d in s.decorators
            )
            if together:
                for one in reversed(inner):
                    if any(p.name == name for p in one.parameters):
                        return Key(one.file.path, one.index, name)
        return Key(scope.file.path, scope.index, name)

    def canonical(self, scope: Scope, name: str) -> Scope:
        """For a stub's module or class that also stands in a source file: the one there."""
        path = scope.file.path
        if not path.endswith(".pyi") or scope.kind not in ("module", "class"):
            return scope
        for other in self.modules.files(self.modules.module_of(path)):
            if other.endswith(".pyi"):
                continue
            dotted = scope.dotted()
            for candidate in self.types.file(other).scopes:
                if candidate.kind == scope.kind and candidate.dotted() == dotted:
                    if name in candidate.bindings or name in candidate.self_sites:
                        return candidate
        return scope

    # members ----------------------------------------------------------------------------------

    def of_member(self, cls: Scope, name: str, after: bool = False) -> Key | None:
        """The member that a lookup in `cls` finds. Data attributes belong to the first class that has them."""
        order = self.types.mro(cls)[0]
        owner: Scope | None = None
        for scope in order[1:] if after else order:
            if name in scope.bindings or name in scope.self_sites or name in scope.slots:
                if owner is None:
                    owner = scope
                    if not self.is_data(scope, name):
                        break
                elif self.is_data(scope, name):
                    owner = scope
        if owner is None:
            return None
        owner = self.canonical(owner, name)
        return Key(owner.file.path, owner.index, name)

    def is_data(self, scope: Scope, name: str) -> bool:
        return all(site.kind in DATA for site in self.types.sites(scope, name))

    def of_attribute(self, attribute: Attribute, word: str) -> tuple[Keys, bool]:
        """The keys of `object.word`, and whether something else is possible."""
        scope = attribute.scope
        if attribute.object.type == "dotted_name":
            parts = attribute.object.named_children
            count = next(
                (i for i, part in enumerate(parts) if part.start_byte == attribute.start), len(parts)
            )
            values = self.types.infer_dotted(attribute.object, count, scope)
        else:
            values = self.types.infer(attribute.object, scope)
        found: set[Key] = set()
        unsure = not values
        for value in values:
            keys, open_ = self.of_value(value, word, attribute.kind)
            found |= keys
            unsure |= open_
        return frozenset(found), unsure

    def of_value(self, value: Value, word: str, kind: str = "load") -> tuple[Keys, bool]:
        if isinstance(value, ModuleValue):
            keys = self.of_module_member(value.module, word)
            return keys, False
        if isinstance(value, (ClassValue, Instance, Super)):
            if kind == "key" and not self.has_fields(value.scope):
                return NONE, False
            key = self.of_member(value.scope, word, isinstance(value, Super))
            return (frozenset({key}), False) if key is not None else (NONE, True)
        return NONE, value is UNKNOWN or isinstance(value, (ExternalInstance, External)) is False

    # keyword arguments ------------------------------------------------------------------------

    def of_keyword(self, keyword: Keyword, word: str) -> tuple[Keys, bool]:
        """The parameter or field that a keyword argument means, and whether the call is not understood."""
        function = keyword.call.child_by_field_name("function")
        if function is None:
            return NONE, True
        found: set[Key] = set()
        values = self.types.infer(function, keyword.scope)
        unsure = not values
        for value in values:
            if isinstance(value, External) and value.name in (
                "functools.partial",
                "dataclasses.replace",
                "copy.replace",
            ):
                found |= self._first_argument(keyword.call, keyword.scope, word, value.name)
                continue
            keys = self.of_callable(value, word)
            unsure |= value is UNKNOWN
            found |= keys
        if function.type == "attribute" and not found:
            method = function.child_by_field_name("attribute")
            obj = function.child_by_field_name("object")
            if method is not None and obj is not None and keyword.scope.file.text(method) == "_replace":
                for value in self.types.infer(obj, keyword.scope):
                    if isinstance(value, Instance) and self.has_fields(value.scope):
                        key = self.of_member(value.scope, word)
                        if key is not None:
                            found.add(key)
        return frozenset(found), unsure

    def _first_argument(self, call: Node, scope: Scope, word: str, function: str) -> Keys:
        arguments = call.child_by_field_name("arguments")
        if arguments is None or not arguments.named_children:
            return NONE
        found: set[Key] = set()
        for value in self.types.infer(arguments.named_children[0], scope):
            if function == "functools.partial":
                found |= self.of_callable(value, word)
            elif isinstance(value, Instance):
                key = self.of_member(value.scope, word)
                if key is not None:
                    found.add(key)
        return frozenset(found)

    def of_callable(self, value: Value, word: str) -> Keys:
        scope = self.callee(value)
        if scope is not None:
            if any(p.name == word and p.kind in ("normal", "keyword") for p in scope.parameters):
                return frozenset({self.of_local(scope, word)})
            return NONE
        if isinstance(value, ClassValue) and self.has_fields(value.scope):
            key = self.of_member(value.scope, word)
            return frozenset({key}) if key is not None else NONE
        return NONE

    def callee(self, value: Value) -> Scope | None:
        """The function that a call of `value` runs."""
        if isinstance(value, Function):
            return value.scope
        if isinstance(value, ClassValue):
            order = self.types.mro(value.scope)[0]
            for cls in order:
                for name in ("__init__", "__new__"):
                    if name in cls.bindings:
                        return self._function(cls, name)
                if self._generated(cls):
                    return None
        if isinstance(value, Instance):
            owner = self.types.owner(value.scope, "__call__")
            return self._function(owner, "__call__") if owner is not None else None
        return None

    def _function(self, cls: Scope, name: str) -> Scope | None:
        for site in reversed(cls.bindings[name].sites if name in cls.bindings else []):
            if site.kind == "function":
                return site.scope
        return None

    def has_fields(self, cls: Scope) -> bool:
        """Whether the class's annotated names are parameters of its constructor (or keys)."""
        if cls not in self._fields:
            self._fields[cls] = False
            self._fields[cls] = any(self._generated(scope) for scope in self.types.mro(cls)[0])
        return self._fields[cls]

    def _generated(self, cls: Scope) -> bool:
        for decorator in cls.decorators:
            if self.types.decorator_name(cls, decorator) in (
                "dataclass",
                "define",
                "attrs",
                "s",
                "frozen",
                "mutable",
                "dataclass_transform",
            ):
                return True
        for base in cls.bases:
            name = cls.file.text(base).rpartition(".")[2]
            if name in ROOTS or name in ("BaseModel", "Struct"):
                return True
        return False

    # places -----------------------------------------------------------------------------------

    def scope(self, key: Key) -> Scope:
        return self.types.file(key.path).scopes[key.scope]

    def sites(self, key: Key) -> list[Site]:
        """Where a key is bound, in its own file."""
        scope = self.scope(key)
        if scope.kind == "class":
            return self.types.sites(scope, key.name)
        binding = scope.bindings.get(key.name)
        return binding.sites if binding is not None else []

    def is_external(self, key: Key) -> bool:
        """Whether all that binds it here are imports from outside the root."""
        sites = self.sites(key)
        return bool(sites) and all(site.role == "import" for site in sites)

    def file_of(self, key: Key) -> FileIndex:
        return self.types.file(key.path)
