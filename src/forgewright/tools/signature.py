"""From a function's signature to the struct that its arguments are decoded into.

Reads the code object instead of importing `inspect`: a program with a hundred tools starts as fast as
one with none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from forgewright.core.errors import UsageError
from forgewright.tools.types import CallContext

_VARARGS, _VARKEYWORDS = 0x04, 0x08


class Signature(msgspec.Struct, frozen=True):
    arguments: type[msgspec.Struct]
    """A struct with one field per parameter that the model gives."""
    names: tuple[str, ...]
    positional: tuple[str, ...]
    """Names of positional-only parameters, which come first in `names`."""
    context: str | None
    """Name of the parameter into which the call's context is put."""
    context_type: Any = None
    """The class that it is annotated with."""


def underlying(function: Callable[..., Any]) -> tuple[FunctionType, bool]:
    """The plain function behind a callable, and whether its first parameter is bound already."""
    target: Any = function
    bound = False
    while True:
        if hasattr(target, "__wrapped__"):
            target = target.__wrapped__
        elif hasattr(target, "__func__"):
            target, bound = target.__func__, True
        elif isinstance(target, FunctionType):
            return target, bound
        elif not isinstance(target, type) and isinstance(_call_of(target), FunctionType):
            target, bound = _call_of(target), True
        else:
            raise UsageError(
                f"expected a function, a method or an object with __call__ as a tool; found {function!r:.80}",
                hint="wrap it: def name(…): return it(…)",
            )


def _call_of(target: Any) -> Any:
    return getattr(type(target), "__call__", None)  # noqa: B004 - the function itself is wanted


def read(
    function: Callable[..., Any], name: str, docs: Mapping[str, str], local: Mapping[str, Any]
) -> Signature:
    """The signature of a tool. Raises `UsageError` for what a model cannot be asked to give."""
    plain, bound = underlying(function)
    code = plain.__code__
    where = f"the tool {name} ({code.co_filename}:{code.co_firstlineno})"
    if code.co_flags & (_VARARGS | _VARKEYWORDS):
        raise UsageError(
            f"{where} takes *args or **kwargs; expected named parameters only",
            hint="name the parameters, or take one dict[str, …]",
        )
    count = code.co_argcount
    parameters = code.co_varnames[: count + code.co_kwonlyargcount]
    defaults = dict(
        zip(parameters[count - len(plain.__defaults__ or ()) : count], plain.__defaults__ or (), strict=True)
    )
    defaults.update(plain.__kwdefaults__ or {})
    skip = 1 if bound else 0
    hints = _hints(plain, local, where)
    fields: list[Any] = []
    context: str | None = None
    context_type: Any = None
    for parameter in parameters[skip:]:
        if parameter not in hints:
            raise UsageError(
                f"{where}: expected an annotation on its parameter {parameter}; found none",
                hint=f"write {parameter}: str, or the type that it has",
            )
        annotation = hints[parameter]
        if context is None and is_context(annotation):
            context, context_type = parameter, _context_class(annotation)
            continue
        kind = _described(annotation, docs.get(parameter))
        if parameter in defaults:
            fields.append((parameter, kind, _default(defaults[parameter])))
        else:
            fields.append((parameter, kind))
    try:
        struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True, module=__name__)
        decoder(struct)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{where}: a parameter has a type that JSON cannot give: {error}",
            hint="use builtins, Literal, enums, msgspec structs, dataclasses, TypedDicts or pydantic models",
        ) from error
    names = tuple(field[0] for field in fields)
    positional = tuple(p for p in parameters[skip : code.co_posonlyargcount] if p != context)
    if context in parameters[: code.co_posonlyargcount]:
        raise UsageError(f"{where}: its parameter {context} is positional-only; the context is given by name")
    return Signature(struct, names, positional, context, context_type)


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """A strict decoder for the type."""
    return msgspec.json.Decoder(kind, dec_hook=_decode_foreign)


def is_context(annotation: Any) -> bool:
    """Whether a parameter annotated so is given the call's context and not an argument."""
    if get_origin(annotation) in (Union, type(int | str)):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return len(rest) == 1 and is_context(rest[0])
    if not isinstance(annotation, type):
        return False
    if annotation is CallContext or CallContext in annotation.__mro__:
        return True
    if (
        issubclass(annotation, msgspec.Struct | dict)
        or hasattr(annotation, "__dataclass_fields__")
        or is_pydantic(annotation)
    ):
        return False
    known = set(dir(annotation))
    for base in annotation.__mro__:
        known.update(vars(base).get("__annotations__", ()))
    return {"key", "run"} <= known


def _context_class(annotation: Any) -> Any:
    return next((part for part in get_args(annotation) if part is not type(None)), annotation)


def is_pydantic(kind: Any) -> bool:
    """Whether this is a pydantic model class; pydantic is not imported for the answer."""
    return isinstance(kind, type) and hasattr(kind, "model_validate") and hasattr(kind, "model_json_schema")


def _hints(plain: FunctionType, local: Mapping[str, Any], where: str) -> dict[str, Any]:
    cells = plain.__closure__ or ()
    names = dict(local)
    for name, cell in zip(plain.__code__.co_freevars, cells, strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    try:
        return get_type_hints(plain, localns=names, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise UsageError(
            f"{where}: an annotation can't be resolved: {error}",
            hint="import the type at run time, not only under TYPE_CHECKING",
        ) from error


def _described(annotation: Any, doc: str | None) -> Any:
    """The annotation with the description that stands beside it or in the docstring."""
    if get_origin(annotation) is Annotated:
        base, *extras = get_args(annotation)
        texts = [extra for extra in extras if isinstance(extra, str)]
        metas = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
        if any(meta.description for meta in metas):
            doc = None
        elif texts:
            doc = texts[0]
        annotation = base
        for meta in metas:
            annotation = Annotated[annotation, meta]
    return Annotated[annotation, msgspec.Meta(description=doc)] if doc else annotation


def _default(value: Any) -> Any:
    if isinstance(value, list | dict | set | bytearray):
        from copy import deepcopy

        return msgspec.field(default_factory=lambda: deepcopy(value))
    return value


def _decode_foreign(kind: type, value: Any) -> Any:
    if is_pydantic(kind):
        return kind.model_validate(value)  # type: ignore[attr-defined]
    raise NotImplementedError(f"{kind!r} is not a type that JSON can give")


def caller_names(depth: int) -> Mapping[str, Any]:
    """Local names of the code `depth` frames up: types that are defined inside a function are found there."""
    return sys._getframe(depth + 1).f_locals
