"""From a case's `op` and `args` to our operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from forgewright.code.operations.allow import Allow
from forgewright.code.operations.base import Operation
from forgewright.code.operations.classes import (
    EncapsulateField,
    ExtractField,
    IntroduceFactory,
    InvertBoolean,
    LocalToField,
    MethodObject,
    ModuleToPackage,
    ReplaceUses,
    UseFunction,
)
from forgewright.code.operations.extract import ExtractFunction, ExtractVariable
from forgewright.code.operations.hierarchy import (
    DeleteUnused,
    ExtractSuperclass,
    MakeTopLevel,
    PullUp,
    PushDown,
)
from forgewright.code.operations.import_shapes import (
    AbsoluteImports,
    ExpandStarImport,
    FromsToImports,
    ShortenImports,
)
from forgewright.code.operations.imports import (
    AddImportStatement,
    OrganiseImports,
    RemoveDuplicateImports,
    RemoveUnusedImports,
    SortImports,
)
from forgewright.code.operations.inline import Inline
from forgewright.code.operations.move import MoveMethod, MoveModule, MoveSymbol
from forgewright.code.operations.parameters import InlineDefault, InlineParameter, IntroduceParameter
from forgewright.code.operations.rename import Rename, RenameModule
from forgewright.code.operations.restructure import Restructure
from forgewright.code.operations.rewrite import Rewrite
from forgewright.code.operations.signature import (
    AddParameter,
    NormaliseCalls,
    RemoveParameter,
    ReorderParameters,
)
from forgewright.code.python.refactor.signature import function_at
from forgewright.code.python.resolver import resolver_of
from forgewright.core.errors import EditRefused
from tests.cases.here import RenameHere
from tests.cases.scene import MemoryScene
from tests.cases.selections import at, caret, fresh, globs, in_method, marked, place, selection

Case = dict[str, Any]
Step = Operation | RenameHere | Callable[[], Operation]


def operations(case: Case, scene: MemoryScene) -> list[Step] | None:
    """The operations that a case asks for, in order; None if there is none like it."""
    make = MAKERS.get(case["op"])
    if make is None:
        return None
    steps = make(case, case["args"])
    if case["args"].get("resources"):  # only there, whatever becomes of the rest
        return [Allow(what=["lost"]), *steps]
    return steps


def rename(case: Case, args: Case) -> list[Step]:
    if case["lang"] != "python":
        return [RenameHere(case)]
    if args.get("module"):
        return [RenameModule(module=args["path"], new=args["new_name"])]
    rope = case["id"].startswith("rope/")
    docs = "all" if args.get("docs") else "off"
    return [
        Rename(
            at=at(case, args),
            new=args["new_name"],
            hierarchy=args.get("in_hierarchy", False) if rope else True,
            docs=docs,
            strings=docs,
            files=globs(args),
            uncertain=(args.get("unsure") or {}).get("callable") == "_true",
        )
    ]


def extract_function(case: Case, args: Case) -> list[Step]:
    chosen, what = selection(case, args)
    tool = case["id"].partition("/")[0]
    name = args.get("extracted_name") or args.get("new_name") or ""
    kind = args.get("kind", "auto")
    if name[:1] in ("@", "$"):
        meant = {"@": "classmethod", "$": "staticmethod"}[name[0]]
        if kind not in ("auto", "function", "method", meant):
            raise EditRefused(f"the name {name} says {meant}, the kind {kind}")
        kind, name = meant, name[1:]
    if not name:
        path = chosen.partition(":")[0]
        host = case["files"][path]
        method = "(self" in host or "(this" in host
        name = fresh(host, "extracted_method" if method else "extracted_function")
        if "@classmethod" in host or "@staticmethod" in host:
            kind, name = "function", fresh(host, "extracted_function")
    rope = tool == "rope"
    return [
        ExtractFunction(
            range=chosen,
            what=what if not rope else "auto",
            name=name,
            kind="auto" if kind in ("function", "method") and rope else kind,
            place="after" if rope else "before",
            top=bool(args.get("global_")) or (tool == "jedi" and not in_method(case, args)),
            similar=bool(args.get("similar")),
            through_class=rope,
            pass_unbound=tool == "jedi",
            keep_last=tool == "jedi",
        )
    ]


def extract_variable(case: Case, args: Case) -> list[Step]:
    chosen, _ = selection(case, args)
    name = args.get("extracted_name") or args.get("new_name")
    name = name or fresh("\n".join(case["files"].values()), "extracted_value")
    return [ExtractVariable(range=chosen, name=name, every=bool(args.get("similar")))]


def change_signature(case: Case, args: Case) -> list[Step]:
    if "path" not in args:
        return moved_parameter(case, args)
    steps: list[Step] = []
    where = at(case, args)
    hierarchy = bool(args.get("in_hierarchy", False))
    names = parameter_names(case, args)
    if not args.get("changers"):
        return [NormaliseCalls(at=where, calls="positional")]
    for changer in args["changers"]:
        kind = changer["class"]
        if kind == "ArgumentAdder":
            steps.append(
                AddParameter(
                    at=where,
                    name=changer["name"],
                    index=changer["index"],
                    default=changer.get("default"),
                    value=changer.get("value"),
                    calls="positional",
                    hierarchy=hierarchy,
                )
            )
            names.insert(changer["index"], changer["name"])
        elif kind == "ArgumentRemover":
            steps.append(
                RemoveParameter(
                    at=where, name=names.pop(changer["index"]), calls="positional", hierarchy=hierarchy
                )
            )
        elif kind == "ArgumentReorderer":
            order = [names[i] for i in changer["new_order"]]
            steps.append(
                ReorderParameters(
                    at=where,
                    order=order,
                    default=changer.get("autodef"),
                    calls="positional",
                    hierarchy=hierarchy,
                )
            )
            names = order + names[len(order) :]
        elif kind == "ArgumentNormalizer":
            steps.append(NormaliseCalls(at=where, calls="positional", hierarchy=hierarchy))
        elif kind == "ArgumentDefaultInliner":
            steps.append(
                InlineDefault(at=where, name=names[changer["index"]], remove=changer.get("remove", False))
            )
    return steps


def parameter_names(case: Case, args: Case) -> list[str]:
    """The parameters of the function that the case is about."""
    scene = MemoryScene(case["files"])
    path, offset = scene.position(at(case, args))
    function = function_at(resolver_of(scene.resolver("python")), path, offset)
    return [parameter.name for parameter in function.parameters]


def moved_parameter(case: Case, args: Case) -> list[Step]:
    """pyrefly: `Move parameter `x` left`."""
    title = re.match(r"Move parameter `(\w+)` (left|right)", args.get("title", ""))
    path, line, column = caret(case).rsplit(":", 2)
    text = case["files"][path].split("\n")[int(line) - 1]
    definition = re.match(r"\s*(?:async )?def (\w+)\((.*)\)", text)
    assert definition is not None
    names = [re.split(r"[:=]", part)[0].strip() for part in definition[2].split(",")]
    chosen = (
        title[1]
        if title
        else next(n for n in names if text.index(n, definition.start(2)) + len(n) > int(column) - 1)
    )
    index = names.index(chosen)
    other = index - 1 if title is None or title[2] == "left" else index + 1
    if title is None:
        other = 1 - index
    names[index], names[other] = names[other], names[index]
    names = [name.lstrip("*") for name in names]
    return [
        ReorderParameters(
            at=f"{path}:{line}:{definition.start(1) + 1}", order=names, calls="keywords", hierarchy=False
        )
    ]


def introduce_parameter(case: Case, args: Case) -> list[Step]:
    if "path" not in args:
        chosen, _ = selection(case, args)
        return [IntroduceParameter(range=chosen, name=fresh("\n".join(case["files"].values()), "param"))]
    text = case["files"][args["path"]]
    start = end = args["offset"]
    while re.match(r"[\w.]", text[start - 1]):
        start -= 1
    while end < len(text) and re.match(r"\w", text[end]):
        end += 1
    chosen = f"{args['path']}:{place(text, start)}-{place(text, end)}"
    return [
        IntroduceParameter(range=chosen, name=args.get("new_parameter", "new_parameter"), as_default=True)
    ]


def inline_parameter(case: Case, args: Case) -> list[Step]:
    where = caret(case)
    path, line, column = where.rsplit(":", 2)
    text = case["files"][path].split("\n")[int(line) - 1]
    definition = re.match(r"\s*def (\w+)", text)
    start = end = int(column) - 1
    while re.match(r"\w", text[start - 1]):
        start -= 1
    while re.match(r"\w", text[end]):
        end += 1
    assert definition is not None
    return [InlineParameter(at=f"{path}:{line}:{definition.start(1) + 1}", name=text[start:end])]


def move_global(case: Case, args: Case) -> list[Step]:
    prefs = args.get("prefs") or {}
    wanted = prefs.get("preferred_import_style", "")
    style = "from-module" if prefs.get("prefer_module_from_imports") or wanted == "from-module" else "module"
    if wanted == "from-global":
        style = "keep"
    to = (args.get("dest") or {}).get("resource", "")
    if to == "" or args["dest"].get("dir"):
        to = to or "other.py"
    elif args["dest"].get("dir"):
        to += "/__init__.py"
    return [MoveSymbol(at=at(case, args), to=to, style=style, place="start", allow_cycle=True)]


def extract_field(case: Case, args: Case) -> list[Step]:
    return [
        ExtractField(
            range=marked(case, "EXTRACT"), name=fresh("\n".join(case["files"].values()), "extracted_field")
        )
    ]


def encapsulate(case: Case, args: Case) -> list[Step]:
    return [
        EncapsulateField(
            at=at(case, args),
            getter=args.get("getter") or "",
            setter=args.get("setter") or "",
            files=globs(args),
        )
    ]


def factory(case: Case, args: Case) -> list[Step]:
    return [
        IntroduceFactory(
            at=at(case, args),
            name=args.get("factory_name") or "create",
            module_level=bool(args.get("global_factory")),
            files=globs(args),
        )
    ]


def change_occurrences(case: Case, args: Case) -> list[Step]:
    return [ReplaceUses(at=at(case, args), new=args["new_name"], calls_only=bool(args.get("only_calls")))]


def restructure(case: Case, args: Case) -> list[Step]:
    """rope writes `${name}` for an expression, and limits it by `name`, `object`, `type` or `instance`."""

    names: dict[str, str] = {}

    def variable(found: re.Match[str]) -> str:
        word = found[1]
        names[word.lstrip("?")] = re.sub(r"[^A-Z0-9_]", "_", word.lstrip("?").upper())
        return "$" + names[word.lstrip("?")]

    pattern = re.sub(r"\$\{(\??\w+)\}", variable, args["pattern"])
    goal = re.sub(r"\$\{(\??\w+)\}", variable, args["goal"])
    objects: dict[str, str] = {}
    types: dict[str, str] = {}
    unsure = False
    for name, limits in (args.get("args") or {}).items():
        if isinstance(limits, str):
            limits = dict(part.split("=", 1) for part in limits.split(",") if "=" in part)
        for key, value in limits.items():
            if key in ("object", "name"):
                objects[names[name]] = value
            elif key in ("type", "instance"):
                types[names[name]] = value
            elif key == "unsure":
                unsure = bool(value)
    imports = tuple(_imported(text) for text in args.get("imports") or ())
    return [
        Restructure(
            pattern=pattern,
            template=goal,
            objects=objects,
            types=types,
            uncertain=unsure,
            imports=imports,
            allow_none=True,
        )
    ]


def _imported(text: str) -> str:
    plain = re.fullmatch(r"import ([\w.]+)", text)
    if plain:
        return plain[1]
    named = re.fullmatch(r"from ([\w.]+) import (\w+)", text)
    assert named is not None
    return f"{named[1]}:{named[2]}"


def rewrite_pattern(case: Case, args: Case) -> list[Step]:
    """semgrep writes `...` and `$...ARGS` for any number of arguments."""
    pattern = re.sub(r"\$\.\.\.(\w+)", r"$$$\1", args["pattern"].rstrip("\n"))
    pattern = re.sub(r"(?<!\$)\.\.\.", "$$$", pattern)
    if "rewrite" not in args:
        return []
    template = re.sub(r"\$\.\.\.(\w+)", r"$$$\1", args["rewrite"].rstrip("\n"))
    return [Rewrite(pattern=pattern, template=template)]


def organise(case: Case, args: Case) -> list[Step]:
    split = bool((args.get("prefs") or {}).get("split_imports"))
    return [OrganiseImports(file=args["path"], unused=args.get("unused", True), split=split, to_top=True)]


def inline(case: Case, args: Case) -> list[Step]:
    if "path" not in args:
        if case["op"] == "inline_method":
            path, line, column = caret(case).rsplit(":", 2)
            text = case["files"][path].split("\n")[int(line) - 1]
            name = re.compile(r"\w+\s*\(").search(text, int(column) - 1)
            assert name is not None
            return [Inline(at=f"{path}:{line}:{name.start() + 1}", only_here=True)]
        return [Inline(at=caret(case), only_here=case["op"] == "inline_method")]
    return [
        Inline(
            at=at(case, args),
            only_here=bool(args.get("only_current")),
            keep=not args.get("remove", True),
            strings=bool(args.get("docs")),
            files=globs(args),
        )
    ]


MAKERS: dict[str, Callable[[Case, Case], list[Step] | None]] = {
    "rename": rename,
    "extract_method": extract_function,
    "extract_function": extract_function,
    "extract": extract_function,
    "extract_variable": extract_variable,
    "change_signature": change_signature,
    "introduce_parameter": introduce_parameter,
    "inline_parameter": inline_parameter,
    "move_global": move_global,
    "move_module": lambda case, args: [
        MoveModule(module=args["path"].removesuffix("/__init__.py"), to=args["dest"]["resource"])
    ],
    "move_method": lambda case, args: [
        MoveMethod(at=at(case, args), attribute=args["dest_attr"], name=args.get("new_name") or "")
    ],
    "encapsulate_field": encapsulate,
    "extract_field": extract_field,
    "extract_superclass": lambda case, args: [ExtractSuperclass(range=marked(case, "SUPER"))],
    "introduce_factory": factory,
    "invert_boolean": lambda case, args: [InvertBoolean(at=caret(case))],
    "local_to_field": lambda case, args: [LocalToField(at=at(case, args))],
    "make_top_level": lambda case, args: [MakeTopLevel(range=marked(case, "MOVE"))],
    "method_object": lambda case, args: [
        MethodObject(at=at(case, args), name=args.get("classname") or "_New")
    ],
    "module_to_package": lambda case, args: [ModuleToPackage(module=args["path"])],
    "pull_up": lambda case, args: [PullUp(range=marked(case, "MOVE"))],
    "push_down": lambda case, args: [PushDown(range=marked(case, "MOVE"))],
    "safe_delete": lambda case, args: [DeleteUnused(at=caret(case))],
    "use_function": lambda case, args: [UseFunction(at=at(case, args), style="module")],
    "change_occurrences": change_occurrences,
    "restructure": restructure,
    "rewrite_pattern": rewrite_pattern,
    "inline": inline,
    "inline_method": inline,
    "inline_variable": inline,
    "add_import": lambda case, args: [
        AddImportStatement(
            to=args["path"],
            statement=args["import"],
            last=not (args.get("prefs") or {}).get("pull_imports_to_top", True),
        )
    ],
    "expand_star_imports": lambda case, args: [ExpandStarImport(file=args["path"], every=True)],
    "froms_to_imports": lambda case, args: [FromsToImports(file=args["path"])],
    "handle_long_imports": lambda case, args: [
        ShortenImports(
            file=args["path"], dots_max=args.get("maxdots", 2), length_max=args.get("maxlength", 27)
        )
    ],
    "organize_imports": organise,
    "relatives_to_absolutes": lambda case, args: [AbsoluteImports(file=args["path"])],
    "remove_duplicates": lambda case, args: [RemoveDuplicateImports(file=args["path"])],
    "remove_unused_imports": lambda case, args: [RemoveUnusedImports(file=args["path"])],
    "sort_imports": lambda case, args: [SortImports(file=args["path"], to_top=True)],
}
