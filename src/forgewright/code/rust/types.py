"""The types of Rust expressions, as far as declarations and signatures tell."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from forgewright.code.rust.items import VALUES, Item, Module
from forgewright.code.rust.paths import DEPTH_MAX, Paths, Target
from forgewright.code.scopes.tree import Node
from forgewright.code.scopes.words import kinds

_TRANSPARENT = kinds("Box Rc Arc Ref RefMut MutexGuard RwLockReadGuard RwLockWriteGuard Cow Pin")
_INNER = kinds(
    "unwrap expect unwrap_or unwrap_or_default unwrap_or_else borrow borrow_mut lock read write iter "
    "iter_mut into_iter next first last get get_mut pop as_ref as_mut clone cloned copied take peek rev skip enumerate "
    "as_deref to_owned collect filter into"
)
_SAME = kinds("clone borrow borrow_mut as_ref as_mut to_owned into")
_LISTS = kinds("iter iter_mut into_iter rev skip filter collect")
_OPTIONS = kinds("first last get get_mut next peek pop")
_CONTAINERS = kinds(
    "Vec VecDeque Option Result HashSet BTreeSet Iterator RefCell Cell Mutex RwLock OnceCell [] Range"
)
_WRAPPING = kinds("mut_pattern ref_pattern reference_pattern captured_pattern or_pattern match_pattern")


class Type(msgspec.Struct, frozen=True, eq=False):
    """A type without references: an item of the project, or the name of another type; with its arguments."""

    item: Target | None
    name: str
    arguments: tuple[Type | None, ...] = ()


class Types:
    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.crates = paths.crates
        self._known: dict[object, Type | None] = {}
        self._depth = 0

    def _once(self, key: object, compute: Callable[[], Type | None]) -> Type | None:
        if key in self._known:
            return self._known[key]
        if self._depth > DEPTH_MAX:
            return None
        self._known[key] = None
        self._depth += 1
        try:
            found = compute()
        finally:
            self._depth -= 1
        self._known[key] = found
        return found

    def written(self, node: Node | None) -> Type | None:
        return self._once(("written", node), lambda: self._written(node)) if node is not None else None

    def _written(self, node: Node) -> Type | None:
        kind = node.type
        if kind in ("reference_type", "pointer_type"):
            return self.written(node.get("type"))
        if kind == "generic_type":
            base, listed = node.get("type"), node.get("type_arguments")
            arguments = (
                [self.written(a) for a in listed.items if a.type != "lifetime"] if listed is not None else []
            )
            found = self.written(base)
            return Type(found.item, found.name, tuple(arguments)) if found is not None else None
        if kind == "tuple_type":
            return Type(None, "()", tuple(self.written(i) for i in node.items))
        if kind in ("array_type", "slice_type"):
            return Type(
                None, "[]", (self.written(node.get("element") or (node.items[0] if node.items else None)),)
            )
        if kind in ("abstract_type", "dynamic_type"):
            return self.written(node.get("trait"))
        if kind == "bounded_type":
            return self.written(node.items[0]) if node.items else None
        if kind == "primitive_type":
            return Type(None, node.text)
        if kind in ("type_identifier", "scoped_type_identifier", "identifier", "scoped_identifier", "self"):
            item = self.paths.written(node) if node.text != "Self" else None
            if node.text == "Self":
                return self.self_type(node)
            if isinstance(item, Item) and item.kind == "type":
                return self.written(item.node.get("type"))
            last = node.get("name") or node
            return Type(item, last.text)
        return None

    def self_type(self, node: Node) -> Type | None:
        for above in node.above():
            if above.type == "impl_item":
                type = above.get("type")
                return self.written(type)
            if above.type in ("trait_item", "struct_item", "enum_item"):
                item = self.paths.self_item(node)
                return Type(item, item.name) if isinstance(item, Item) else None
        return None

    # members

    def field(self, type: Type | None, name: str) -> Item | None:
        type = self.deref(type)
        if type is None or not isinstance(type.item, Item) or type.item.kind not in ("struct", "union"):
            return None
        return self.paths.members(type.item.node).get(name)

    def method(self, type: Type | None, name: str) -> Item | None:
        for _ in range(8):
            if type is None:
                return None
            if isinstance(type.item, Item):
                found = self.paths.associated_of(type.item, name)
                if found is not None:
                    return found
            if type.name not in _TRANSPARENT or not type.arguments:
                return None
            type = type.arguments[0]
        return None

    def deref(self, type: Type | None) -> Type | None:
        for _ in range(8):
            if (
                type is None
                or isinstance(type.item, Item)
                or type.name not in _TRANSPARENT
                or not type.arguments
            ):
                return type
            type = type.arguments[0]
        return type

    def element(self, type: Type | None) -> Type | None:
        """What iterating, indexing or unwrapping gives."""
        type = self.deref(type)
        if type is None or not type.arguments or type.item is not None:
            return None
        if type.name in ("HashMap", "BTreeMap") and len(type.arguments) > 1:
            return Type(None, "()", type.arguments)
        return type.arguments[0] if type.name in _CONTAINERS else None

    # items and locals

    def item_type(self, item: Target | None) -> Type | None:
        if not isinstance(item, Item):
            return None
        return self._once(("item", item), lambda: self._item_type(item))

    def _item_type(self, item: Item) -> Type | None:
        if item.kind in ("field", "const", "static", "const_parameter"):
            return self.written(item.node.get("type"))
        if item.kind == "self":
            written = item.node.get("type")
            return self.written(written) if written is not None else self.self_type(item.node)
        if item.kind in ("local", "parameter") and item.names:
            return self.bound(item.names[0])
        if item.kind in ("struct", "enum", "union"):
            return Type(item, item.name)
        if item.kind == "variant" and item.owner is not None:
            file = self.crates.file(item.owner.path)
            name = item.owner.get("name")
            owner = file.decl.get(name) if file is not None and name is not None else None
            return Type(owner, owner.name) if owner is not None else None
        return None

    def bound(self, node: Node) -> Type | None:
        """The type of what a pattern, or a name in one, is matched against."""
        return self._once(("bound", node), lambda: self._bound(node))

    def _bound(self, node: Node) -> Type | None:
        parent = node.up
        kind = parent.type
        if kind in _WRAPPING:
            return self.bound(parent)
        if kind == "field_pattern":
            name = parent.get("name")
            owner = parent.up.get("type")
            item = self.paths.written(owner) if owner is not None else None
            fields = self.paths.members(item.node) if isinstance(item, Item) else {}
            return self.item_type(fields.get(name.text)) if name is not None else None
        if kind == "tuple_struct_pattern":
            return self._payload(parent, node)
        if kind == "tuple_pattern":
            of = self.bound(parent)
            place = parent.items.index(node)
            return (
                of.arguments[place]
                if of is not None and of.name == "()" and place < len(of.arguments)
                else None
            )
        if kind == "slice_pattern":
            return self.element(self.bound(parent))
        if kind == "let_declaration":
            written = parent.get("type")
            value = parent.get("value")
            return self.written(written) or (self.expression(value) if value is not None else None)
        if kind == "parameter":
            return self.written(parent.get("type"))
        if kind == "let_condition":
            value = parent.get("value")
            return self.expression(value) if value is not None else None
        if kind == "match_arm":
            value = parent.up.up.get("value")
            return self.expression(value) if value is not None else None
        if kind == "for_expression":
            value = parent.get("value")
            return self.element(self.expression(value)) if value is not None else None
        return None

    def _payload(self, pattern: Node, node: Node) -> Type | None:
        type = pattern.get("type")
        place = [item for item in pattern.items if item.field != "type"].index(node)
        item = self.paths.written(type) if type is not None else None
        if isinstance(item, Item):
            body = item.node.get("body")
            types = body.all("type") if body is not None else []
            return self.written(types[place]) if place < len(types) else None
        if type is not None and type.text in ("Some", "Ok", "Err"):
            of = self.bound(pattern)
            index = 1 if type.text == "Err" else 0
            return of.arguments[index] if of is not None and len(of.arguments) > index else None
        return None

    # expressions

    def expression(self, node: Node) -> Type | None:
        return self._once(("expression", node), lambda: self._expression(node))

    def _expression(self, node: Node) -> Type | None:
        kind = node.type
        if kind in ("identifier", "self", "scoped_identifier"):
            return self.item_type(self.value(node))
        if kind in ("reference_expression", "parenthesized_expression", "unary_expression", "mut_pattern"):
            inner = node.get("value") or (node.items[-1] if node.items else None)
            return self.expression(inner) if inner is not None else None
        if kind == "struct_expression":
            return self.written(node.get("name"))
        if kind == "call_expression":
            return self._call(node)
        if kind == "field_expression":
            value, field = node.get("value"), node.get("field")
            of = self.expression(value) if value is not None else None
            if field is not None and field.type == "integer_literal":
                return self._place(of, int(field.text))
            return self.item_type(self.field(of, field.text)) if field is not None else None
        if kind in ("try_expression", "index_expression"):
            of = self.expression(node.items[0]) if node.items else None
            return self.element(of)
        if kind == "await_expression":
            return self.expression(node.items[0]) if node.items else None
        if kind == "type_cast_expression":
            return self.written(node.get("type"))
        if kind == "block" and node.items:
            last = node.items[-1]
            return self.expression(last) if last.type != "expression_statement" else None
        if kind in ("if_expression",):
            body = node.get("consequence")
            return self.expression(body) if body is not None else None
        if kind == "match_expression":
            body = node.get("body")
            for arm in body.items if body is not None else []:
                value = arm.get("value")
                found = self.expression(value) if value is not None else None
                if found is not None:
                    return found
        if kind == "macro_invocation":
            return self._macro(node)
        if kind == "array_expression":
            return Type(None, "[]", (self.expression(node.items[0]) if node.items else None,))
        if kind == "tuple_expression":
            return Type(None, "()", tuple(self.expression(item) for item in node.items))
        if kind == "expression_statement":
            return self.expression(node.items[0]) if node.items else None
        return None

    def _macro(self, node: Node) -> Type | None:
        macro, tree = node.get("macro"), node.first("token_tree")
        if macro is None or tree is None or macro.text != "vec":
            return None
        first = tree.items[0] if tree.items else None
        found = (
            self.item_type(self.paths.lookup(first, VALUES))
            if first is not None and first.type == "identifier"
            else None
        )
        return Type(None, "Vec", (found,))

    def _place(self, of: Type | None, place: int) -> Type | None:
        of = self.deref(of)
        if of is None:
            return None
        if of.name == "()" and of.item is None:
            return of.arguments[place] if place < len(of.arguments) else None
        body = of.item.node.get("body") if isinstance(of.item, Item) else None
        types = body.all("type") if body is not None and body.type == "ordered_field_declaration_list" else []
        return self.written(types[place]) if place < len(types) else None

    def value(self, node: Node) -> Target | None:
        """The item that a path names as a value."""
        if node.type == "scoped_identifier":
            path, name = node.get("path"), node.get("name")
            owner = self.paths.written(path) if path is not None else None
            return self.paths.step(owner, name, VALUES) if name is not None else None
        if node.type == "self":
            return self.self_value(node)
        if node.type == "generic_function":
            inner = node.get("function")
            return self.value(inner) if inner is not None else None
        return self.paths.lookup(node, VALUES)

    def self_value(self, node: Node) -> Item | None:
        """The `self` parameter of the method around."""
        for above in node.above():
            if above.type in ("function_item", "impl_item", "trait_item"):
                file = self.crates.file(node.path)
                scope = file.scopes.get(above) if file is not None else None
                found = scope.table.get("self") if scope is not None else None
                return found[0] if found else None
        return None

    def _call(self, node: Node) -> Type | None:
        function = node.get("function")
        if function is None:
            return None
        if function.type == "field_expression":
            value, field = function.get("value"), function.get("field")
            of = self.expression(value) if value is not None else None
            method = self.method(of, field.text) if field is not None else None
            if method is not None:
                return self._returned(method, of)
            return self._standard(of, field.text) if field is not None else None
        target = self.value(function)
        if isinstance(target, Item):
            if target.kind in ("fn", "method"):
                owner = function.get("path")
                return self._returned(target, self.written(owner) if owner is not None else None)
            return self.item_type(target)
        if isinstance(target, Module):
            return None
        return self._constructor(node, function)

    def _constructor(self, node: Node, function: Node) -> Type | None:
        """`Some(x)`, `Ok(x)`, `Box::new(x)`, `Vec::new()` of the standard library."""
        arguments = node.get("arguments")
        first = self.expression(arguments.items[0]) if arguments is not None and arguments.items else None
        if function.text in ("Some", "Ok"):
            return Type(None, "Option" if function.text == "Some" else "Result", (first,))
        path, name = function.get("path"), function.get("name")
        if path is None or name is None:
            return None
        written = self.written(path)
        if written is not None and written.item is None and not written.arguments:
            return Type(None, written.name, (first,)) if name.text in ("new", "from") and first else written
        return written

    def _standard(self, of: Type | None, name: str) -> Type | None:
        """What well-known methods of the standard library's containers give."""
        if of is None or name not in _INNER:
            return None
        if name in _SAME:
            return of
        inner = self.element(of)
        if name in _LISTS:
            return Type(None, "Vec", (inner,))
        if name == "enumerate":
            return Type(None, "Vec", (Type(None, "()", (None, inner)),))
        if name in _OPTIONS and of.name != "Option":
            return Type(None, "Option", (inner,))
        if name == "take" and of.name == "Option":
            return of
        return inner

    def _returned(self, function: Item, receiver: Type | None) -> Type | None:
        written = function.node.get("return_type")
        if written is None:
            return None
        found = self.written(written)
        if (
            found is not None
            and isinstance(found.item, Item)
            and found.item.kind == "trait"
            and written.text == "Self"
        ):
            return receiver
        return found
