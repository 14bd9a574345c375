"""Renames in Python: the splices, the files that move, and the refusals that keep meaning as it was."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from forgewright.code.binding import Occurrence, RenameOptions, Renaming, Symbol
from forgewright.code.project import Splice
from forgewright.code.python.keys import Key, Keys
from forgewright.code.python.parse import readable
from forgewright.code.python.refactor.callers import inherited
from forgewright.code.python.refactor.calls import function_keys
from forgewright.code.python.scopes import FileIndex, Scope
from forgewright.code.substitution import standing
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver


def rename(resolver: PythonResolver, symbol: Symbol, new_name: str, options: RenameOptions) -> Renaming:
    """See `Resolver.rename`."""
    old = symbol.name
    check_name(new_name)
    if new_name == old:
        raise EditRefused(f"{old} already has that name", hint="give another name")
    keys = resolver.keys_of(symbol)
    check_protocol(resolver, keys, old)
    if options.hierarchy and options.keywords:
        keys = with_overrides(resolver, keys, old)
    keys, places = resolver.finder.find(keys, old, hierarchy=options.hierarchy, release=resolver.release)
    moves = module_moves(resolver, keys, new_name)
    check_outside(resolver, keys, old)
    certain = [place for place in places if place.certain or options.uncertain]
    if not options.keywords:
        certain = [place for place in certain if place.role != "keyword"]
    if not options.allow_capture:
        Clashes(resolver, keys, old, new_name).check(certain)
    splices: list[Splice] = []
    for place in certain:
        splices.append(shaped(resolver, place, keys, old, new_name))
        resolver.release()
    sure = set(certain)
    uncertain = [place for place in places if place not in sure]
    if options.strings != "off" or options.docs != "off":
        more, doubtful = in_prose(resolver, keys, old, options, {(s.path, s.start) for s in splices})
        splices += [Splice(place.path, place.start, place.end, new_name.encode()) for place in more]
        uncertain += doubtful
    if options.aliases:
        splices += alias_splices(resolver, keys, old, new_name)
    done = {(splice.path, splice.start) for splice in splices} | {(p.path, p.start) for p in uncertain}
    return Renaming(
        tuple(sorted(set(splices))),
        tuple(moves),
        tuple(uncertain),
        tuple(leftover(resolver, keys, old, done)),
    )


COMPILED = frozenset({"super", "__class__", "__debug__"})
"""Where these stand, the compiler makes other code (language reference, 3.3.3.6 and 4.1)."""


def check_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise EditRefused(
            f"expected a Python identifier, found {name!r}", hint="use letters, digits and _, and no keyword"
        )
    if name in COMPILED:
        raise EditRefused(f"{name} is more than a name to the compiler", hint="choose another name")


def check_outside(resolver: PythonResolver, keys: Keys, old: str) -> None:
    own = [key for key in keys if key.is_module or not resolver.identity.is_external(key)]
    if not own:
        raise EditRefused(
            f"{old} is defined outside the project",
            hint=f"import it under another name: from … import {old} as …",
        )


def functions_of(resolver: PythonResolver, keys: Keys) -> list[Scope]:
    """The functions that some keys name, or are parameters of."""
    found = []
    for key in sorted(keys):
        if key.is_module or resolver.identity.is_external(key):
            continue
        for site in resolver.identity.sites(key):
            if site.kind == "function" and site.scope is not None:
                found.append(site.scope)
    return found


def check_protocol(resolver: PythonResolver, keys: Keys, old: str) -> None:
    """Refuse to rename a method that a class outside of the project calls by its name."""
    for function in functions_of(resolver, keys):
        base = inherited(resolver, function)
        if base is not None:
            raise EditRefused(
                f"{old} of {function.dotted().rpartition('.')[0]} is called by {base}, which it inherits from",
                hint="leave its name",
            )


def with_overrides(resolver: PythonResolver, keys: Keys, old: str) -> Keys:
    """With a parameter that callers may name also that of the methods above and below."""
    found = set(keys)
    for key in keys:
        scope = None if key.is_module else resolver.identity.scope(key)
        if scope is None or scope.kind != "function" or scope.method_of is None or scope.self_name == old:
            continue
        if scope.name.startswith("__") or not any(
            p.name == old and p.kind in ("normal", "keyword") for p in scope.parameters
        ):
            continue
        whole = resolver.finder.family(function_keys(resolver, scope), scope.name)
        for function in functions_of(resolver, whole):
            if any(p.name == old and p.kind in ("normal", "keyword") for p in function.parameters):
                found |= resolver.identity.of_binding(function.bindings[old])
    return frozenset(found)


def shaped(resolver: PythonResolver, place: Occurrence, keys: Keys, old: str, new_name: str) -> Splice:
    """The splice of one place; an import from outside gets an alias."""
    if place.role == "import":
        file = resolver.file(place.path)
        for entry in file.imported.get(old, ()):
            if entry.start == place.start and entry.alias is None:
                if not resolver.identity.of_link(entry.link, place.path):
                    return Splice(place.path, place.end, place.end, f" as {new_name}".encode())
        for scope in file.scopes:
            binding = scope.bindings.get(old)
            for site in binding.sites if binding is not None else ():
                if site.start == place.start and site.kind == "import" and site.link is not None:
                    if not resolver.identity.of_link(site.link, place.path):
                        node = site.node
                        if node is None or node.end_byte != place.end:
                            raise EditRefused(
                                f"{old} is bound by an import of a submodule from outside the project",
                                hint="import the submodule under a name of its own first",
                            )
                        return Splice(place.path, place.end, place.end, f" as {new_name}".encode())
    return Splice(place.path, place.start, place.end, new_name.encode())


def module_moves(resolver: PythonResolver, keys: Keys, new_name: str) -> list[tuple[str, str]]:
    """The files that follow a renamed module or package."""
    moves: list[tuple[str, str]] = []
    for key in sorted(keys):
        if not key.is_module:
            continue
        module = key.path
        if not module:
            raise EditRefused("the root of the project is no module", hint="name a module inside it")
        folder = module.rpartition("/")[0]
        target = f"{folder}/{new_name}" if folder else new_name
        if resolver.modules.exists(target):
            raise EditRefused(
                f"there is already a module {target}", hint="choose another name or merge the modules"
            )
        for init in resolver.modules.files(folder) if folder else ():
            if resolver.file(init).names.get(new_name) or new_name in resolver.file(init).module.bindings:
                raise EditRefused(
                    f"{init} names something {new_name}; the module would take its place there",
                    hint="choose another name",
                )
        for path in resolver.project.paths():
            if path.startswith(module + "/") or path in resolver.modules.files(module):
                moves.append((path, target + path[len(module) :]))
    return moves


class Clashes:
    """Refuses a rename after which some name would mean something else."""

    def __init__(self, resolver: PythonResolver, keys: Keys, old: str, new: str) -> None:
        self.resolver = resolver
        self.identity = resolver.identity
        self.types = resolver.types
        self.keys = keys
        self.old = old
        self.new = new

    def check(self, places: list[Occurrence]) -> None:
        members = {key for key in self.keys if not key.is_module and self.identity.scope(key).kind == "class"}
        for key in members:
            self.member(self.identity.scope(key))
        if members:
            self.heirs({(key.path, key.scope) for key in members})
        self.private(places, members)
        by_path: dict[str, set[int]] = {}
        for place in places:
            by_path.setdefault(place.path, set()).add(place.start)
        for path, starts in by_path.items():
            if self.new.encode() not in self.resolver.project.source(path).data:
                continue  # nothing there has the new name
            self.resolver.release()
            self.file(self.resolver.file(path), starts)

    def member(self, home: Scope) -> None:
        for scope in self.types.mro(home)[0]:
            if self.new in scope.bindings or self.new in scope.self_sites:
                raise self.refusal(f"{scope.name} already has a member {self.new}")

    def heirs(self, homes: set[tuple[str, int]]) -> None:
        """A class below that has the new name already would override the renamed one."""
        for path in sorted(self.resolver.project.containing(self.new.encode(), "python")):
            self.resolver.release()
            for scope in self.resolver.file(path).scopes:
                if scope.kind == "class" and (self.new in scope.bindings or self.new in scope.self_sites):
                    for above in self.types.mro(scope)[0]:
                        if (above.file.path, above.index) in homes:
                            where = f"{scope.dotted()} in {path}"
                            raise self.refusal(f"{self.new} of {where} would override that of {above.name}")

    def private(self, places: list[Occurrence], homes: set[Key]) -> None:
        """Two leading underscores make a name another one in each class (language reference, 6.2.1)."""
        if not is_private(self.new) and not (is_private(self.old) and homes):
            return
        classes: set[tuple[str, int]] = set()
        for place in places:
            self.resolver.release()
            scope: Scope | None = self.resolver.file(place.path).scope_at(place.start)
            while scope is not None and scope.kind != "class":
                scope = scope.parent
            classes.add((scope.file.path, scope.index) if scope is not None else ("", -1))
        own = {(key.path, key.scope) for key in homes}
        if is_private(self.new) and (len(classes) > 1 or (own and own != classes)):
            raise self.refusal(
                f"{self.new} would be a name of its own in each of the classes that use {self.old}"
            )
        parameter = any(
            site.kind == "parameter"
            for key in self.keys
            if not key.is_module
            for site in self.identity.sites(key)
        )
        if is_private(self.new) and parameter and classes != {("", -1)}:
            raise self.refusal(f"no caller outside of the class could name a parameter {self.new}")
        for key in homes if is_private(self.old) else ():
            mangled = f"_{self.identity.scope(key).name.lstrip('_')}{self.old}"
            for path in sorted(self.resolver.project.containing(mangled.encode(), "python")):
                raise self.refusal(f"{path} names it {mangled}")

    def file(self, file: FileIndex, starts: set[int]) -> None:
        binders: set[Scope] = set()
        readers: list[Scope] = []
        for scope in file.scopes:
            binding = scope.bindings.get(self.old)
            if binding is not None and any(site.start in starts for site in binding.sites):
                binders.add(scope)
        for ref in file.names.get(self.old, ()):
            if ref.start in starts:
                readers.append(ref.scope)
                found = file.lookup(ref.scope, self.old, ref.start)
                if found is not None:
                    binders.add(found.scope)
                    readers.append(ref.scope)
                else:
                    binders.add(file.module)
        for scope in binders:
            if self.new in scope.bindings:
                where = f"{scope.dotted()} in {file.path}" if scope.dotted() else file.path
                raise self.refusal(f"{self.new} is already bound in {where}")
        for reader in readers:
            current: Scope | None = reader
            while current is not None and current not in binders:
                visible = current.kind != "class" or current is reader
                if visible and self.new in current.bindings and self.new not in current.nonlocals:
                    raise self.refusal(
                        f"a use of {self.old} in {file.path} would mean the {self.new} of {current.dotted() or 'its scope'}"
                    )
                current = current.parent
        self.captures(file, binders)

    def captures(self, file: FileIndex, binders: set[Scope]) -> None:
        """Uses of another thing of the new name that would now see the renamed one."""
        for ref in file.names.get(self.new, ()):
            found = file.lookup(ref.scope, self.new, ref.start)
            current: Scope | None = ref.scope
            while current is not None and (found is None or current is not found.scope):
                if current in binders and (current.kind != "class" or current is ref.scope):
                    row = file.data.count(b"\n", 0, ref.start) + 1
                    raise self.refusal(f"{self.new} at {file.path}:{row} would mean the renamed one")
                current = current.parent

    def refusal(self, message: str) -> EditRefused:
        return EditRefused(message, hint="choose another name, or rename the other one first")


def is_private(name: str) -> bool:
    """Whether a class's name is mangled into this one."""
    return name.startswith("__") and not name.endswith("__")


def alias_splices(resolver: PythonResolver, keys: Keys, old: str, new: str) -> list[Splice]:
    """`old = new` after the definition at the top of a module."""
    found: list[Splice] = []
    for key in sorted(keys):
        if key.is_module or resolver.identity.scope(key).kind not in ("module", "class"):
            continue
        file = resolver.file(key.path)
        sites = [site for site in resolver.identity.sites(key) if site.node is not None]
        if not sites:
            continue
        node = sites[-1].node
        while node is not None and node.parent is not None and node.parent.type not in ("module", "block"):
            node = node.parent
        if node is None:
            continue
        begin = file.data.rfind(b"\n", 0, node.start_byte) + 1
        indent = file.data[begin : node.start_byte].decode()
        if indent.strip():
            continue
        blank = (
            "\n\n\n"
            if node.type.endswith("definition") and not indent
            else "\n\n"
            if node.type.endswith("definition")
            else "\n"
        )
        text = f"{blank}{indent}{old} = {new}"
        found.append(Splice(key.path, node.end_byte, node.end_byte, text.encode()))
    return found


def in_prose(
    resolver: PythonResolver, keys: Keys, old: str, options: RenameOptions, done: set[tuple[str, int]]
) -> tuple[list[Occurrence], list[Occurrence]]:
    """Whole words in strings and comments where the name is visible: to change, and to list."""
    change: list[Occurrence] = []
    listed: list[Occurrence] = []
    for place in other_words(resolver, keys, old, done):
        if place.role not in ("string", "comment"):
            continue
        file = resolver.file(place.path)
        if not visible(resolver, file, keys, old, place.start):
            continue
        wanted = options.docs if place.role == "comment" or place.note == "docstring" else options.strings
        if wanted == "all":
            change.append(place)
        elif wanted == "uncertain":
            listed.append(Occurrence(place.path, place.start, place.end, place.role, False, "in prose"))
    return change, listed


def visible(resolver: PythonResolver, file: FileIndex, keys: Keys, old: str, offset: int) -> bool:
    """Whether the bare name at this byte would mean one of the keys (a member counts as visible)."""
    if any(not key.is_module and resolver.identity.scope(key).kind == "class" for key in keys):
        return True
    binding = resolver.types.lookup(file.scope_at(offset), old)
    return binding is not None and bool(resolver.identity.of_binding(binding) & keys)


def leftover(resolver: PythonResolver, keys: Keys, old: str, done: set[tuple[str, int]]) -> list[Occurrence]:
    """Where else the old name stands, classified."""
    return list(other_words(resolver, keys, old, done))


def other_words(
    resolver: PythonResolver, keys: Keys, old: str, done: set[tuple[str, int]]
) -> list[Occurrence]:
    found: list[Occurrence] = []
    name = old.encode()
    for path in resolver.finder.candidates(keys, old):
        source = resolver.project.source(path)
        left = [start for start in standing(source.data, name) if (path, start) not in done]
        if not left:
            continue
        parsed = source.parsed
        root, _ = readable(source)
        for start in left:
            end = start + len(name)
            node = root.descendant_for_byte_range(start, end)
            kind = node.type if node is not None else ""
            note = ""
            if kind == "comment":
                role = "comment"
            elif kind in ("string_content", "string", "string_start", "string_end", "escape_sequence"):
                role = "string"
                statement = node.parent if node is not None else None
                if statement is not None and statement.parent is not None:
                    if statement.parent.type == "expression_statement":
                        note = "docstring"
            else:
                role = "reference"
                note = "another symbol of that name"
            found.append(Occurrence(path, start, end, role, True, note))  # type: ignore[arg-type]  # one of Role
        if not parsed:
            source.forget_tree()
    return found


def moved_key(key: Key, moves: dict[str, str]) -> Key:
    """The key after files have moved."""
    return Key(moves.get(key.path, key.path), key.scope, key.name)
