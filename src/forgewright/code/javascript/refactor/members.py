"""Members of a class to the class it extends, or to those that extend it, in the same words.

Only what is sure to mean the same there is moved: what a member names must be global, or of the same file, or its
own; what it asks of `this` must be there for the other class too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from forgewright.code import layout
from forgewright.code.binding import Occurrence
from forgewright.code.javascript.entities import TYPE, VALUE, Entity
from forgewright.code.javascript.names import CLASSES, bare, name_of
from forgewright.code.javascript.refactor.imports import cut
from forgewright.code.javascript.refactor.pieces import at_top, meaning, row, spoken
from forgewright.code.javascript.refactor.removal import effect
from forgewright.code.javascript.types import Instance, Static
from forgewright.code.project import Splice
from forgewright.code.scopes.words import kinds
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.entities import Unit
    from forgewright.code.javascript.program import Program
    from forgewright.code.javascript.resolver import JavaScriptResolver
    from forgewright.code.scopes.tree import Node

_FIELDS = kinds("public_field_definition field_definition")
_MEMBERS = _FIELDS | kinds("method_definition abstract_method_signature method_signature")


class Member(msgspec.Struct, frozen=True, eq=False):
    """One member with its decorators and the comments above it."""

    node: Node
    start: int
    end: int
    name: str


class Group:
    """Members of one class that are moved together."""

    def __init__(self, resolver: JavaScriptResolver, path: str, start: int, end: int) -> None:
        program = resolver.program
        unit = program.unit(path)
        node = unit.root.at(start) if unit is not None else None
        while node is not None and node.type != "class_body":
            node = node.parent
        if unit is None or node is None:
            raise EditRefused(
                "expected members of a class", hint="select whole members within the class's braces"
            )
        self.resolver = resolver
        self.program: Program = program
        self.unit: Unit = unit
        self.cls = node.up
        self.members = list(_members(unit, node, start, end))
        if not self.members:
            raise EditRefused(
                "expected whole members of a class", hint="select from their first to their last line"
            )
        entity = unit.own.get(self.cls)
        if entity is None:
            raise EditRefused("this class cannot be named", hint="give it a name")
        self.entity: Entity = entity.real
        self.names = {member.name for member in self.members}
        self._check()

    def _check(self) -> None:
        """What cannot be moved to any other class."""
        body = self.cls.get("body")
        moved = {member.node for member in self.members}
        for item in body.items if body is not None else []:
            key = name_of(item)
            if item not in moved and key is not None and key.text in self.names:
                self.refuse(item, f"{key.text} has another half here", "select both")
        for member in self.members:
            if member.name in ("constructor", ""):
                self.refuse(
                    member.node, "this is no member with a name of its own", "select methods and fields"
                )
            value = member.node.get("value") if member.node.type in _FIELDS else None
            acts = effect(value) if value is not None else None
            if acts is not None:
                self.refuse(acts, f"the value of {member.name} is computed, and would be at another time", "")
            for node in member.node.walk():
                if node.type == "super":
                    self.refuse(node, "`super` would mean another class", "")
                if node.type == "private_property_identifier":
                    self.refuse(node, f"{node.text} is seen in its own class only", "")
                if node.type == "accessibility_modifier" and node.text == "private":
                    self.refuse(node, f"{member.name} is private", "make it protected first")

    def refuse(self, node: Node, why: str, hint: str) -> None:
        raise EditRefused(
            f"{node.path}:{row(node)} {why}", hint=hint or "change that first, or leave it here"
        )

    def asked(self) -> Iterator[Node]:
        """The members that the moved ones take from `this`."""
        for member in self.members:
            for node in member.node.walk():
                holder = node.get("object") if node.type == "member_expression" else None
                key = node.get("property") if holder is not None else None
                if holder is not None and bare(holder).type == "this" and key is not None:
                    yield key

    def check_names(self, cls: Node) -> None:
        """What the members name must mean the same in another class."""
        other = self.program.unit(cls.path)
        assert other is not None
        for node in spoken(self.unit):
            if not any(member.start <= node.start < member.end for member in self.members):
                continue
            meant, _ = meaning(self.program, self.unit, node)
            if meant is None or meant.unit is not self.unit:
                if (
                    cls.path != self.unit.path
                    and self.program.visible(other.top, node.text, VALUE | TYPE) is not meant
                ):
                    self.refuse(node, f"{node.text} means something else in {cls.path}", "")
                continue
            inside = any(
                m.start <= declared.start < m.end
                for m in self.members
                for declared in (*meant.names, *meant.nodes)
            )
            if inside:
                continue
            if not at_top(self.unit, meant):
                self.refuse(node, f"{node.text} is not seen where the other class is", "")
            there = self.program.visible(other.scope_at(cls.get("body") or cls), node.text, VALUE | TYPE)
            if there is not meant and (
                there is None or self.program.resolve(there) is not self.program.resolve(meant)
            ):
                self.refuse(node, f"{node.text} is not what it is in {cls.path}", "import it there first")

    def cuts(self) -> list[Splice]:
        data = self.unit.data
        found = []
        for member in self.members:
            splice = cut(self.unit, member.start, member.end)
            end = splice.end
            if data[: splice.start].rstrip().endswith(b"{"):
                for _ in range(layout.blank_lines_after(data, end)):
                    end = layout.after_line(data, end)
            found.append(Splice(splice.path, splice.start, end, b""))
        return found

    def arrival(self, cls: Node) -> Splice:
        """The members at the end of another class, in its indentation."""
        other = self.program.unit(cls.path)
        body = cls.get("body")
        assert other is not None
        assert body is not None
        data, mine = other.data, self.unit.data
        end = layout.line_end(data)
        indent = layout.indentation(data, cls.start)
        items = body.items
        inner = layout.indentation(data, items[0].start) if items else b""
        if not items or len(inner) <= len(indent):
            own = layout.indentation(mine, self.members[0].node.start)
            inner = indent + (own.removeprefix(layout.indentation(mine, self.cls.start)) or b"  ")
        texts = [self.indented(member, inner, end) for member in self.members]
        text = (
            (end + end).join(texts) if any(b"\n" in t for t in texts) or len(texts) == 1 else end.join(texts)
        )
        if not items:
            return Splice(cls.path, body.start, body.end, b"{" + end + text + end + indent + b"}")
        last = max(child.end for child in body.children[:-1])
        stop = layout.line_stop(data, last)
        at = stop if stop < body.children[-1].start else last
        blank = end if b"\n" in text or b"{" in text else b""
        close = b"" if data[at : body.end - 1].count(b"\n") else end + indent
        return Splice(cls.path, at, at, end + blank + text + close)

    def indented(self, member: Member, inner: bytes, end: bytes) -> bytes:
        """A member's text in another indentation; lines within a template stay as they are."""
        data = self.unit.data
        was = layout.indentation(data, member.node.start)
        out = [inner]
        at = member.start
        for line in data[member.start : member.end].split(b"\n"):
            text = line.removesuffix(b"\r")
            if at == member.start:
                out.append(text)
            elif any(n.type == "template_string" and n.start < at for n in self._around(at)):
                out += [end, text]
            else:
                out += [end, inner + text.removeprefix(was) if text.strip() else b""]
            at += len(line) + 1
        return b"".join(out)

    def _around(self, offset: int) -> Iterator[Node]:
        node = self.unit.root.at(offset)
        yield node
        yield from node.above()


def _members(unit: Unit, body: Node, start: int, end: int) -> Iterator[Member]:
    children = body.children
    for number, node in enumerate(children):
        if node.type not in _MEMBERS or node.start < start or node.end > end + 1:
            continue
        begin, stop = node.start, node.end
        index = number - 1
        while index >= 0 and children[index].type in ("decorator", "comment"):
            above = children[index]
            if above.type == "comment":
                line = unit.data[layout.line_start(unit.data, above.start) : above.start]
                if unit.data[above.end : begin].count(b"\n") > 1 or not layout.only_space(line):
                    break
            begin = above.start
            index -= 1
        if number + 1 < len(children) and children[number + 1].type == ";":
            stop = children[number + 1].end
        key = name_of(node)
        yield Member(node, begin, stop, key.text if key is not None and not key.children else "")


def _class_node(entity: Entity) -> Node | None:
    return next((node for node in entity.nodes if node.type in CLASSES), None)


def extended(program: Program, cls: Node) -> Entity | None:
    """The class that another extends by its name."""
    heritage = cls.first("class_heritage")
    clause = heritage.first("extends_clause") if heritage is not None else None
    value = clause.get("value") if clause is not None else None
    if (
        value is None
        and heritage is not None
        and heritage.items
        and heritage.items[0].type != "implements_clause"
    ):
        value = heritage.items[0]
    if value is None or value.type != "identifier":
        return None
    return program.resolve(program.meaning(value, VALUE))


def pull_up(
    resolver: JavaScriptResolver, path: str, start: int, end: int, base: str
) -> tuple[str, list[Splice]]:
    """Members go to the class that theirs extends. Raises `EditRefused`."""
    group = Group(resolver, path, start, end)
    name = group.entity.declared_name
    target = extended(group.program, group.cls)
    cls = _class_node(target) if target is not None else None
    if target is None or cls is None or (base and target.declared_name != base):
        raise EditRefused(
            f"{name} extends no {base or 'class of this project'}", hint="a class extends one other"
        )
    inherited = all_names(group.program, target)
    for member in group.members:
        if member.name in inherited:
            group.refuse(member.node, f"{target.declared_name} has another {member.name}", "")
    for key in group.asked():
        if key.text not in inherited | group.names:
            group.refuse(key, f"`this` has no {key.text} in {target.declared_name}", "pull it up too")
    _check_said(group, cls)
    for member in group.members:
        if member.node.has("override"):
            group.refuse(member.node, f"{member.name} overrides another", "")
    _own_parameters(group, group.cls)
    group.check_names(cls)
    return name, [*group.cuts(), group.arrival(cls)]


def all_names(program: Program, entity: Entity) -> set[str]:
    """The members that instances of a class, and the class itself, have; with those that it inherits."""
    found: set[str] = set()
    current: Entity | None = entity
    for _ in range(50):
        if current is None:
            break
        found |= {*current.members, *current.exports}
        cls = _class_node(current)
        current = extended(program, cls) if cls is not None else None
    return found


def _check_said(group: Group, cls: Node) -> None:
    """The other class must not use the names of itself already."""
    for node in cls.walk():
        key = node.get("property") if node.type == "member_expression" else None
        holder = node.get("object") if key is not None else None
        if key is not None and holder is not None and bare(holder).type == "this" and key.text in group.names:
            group.refuse(key, f"`this.{key.text}` is used there already", "")


def _own_parameters(group: Group, cls: Node) -> None:
    """Type parameters of the class are not known in another."""
    listed = cls.get("type_parameters")
    names = {item.items[0].text for item in listed.items if item.items} if listed is not None else set()
    for member in group.members:
        for node in member.node.walk():
            if node.type == "type_identifier" and node.text in names:
                group.refuse(node, f"{node.text} is a type parameter of its class", "")


def push_down(
    resolver: JavaScriptResolver, path: str, start: int, end: int
) -> tuple[str, list[Splice], Sequence[Occurrence]]:
    """Members go to every class that directly extends theirs. Raises `EditRefused`."""
    group = Group(resolver, path, start, end)
    name = group.entity.declared_name
    targets = list(_extending(group.program, group.entity))
    if not targets:
        raise EditRefused(f"no class of this project extends {name}", hint="delete the member instead")
    stays = [m for m in group.cls.walk() if m.type == "member_expression"]
    for node in stays:
        key, holder = node.get("property"), node.get("object")
        if any(member.start <= node.start < member.end for member in group.members):
            continue
        if (
            key is not None
            and holder is not None
            and key.text in group.names
            and bare(holder).type in ("this", "super")
        ):
            group.refuse(key, f"{name} uses {key.text} itself", "")
    _own_parameters(group, group.cls)
    uncertain: list[Occurrence] = []
    for member in group.members:
        key = name_of(member.node)
        symbol = resolver.symbol_here(path, key.start) if key is not None else None
        for place in resolver.occurrences(symbol) if symbol is not None else ():
            if not place.certain:
                uncertain.append(place)
            elif (
                place.role != "definition"
                and not any(_inside(place, cls) for cls in [group.cls, *targets])
                and not _of(group, place, targets)
            ):
                raise EditRefused(
                    f"{place.path}:{_row(resolver, place)} {member.name} is used of what may be a {name}",
                    hint="change that first",
                )
    splices = group.cuts()
    for cls in targets:
        entity = group.program.unit(cls.path)
        own = entity.own.get(cls) if entity is not None else None
        there = {*own.real.members, *own.real.exports} if own is not None else set()
        for member in group.members:
            if member.name in there:
                group.refuse(member.node, f"{own.declared_name if own else ''} has its own {member.name}", "")
        group.check_names(cls)
        splices.append(group.arrival(cls))
    return name, splices, uncertain


def _of(group: Group, place: Occurrence, targets: Sequence[Node]) -> bool:
    """Whether a member is used of something that is sure to be of one of these classes."""
    unit = group.program.unit(place.path)
    access = unit.root.at(place.start).up if unit is not None else None
    holder = access.get("object") if access is not None and access.type == "member_expression" else None
    type = group.resolver.checker.expression(holder) if holder is not None else None
    current = type.entity.real if isinstance(type, Instance | Static) else None
    for _ in range(50):
        cls = _class_node(current) if current is not None else None
        if cls is None or cls is group.cls:
            return False
        if cls in targets:
            return True
        current = extended(group.program, cls)
    return False


def _inside(place: Occurrence, cls: Node) -> bool:
    return place.path == cls.path and cls.start <= place.start < cls.end


def _row(resolver: JavaScriptResolver, place: Occurrence) -> int:
    return resolver.project.source(place.path).data.count(b"\n", 0, place.start) + 1


def _extending(program: Program, entity: Entity) -> Iterator[Node]:
    """The classes that directly extend one, in all files that could."""
    seen: set[Node] = set()
    for path in dict.fromkeys([entity.unit.path, *program.containing("extends")]):
        unit = program.unit(path)
        for cls in unit.own if unit is not None else ():
            if cls.type in CLASSES and cls not in seen:
                seen.add(cls)
                if extended(program, cls) is entity:
                    yield cls
