"""What a Rust path means: lexical scopes, modules, use declarations, associated items."""

from __future__ import annotations

from itertools import pairwise

from forgewright.code.rust.binder import segments
from forgewright.code.rust.crates import Crates
from forgewright.code.rust.items import LOCALS, MACROS, TYPES, File, Item, Module, Scope, plain
from forgewright.code.scopes.tree import Node

DEPTH_MAX = 40
Target = Item | Module


class Paths:
    def __init__(self, crates: Crates) -> None:
        self.crates = crates
        self._depth = 0
        self._associated: dict[str, list[Item]] = {}

    # names

    def lookup(self, node: Node, space: frozenset[str], name: str | None = None) -> Target | None:
        """What a single name means where it stands, uses followed."""
        file = self.crates.file(node.path)
        if file is None:
            return None
        text = plain(name if name is not None else node.text)
        found = self.visible(file.scope_at(node), text, node.start, space)
        if found is None and space is not MACROS:
            found = self.crates.crate(text)
        return found

    def visible(self, scope: Scope, name: str, offset: int, space: frozenset[str]) -> Target | None:
        here: Scope | None = scope
        while here is not None:
            if isinstance(here, Module):
                return self.in_module(here, name, space)
            found = here.find(name, offset, space)
            if found is not None:
                target = self.follow(found, space)
                if target is not None:
                    return target
            target = self._glob(here, name, space)
            if target is not None:
                return target
            here = here.parent if here.parent is not None else self.module_of(here)
        return None

    def module_of(self, scope: Scope) -> Module | None:
        file = self.crates.file(scope.node.path)
        node: Node | None = scope.node
        while node is not None and file is not None:
            found = file.scopes.get(node)
            if isinstance(found, Module):
                return found
            node = node.parent
        return None

    def in_module(self, module: Module, name: str, space: frozenset[str]) -> Target | None:
        """An item of a module, through its uses and globs."""
        if self._depth > DEPTH_MAX:
            return None
        self._depth += 1
        try:
            for item in module.table.get(name, ()):
                if item.kind != "use" and item.fits(space):
                    return self.follow(item, space)
            for item in module.table.get(name, ()):
                target = self.follow(item, space) if item.kind == "use" else None
                if target is not None:
                    return target
            generated = self._generated(module, name) if space is not MACROS else None
            if generated is not None:
                return generated
            return self._glob(module, name, space)
        finally:
            self._depth -= 1

    def _glob(self, scope: Scope, name: str, space: frozenset[str]) -> Target | None:
        """What `use path::*` brings into a scope."""
        if self._depth > DEPTH_MAX:
            return None
        self._depth += 1
        try:
            for path in scope.globs:
                owner = self.path(path, TYPES)
                found = self.member(owner, name, space) if owner is not None and owner is not scope else None
                if found is not None:
                    return found
        finally:
            self._depth -= 1
        return None

    def follow(self, item: Item, space: frozenset[str]) -> Target | None:
        """The item itself; of a `use` what it imports in this space; of `mod name;` the module's item."""
        if item.kind != "use":
            return item if item.fits(space) or item.kind in LOCALS else None
        if self._depth > DEPTH_MAX:
            return None
        self._depth += 1
        try:
            return self.path(item.path, space)
        finally:
            self._depth -= 1

    def module(self, target: Target | None) -> Module | None:
        """The contents of a `mod` item."""
        if isinstance(target, Module) or target is None:
            return target
        if target.kind != "mod":
            return None
        body = target.node.get("body")
        file = self.crates.file(target.node.path)
        if body is not None and file is not None:
            found = file.scopes.get(body)
            return found if isinstance(found, Module) else None
        child = self.crates.child(target.module, target.name)
        return child.module if child is not None else None

    # paths

    def path(self, parts: list[Node], space: frozenset[str]) -> Target | None:
        """What a list of segments means; all but the last are types or modules."""
        found: Target | None = None
        for index, node in enumerate(parts):
            wanted = space if index == len(parts) - 1 else TYPES
            found = self._first(node, wanted) if index == 0 else self.step(found, node, wanted)
            if found is None:
                return None
        return found

    def _first(self, node: Node, space: frozenset[str]) -> Target | None:
        file = self.crates.file(node.path)
        if file is None:
            return None
        scope = file.scope_at(node)
        module = scope if isinstance(scope, Module) else self.module_of(scope)
        if module is None:
            return None
        if node.type == "crate":
            return self.crates.root(module)
        if node.type == "self":
            return module
        if node.type == "super":
            return self.crates.outer(module)
        if node.text == "Self":
            return self.self_item(node)
        if node.type in ("bracketed_type", "generic_type", "scoped_type_identifier"):
            return self.written(node)
        return self.lookup(node, space)

    def written(self, node: Node) -> Target | None:
        """The item of a type as it is written, without its arguments."""
        if node.type == "bracketed_type" and node.items:
            qualified = node.items[0]
            if qualified.type == "qualified_type":
                alias = qualified.get("alias")
                return self.written(alias) if alias is not None else None
            return self.written(qualified)
        if node.type in ("reference_type", "pointer_type"):
            inner = node.get("type")
            return self.written(inner) if inner is not None else None
        if node.type in ("generic_type", "dynamic_type", "abstract_type", "higher_ranked_trait_bound"):
            inner = node.get("type") or node.get("trait")
            return self.written(inner) if inner is not None else None
        return self.path(segments(node), TYPES)

    def step(self, owner: Target | None, node: Node, space: frozenset[str]) -> Target | None:
        if node.type == "super" and isinstance(owner, Module):
            return self.crates.outer(owner)
        return self.member(owner, plain(node.text), space) if owner is not None else None

    def member(self, owner: Target, name: str, space: frozenset[str]) -> Target | None:
        """`owner::name`."""
        module = self.module(owner)
        if module is not None:
            return self.in_module(module, name, space)
        if isinstance(owner, Module):
            return None
        if owner.kind == "enum":
            found = self.members(owner.node).get(name)
            if found is not None:
                return found
        if owner.kind == "type":
            type = owner.node.get("type")
            target = self.written(type) if type is not None else None
            return self.member(target, name, space) if target is not None and target is not owner else None
        return self.associated_of(owner, name)

    def members(self, node: Node) -> dict[str, Item]:
        file = self.crates.file(node.path)
        return file.members.get(node, {}) if file is not None else {}

    # associated items

    def associated(self, name: str) -> list[Item]:
        """All items of this name in impls and traits of the project."""
        if name not in self._associated:
            self._associated[name] = [
                item
                for file in self.crates.containing(name)
                for item in file.decl.values()
                if item.name == name
                and item.owner is not None
                and item.owner.type in ("impl_item", "trait_item")
            ]
        return self._associated[name]

    def associated_of(self, owner: Item, name: str) -> Item | None:
        """`Type::name`: from its impls, else from traits that it implements or is bound by."""
        found = [item for item in self.associated(name) if self.owner_of(item) is owner]
        if found:
            return min(found, key=lambda item: self.impl_trait(item) is not None)
        if owner.kind == "type_parameter":
            for bound in self.bounds(owner):
                inherited = self.associated_of(bound, name)
                if inherited is not None:
                    return inherited
        for item in self.associated(name):
            if item.owner is not None and item.owner.type == "trait_item":
                trait = self.owner_of(item)
                if isinstance(trait, Item) and (
                    self.implements(owner, trait) or trait in self.supertraits(owner)
                ):
                    return item
        return None

    def owner_of(self, item: Item) -> Target | None:
        """The type of an impl, or the trait, that an associated item belongs to."""
        owner = item.owner
        if owner is None:
            return None
        file = self.crates.file(owner.path)
        if owner.type == "impl_item":
            type = owner.get("type")
            return self.written(type) if type is not None else None
        name = owner.get("name")
        return file.decl.get(name) if file is not None and name is not None else None

    def impl_trait(self, item: Item) -> Node | None:
        """The trait, as written, whose impl an associated item stands in."""
        return item.owner.get("trait") if item.owner is not None and item.owner.type == "impl_item" else None

    def implements(self, owner: Item, trait: Item) -> bool:
        for file in self.crates.containing(owner.name):
            for node in (n for n in file.scopes if n.type == "impl_item"):
                written, type = node.get("trait"), node.get("type")
                matches = written is not None and type is not None and self.written(written) is trait
                if matches and type is not None and self.written(type) is owner:
                    return True
        return False

    def supertraits(self, trait: Item) -> list[Item]:
        found: list[Item] = []
        bounds = trait.node.get("bounds")
        for bound in (
            bounds.items if bounds is not None and trait.kind in ("trait", "associated_type") else []
        ):
            target = self.written(bound)
            if isinstance(target, Item) and target.kind == "trait" and target not in found:
                found.append(target)
        return found

    def bounds(self, parameter: Item) -> list[Item]:
        """The traits that a type parameter is bound by, also in `where`."""
        found: list[Item] = []
        lists = [parameter.node.get("bounds")]
        holder = parameter.scope.node if parameter.scope is not None else None
        where = holder.first("where_clause") if holder is not None else None
        for predicate in where.items if where is not None else []:
            left = predicate.get("left")
            if left is not None and left.text == parameter.name:
                lists.append(predicate.get("bounds"))
        for listed in lists:
            for bound in listed.items if listed is not None else []:
                target = self.written(bound) if bound.type != "lifetime" else None
                if isinstance(target, Item) and target.kind == "trait":
                    found.append(target)
        return found

    def self_item(self, node: Node) -> Target | None:
        """What `Self` is: the type of the impl around, or the trait."""
        for above in node.above():
            if above.type == "impl_item":
                type = above.get("type")
                return self.written(type) if type is not None and not node.within(type) else None
            if above.type in ("trait_item", "struct_item", "enum_item", "union_item"):
                name = above.get("name")
                file = self.crates.file(above.path)
                return file.decl.get(name) if file is not None and name is not None else None
        return None

    # macros

    def _generated(self, module: Module, name: str) -> Item | None:
        """What a macro of the project, called where items stand, declares under a name that it is given."""
        for invocation in module.file.generated:
            file: File = module.file
            if file.scope_at(invocation) is not module:
                continue
            tree = invocation.first("token_tree")
            for node in tree.walk() if tree is not None else ():
                if node.type == "identifier" and plain(node.text) == name and self._declares(invocation):
                    item = file.decl.get(node)
                    if item is None:
                        item = file.decl[node] = Item(name, "generated", invocation, module)
                        item.names.append(node)
                    return item
        return None

    def _declares(self, invocation: Node) -> bool:
        """Whether the macro's rules make items of identifiers that they are given."""
        macro = invocation.get("macro")
        definition = self.lookup(macro, MACROS) if macro is not None and macro.type == "identifier" else None
        if not isinstance(definition, Item) or definition.kind != "macro":
            return False
        for rule in definition.node.items:
            right = rule.get("right") if rule.type == "macro_rule" else None
            tokens = [n for n in right.walk() if not n.children] if right is not None else []
            for before, after in pairwise(tokens):
                if after.type == "metavariable" and before.text in _DECLARING:
                    return True
        return False


_DECLARING = ("fn", "struct", "enum", "union", "const", "static", "trait", "type", "mod")
