"""Changes the parameters of a function, of what it overrides or implements, and of all calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from forgewright.code.binding import Renaming, Symbol
from forgewright.code.positional.calls import Call, call_at
from forgewright.code.positional.parameters import (
    DECLARATIONS,
    Parameter,
    Slot,
    parameters,
    receivers,
    rewritten,
    text,
)
from forgewright.code.project import Project, Source, Splice
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from tree_sitter import Node

_IMPORTS = frozenset(("use_declaration", "import_declaration"))
_GO = (
    "main init String GoString Error Unwrap Is As Read Write Close Seek ReadFrom WriteTo ReadByte WriteByte ReadRune "
    "ServeHTTP RoundTrip Len Less Swap Push Pop MarshalJSON UnmarshalJSON MarshalText UnmarshalText MarshalBinary "
    "UnmarshalBinary Scan Value Format Lock Unlock"
)
_CALLED_FROM_OUTSIDE = {
    "go": frozenset(_GO.split()),
    "rust": frozenset(("main",)),
    "java": frozenset(("main", "equals", "hashCode", "toString")),
}
"""Names by which a library or the system calls: it is not known from the project's text."""

Change = Callable[[Sequence[Parameter], int], Sequence[Slot]]
"""From the parameters, and the number of receivers before them, to the new ones."""


def probe(symbol: Symbol) -> str:
    """The name that a rename is asked for, and never given."""
    return symbol.name + "Ww5"


class Signature:
    """One function, its kin and its calls: what a rename of it to `probe(symbol)` would change.

    So the resolver's rules for interfaces, traits and overriding hold here too. Raises `EditRefused` for
    what is no function, where it is used as a value, and where it is not known whether a call is one of it.
    """

    def __init__(self, project: Project, symbol: Symbol, found: Renaming) -> None:
        self.declarations: list[tuple[Source, Node]] = []
        self.calls: list[Call] = []
        for splice in found.splices:
            self._sort(project.source(splice.path), splice)
        if not self.declarations:
            raise EditRefused(
                f"{symbol.name} is no function", hint="point at the name of a function or method"
            )
        for occurrence in found.uncertain:
            source = project.source(occurrence.path)
            leaf = source.tree.root_node.descendant_for_byte_range(occurrence.start, occurrence.end)
            if leaf is not None and call_at(source, leaf) is not None:
                raise EditRefused(
                    f"it is not known whether {place(source, leaf)} calls it",
                    hint="ask a language server too (--second-opinion), or edit the calls one by one",
                )
        source, declaration = self.declarations[0]
        if symbol.name in _CALLED_FROM_OUTSIDE[source.language] or _is_test(source, symbol.name):
            raise EditRefused(
                f"{symbol.name} may be called from outside of the project, with the parameters that it has",
                hint="edit its declaration by hand if that is not so",
            )
        if source.language == "java":
            _check_overloads(self.declarations, symbol.name)
        self.first = declaration

    def _sort(self, source: Source, splice: Splice) -> None:
        leaf = source.tree.root_node.descendant_for_byte_range(splice.start, splice.end)
        if leaf is None or leaf.parent is None or "comment" in leaf.type:
            return
        if leaf.parent.type in DECLARATIONS and leaf.parent.child_by_field_name("name") == leaf:
            self.declarations.append((source, leaf.parent))
            return
        call = call_at(source, leaf)
        if call is not None:
            self.calls.append(call)
        elif not _inside(leaf, _IMPORTS):
            raise EditRefused(
                f"{text(leaf)} is used as a value at {place(source, leaf)}: the calls of that are not known",
                hint="change this place first, or edit the calls one by one",
            )

    def plan(self, change: Change) -> list[Splice]:
        """Raises `EditRefused` where a parameter is still used, a name is taken, or a call cannot follow."""
        old = parameters(self.first)
        new = list(change(old, receivers(self.first)))
        variadic = [at for at, slot in enumerate(new) if slot.old is not None and old[slot.old].variadic]
        if variadic and variadic[0] != len(new) - 1:
            raise EditRefused("nothing can stand behind a variadic parameter", hint="say index:, before it")
        splices: list[Splice] = []
        for source, declaration in self.declarations:
            own = parameters(declaration)
            if len(own) != len(old):
                raise EditRefused(
                    f"{place(source, declaration)} has {len(own)} parameters, {len(old)} were expected",
                    hint="give the declarations the same parameters first",
                )
            _check_names(source, declaration, own, new)
            splices += rewritten(source, declaration, own, new)
        for call in self.calls:
            splices += self._called(call, old, new)
        return splices

    def _called(self, call: Call, old: list[Parameter], new: list[Slot]) -> list[Splice]:
        offset = 1 if call.by_path and receivers(self.first) else 0
        texts = call.texts()[offset:]
        at = place(call.source, call.node)
        variadic = bool(old) and old[-1].variadic
        if len(texts) < len(old) - variadic or (len(texts) > len(old) and not variadic):
            raise EditRefused(
                f"the call at {at} passes {len(texts)} arguments for {len(old)} parameters",
                hint="write its arguments one by one first",
            )
        acting = [number for number in range(len(texts)) if call.acts(offset + number)]
        dropped = set(range(len(old))) - {slot.old for slot in new}
        if any(min(number, len(old) - 1) in dropped for number in acting):
            raise EditRefused(
                f"an argument of the call at {at} does something, and would no longer be computed",
                hint="put it into a variable of its own first",
            )
        kept = [slot.old for slot in new if slot.old is not None]
        if kept != sorted(kept) and len(acting) > 1:
            raise EditRefused(
                f"the arguments of the call at {at} would be computed in another order",
                hint="put them into variables of their own first",
            )
        after: list[str] = []
        for slot in new:
            if slot.old is None:
                if not slot.value:
                    raise EditRefused(
                        f"the call at {at} has nothing to pass for {slot.name}",
                        hint="say value:, what every call passes",
                    )
                after.append(slot.value)
            else:
                after += texts[slot.old :] if old[slot.old].variadic else [texts[slot.old]]
        return call.passing(offset, after)


def _check_names(source: Source, declaration: Node, own: list[Parameter], new: list[Slot]) -> None:
    around = [declaration.child_by_field_name(field) for field in ("receiver", "body")]
    used = {text(leaf): leaf for part in around if part is not None for leaf in _variables(part)}
    kept = {slot.old for slot in new}
    for number, parameter in enumerate(own):
        if number not in kept and parameter.name in used:
            raise EditRefused(
                f"{parameter.name} is still used at {place(source, used[parameter.name])}",
                hint="take its uses out first",
            )
    for slot in new:
        if slot.old is None and (slot.name in used or any(slot.name == p.name for p in own)):
            raise EditRefused(
                f"{slot.name} already means something in the function at {place(source, declaration)}",
                hint="choose another name",
            )


def _check_overloads(declarations: list[tuple[Source, Node]], name: str) -> None:
    for source, declaration in declarations:
        body = declaration.parent
        for other in body.named_children if body is not None else ():
            same = other.type == "method_declaration" and text(other.child_by_field_name("name")) == name
            if same and other != declaration:
                raise EditRefused(
                    f"{name} is overloaded at {place(source, other)}: calls could come to mean the other one",
                    hint="give one of them another name first",
                )
        modifiers = declaration.named_children[0] if declaration.named_children else None
        if len(declarations) == 1 and modifiers is not None and "@Override" in text(modifiers).split():
            raise EditRefused(
                f"{name} overrides a method that is not in this project", hint="its parameters are not free"
            )


def _is_test(source: Source, name: str) -> bool:
    return (
        source.language == "go"
        and source.path.endswith("_test.go")
        and name.startswith(("Test", "Bench", "Fuzz", "Example"))
    )


def _variables(body: Node) -> Iterator[Node]:
    """The leaves that could mean a variable: no members."""
    stack = [body]
    while stack:
        node = stack.pop()
        stack += node.named_children
        if node.type not in ("identifier", "shorthand_field_identifier"):
            continue
        parent = node.parent
        if parent is None or parent.type != "field_access" or parent.child_by_field_name("field") != node:
            yield node


def _inside(node: Node, types: frozenset[str]) -> bool:
    up = node.parent
    while up is not None and up.type not in types:
        up = up.parent
    return up is not None


def place(source: Source, node: Node) -> str:
    return f"{source.path}:{node.start_point.row + 1}:{node.start_point.column + 1}"


def adding(name: str, kind: str, value: str | None, index: int | None) -> Change:
    """A new parameter at `index`, from 0 with the receivers (None: last, before a variadic one)."""
    if not kind:
        raise EditRefused("the new parameter has no type", hint="say type:")

    def change(old: Sequence[Parameter], before: int) -> Sequence[Slot]:
        slots = [Slot(number) for number in range(len(old))]
        last = len(slots) - (1 if old and old[-1].variadic else 0)
        at = last if index is None else index - before
        if not 0 <= at <= len(slots):
            raise EditRefused(f"there is no place {index} among {len(slots)} parameters", hint="count from 0")
        return [*slots[:at], Slot(None, name, kind, value or ""), *slots[at:]]

    return change


def removing(which: str | int) -> Change:
    """The parameter of this name, or at this place (from 0, with the receivers), goes."""

    def change(old: Sequence[Parameter], before: int) -> Sequence[Slot]:
        left = [Slot(n) for n, parameter in enumerate(old) if which not in (n + before, parameter.name)]
        if len(left) == len(old):
            raise EditRefused(f"there is no parameter {which}", hint=_known(old))
        return left

    return change


def reordering(order: Sequence[str]) -> Change:
    """Those named come in their new order to the places that they took before."""

    def change(old: Sequence[Parameter], before: int) -> Sequence[Slot]:
        names = [parameter.name for parameter in old]
        if set(order) - set(names) or len(set(order)) != len(order):
            raise EditRefused("the new order names other parameters", hint=_known(old))
        places = iter([names.index(name) for name in order])
        return [Slot(next(places) if name in order else number) for number, name in enumerate(names)]

    return change


def _known(old: Sequence[Parameter]) -> str:
    return f"the parameters are {', '.join(parameter.name or parameter.text for parameter in old)}"
