"""What a selected piece of code needs from around it, and what is needed of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.javascript.entities import VALUE, Entity, Scope
from forgewright.code.javascript.refactor.purity import Doing
from forgewright.code.javascript.refactor.region import line_of
from forgewright.code.javascript.refactor.uses import LOOPS, Use, host_of
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.javascript.refactor.region import Region
    from forgewright.code.scopes.tree import Node

_VARIABLES = ("const", "let", "var", "parameter")


class Flow:
    """The variables that cross the border of a region whose code moves to where only `home` is seen."""

    def __init__(self, region: Region, home: Scope, *, ends: bool) -> None:
        self.region = region
        self.uses = region.uses
        self.known = set(home.chain())
        self.ends = ends
        """Whether nothing runs after the region in its function."""
        self.acts = Doing(self.uses, list(region.nodes())).acts
        self.inside: dict[Entity, list[Use]] = {}
        for use in self.uses.within(region.start, region.end):
            if use.entity is None:
                continue
            if not self.visible(use.entity) or any(region.contains(name) for name in use.entity.names):
                self.inside.setdefault(use.entity, []).append(use)
        self.awaits = any(n.type in ("await_expression", "await") for n in region.here())
        self.types = [e for e in self.inside if not e.space & VALUE and not self.declared_inside(e)]
        values = [e for e in self.inside if e.space & VALUE]
        self.own = [e for e in values if self.declared_inside(e)]
        self.foreign = [e for e in values if not self.declared_inside(e)]
        for entity in self.foreign:
            self._check_foreign(entity)
        self.inputs = [e for e in self.foreign if self._needed(e)]
        self.outputs = self._outputs()
        self.locals = [
            e
            for e in self.foreign
            if e not in self.inputs and not any(u.declares for u in self.inside[e]) and self.writes(e)
        ]
        """What is only written in the region, and has to be declared anew where the code goes."""

    def visible(self, entity: Entity) -> bool:
        """Whether the name means the same where the code goes."""
        return entity.scope is None or entity.scope in self.known

    def declared_inside(self, entity: Entity) -> bool:
        return bool(entity.names) and all(self.region.contains(name) for name in entity.names)

    def outside(self, entity: Entity) -> list[Use]:
        return [use for use in self.uses.of(entity) if not self.region.contains(use.node)]

    def writes(self, entity: Entity) -> list[Use]:
        return [use for use in self.inside[entity] if use.writes]

    # variables of the code around ---------------------------------------------------------------

    def _check_foreign(self, entity: Entity) -> None:
        """Refuse where a copy would not be as good as the variable itself."""
        name, host = entity.name, self.region.host
        writes = self.writes(entity)
        if writes and self.region.expression is not None:
            raise EditRefused(
                f"the selection assigns {name}, a variable of the code around",
                hint="take the assignment out of the expression first",
            )
        if writes and any(host_of(declared) is not host for declared in entity.names):
            raise EditRefused(
                f"the selection assigns {name} of an enclosing function", hint="leave the assignment out"
            )
        if self.uses.constant(entity):
            return
        nested = [use for use in self.uses.of(entity) if host_of(use.node) is not host]
        around = self._around()
        if any(self.region.contains(use.node) for use in nested):
            raise EditRefused(
                f"a function in the selection keeps {name}, which is assigned more than once",
                hint="select the function alone, or leave it out",
            )
        if writes and any(host_of(use.node) not in around for use in nested):
            raise EditRefused(
                f"the selection assigns {name}, and another function uses it", hint="leave the assignment out"
            )
        if self.acts and any(
            use.writes and (self.awaits or host_of(use.node) not in around) for use in nested
        ):
            raise EditRefused(
                f"{name} may be assigned by another function meanwhile",
                hint="leave out the code that uses it",
            )

    def _around(self) -> set[Node]:
        """The functions around the region's own."""
        found: set[Node] = set()
        here = self.region.host
        while here.parent is not None:
            here = host_of(here)
            found.add(here)
        return found

    def _needed(self, entity: Entity) -> bool:
        """Whether the region may read a variable of the code around before it writes it."""
        sure = self._surely_written(entity)
        uses = self.inside[entity]
        if sure is None:
            return any(use.reads for use in uses) or (bool(self.writes(entity)) and self.live(entity))
        return any(use.reads and use.node.start < sure for use in uses)

    def _surely_written(self, entity: Entity) -> int | None:
        """Behind which offset a variable has a value in any case."""
        for statement in self.region.statements:
            for use in self.writes(entity):
                if not use.node.within(statement):
                    continue
                holder = assignment_of(use.node)
                begins = holder is not None and holder.up.field == "initializer" and holder.up.up is statement
                if holder is not None and (holder.up is statement or begins):
                    return holder.end
        return None

    # what is needed afterwards ------------------------------------------------------------------

    def _outputs(self) -> list[Entity]:
        if self.region.expression is not None:
            return []
        if self.ends:
            for entity in self.foreign:
                self._check_ended(entity)
            return []
        found: list[Entity] = []
        for entity in self.own:
            outside = self.outside(entity)
            if not outside:
                continue
            if entity.kind not in _VARIABLES:
                raise EditRefused(
                    f"{entity.name} is defined in the selection and used outside",
                    hint="leave its definition out",
                )
            self._check_kept(entity, outside)
            found.append(entity)
        for entity in self.foreign:
            if self.writes(entity) and self.live(entity):
                self._check_tried(entity)
                found.append(entity)
        return sorted(found, key=lambda e: self.inside[e][0].node.start)

    def _check_kept(self, entity: Entity, outside: list[Use]) -> None:
        """Refuse where a function holds on to a variable that becomes two."""
        kept = [use for use in self.uses.of(entity) if host_of(use.node) is not host_of(entity.names[0])]
        if not kept:
            return
        if not self.uses.constant(entity):
            raise EditRefused(
                f"a function keeps {entity.name}, which is assigned more than once",
                hint="select the code up to where it is assigned last",
            )
        for use in outside:
            host = host_of(use.node)
            if host is not self.region.host and (
                use.node.start < self.region.start
                or (host.type.endswith("function_declaration") and self.acts)
            ):
                raise EditRefused(
                    f"{host.type.replace('_', ' ')} in line {line_of(host)} uses {entity.name}, and may run before",
                    hint="leave the declaration out",
                )

    def live(self, entity: Entity) -> bool:
        """Whether somebody may read what the region has written."""
        host = self.region.host
        outside = self.outside(entity)
        reads = [use for use in outside if use.reads]
        loops: list[Node] = []
        for above in self.region.first.above():
            if above is host:
                break
            if above.type in LOOPS:
                loops.append(above)
        for loop in loops:
            fresh = entity.kind != "var" and entity.scope is not None and entity.scope.node.within(loop)
            if not (fresh and entity.scope is not None and entity.scope.node is not loop):
                if any(use.reads and use.node.within(loop) for use in self.uses.of(entity)):
                    return True
        later = [use for use in outside if use.node.start >= self.region.end]
        for use in later:
            if use.reads or host_of(use.node) is not host:
                return True
            holder = assignment_of(use.node)
            block = self.region.first.up
            if holder is not None and (holder.up.up is block or holder.up.up.up is block) and not loops:
                if holder.up.up.type in ("for_statement", block.type) and not _reads(later, holder):
                    return False
        return any(use.node.start < self.region.start and host_of(use.node) is not host for use in reads)

    def _check_ended(self, entity: Entity) -> None:
        """Refuse where `finally` or `catch` of the code around reads what the region has written."""
        for above in self.region.first.above():
            if above is self.region.host:
                return
            parts = (above.get("handler"), above.get("finalizer")) if above.type == "try_statement" else ()
            for part in parts:
                within = part is not None and not self.region.first.within(part)
                if within and self.writes(entity):
                    if any(
                        use.reads and part is not None and use.node.within(part)
                        for use in self.uses.of(entity)
                    ):
                        raise EditRefused(
                            f"{entity.name} is assigned inside try, and used behind it",
                            hint="leave the assignment out",
                        )

    def _check_tried(self, entity: Entity) -> None:
        """Refuse where an exception would leave the variable as it was before the region."""
        host = self.region.host
        for above in self.region.first.above():
            if above is host:
                return
            if above.type != "try_statement":
                continue
            body = above.get("body")
            inside = body is not None and self.region.first.within(body)
            scoped = entity.scope is not None and body is not None and entity.scope.node.within(body)
            last = [use for use in self.writes(entity) if not use.node.within(self.region.last)]
            holders = [assignment_of(use.node) for use in self.writes(entity)]
            plain = all(h is not None and h.up is self.region.last for h in holders)
            if inside and not scoped and (last or not plain):
                raise EditRefused(
                    f"{entity.name} is assigned inside try, and used after an exception",
                    hint="select up to the assignment",
                )


def _reads(uses: list[Use], holder: Node) -> bool:
    """Whether a variable is read in the very assignment that gives it another value."""
    return any(use.reads and use.node.within(holder) for use in uses)


def assignment_of(name: Node) -> Node | None:
    """The plain assignment or the declarator that always gives a name a value where it is computed."""
    below = name
    for above in name.above():
        if above.type == "assignment_expression":
            return above if below.field == "left" else None
        if above.type == "variable_declarator":
            return above if below.field == "name" and above.get("value") is not None else None
        if above.type not in ("object_pattern", "array_pattern", "pair_pattern", "rest_pattern"):
            if not (above.type.endswith("assignment_pattern") and below.field == "left"):
                return None
        below = above
    return None
