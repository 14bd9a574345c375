"""When a method may do without its object: nobody hands one over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgewright.code.python.keys import Key
from forgewright.code.python.refactor.dispatch import replaced
from forgewright.code.python.refactor.families import gone_through
from forgewright.code.python.refactor.frames import check_names
from forgewright.code.python.refactor.mentions import place
from forgewright.code.python.refactor.registering import hook
from forgewright.code.python.scopes import Scope
from forgewright.code.python.values import ClassValue
from forgewright.core.errors import EditRefused

if TYPE_CHECKING:
    from forgewright.code.python.resolver import PythonResolver

CLASSES = ("cls", "klass", "type(", "super(type")


def check_static(method: Scope, resolver: PythonResolver) -> None:
    """Refuse where the method is taken from the class, where it is handed its object."""
    cls = method.method_of
    if cls is None:
        raise EditRefused(f"{method.name} is no method", hint="point at a method of a class")
    check_names(method.file, method.node, method.name)
    if len(cls.bindings[method.name].sites) > 1:
        raise EditRefused(f"{method.name} is defined more than once", hint="merge the definitions first")
    heard = hook(resolver, cls, making=False)
    seen = gone_through(resolver, resolver.types.mro(cls)[0], objects=False)
    if heard is not None or seen is not None:
        raise EditRefused(f"{heard or seen} may take {method.name} from the class", hint="leave it a method")
    put = replaced(resolver, method)
    if put is not None:
        raise EditRefused(
            f"{put} puts something else in its place, with the object", hint="change that first"
        )
    keys, _ = resolver.finder.find(
        frozenset({Key(cls.file.path, cls.index, method.name)}), method.name, hierarchy=True
    )
    for path in resolver.project.containing(method.name.encode(), "python"):
        file = resolver.file(path)
        for ref in file.names.get(method.name, ()):
            if resolver.identity.of_name(ref, method.name) & keys:
                raise EditRefused(
                    f"{place(file, ref.start)} uses it by its bare name, as a function of the object",
                    hint="change that first",
                )
        for entry in file.attributes.get(method.name, ()):
            found, unsure = resolver.identity.of_attribute(entry, method.name)
            if not (found & keys or unsure):
                continue
            values = resolver.types.infer(entry.object, entry.scope)
            text = file.text(entry.object)
            of_class = any(isinstance(value, ClassValue) for value in values)
            looks = (
                text.startswith(CLASSES)
                or text.endswith("__class__")
                or (text[:1].isupper() and "(" not in text)
            )
            if of_class or (unsure and looks):
                raise EditRefused(
                    f"{place(file, entry.start)} takes it from the class and hands the object over",
                    hint="call it through the object first",
                )
