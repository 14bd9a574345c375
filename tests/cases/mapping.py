"""From a case's `op` and `args` to our operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from forgewright.code.languages import parse
from forgewright.code.operations.base import Operation
from forgewright.code.operations.classes import (
    EncapsulateField,
    ExtractField,
    ExtractSuperclass,
    IntroduceFactory,
    InvertBoolean,
    LocalToField,
    MakeTopLevel,
    MethodObject,
    ModuleToPackage,
    PullUp,
    PushDown,
    ReplaceUses,
    SafeDelete,
    UseFunction,
)
from forgewright.code.operations.extract import ExtractFunction, ExtractVariable
from forgewright.code.operations.imports import (
    AbsoluteImports,
    AddImportStatement,
    ExpandStarImport,
    FromsToImports,
    OrganiseImports,
    RemoveDuplicateImports,
    RemoveUnusedImports,
    ShortenImports,
    SortImports,
)
from forgewright.code.operations.inline import Inline
from forgewright.code.operations.move import MoveMethod, MoveModule, MoveSymbol
from forgewright.code.operations.rename import Rename, RenameModule
from forgewright.code.operations.restructure import Restructure
from forgewright.code.operations.rewrite import Rewrite
from forgewright.code.operations.signature import (
    AddParameter,
    InlineDefault,
    InlineParameter,
    IntroduceParameter,
    NormaliseCalls,
    RemoveParameter,
    ReorderParameters,
)
from forgewright.code.python.refactor.signature import function_at
from forgewright.code.python.resolver import resolver_of
from forgewright.core.errors import EditRefused
from tests.cases.here import RenameHere
from tests.cases.scene import MemoryScene

Case = dict[str, Any]
Step = Operation | RenameHere | Callable[[], Operation]


def operations(case: Case, scene: MemoryScene) -> list[Step] | None:
    """The operations that a case asks for, in order; None if there is none like it."""
    make = MAKERS.get(case["op"])
    return None if make is None else make(case, case["args"])


def at(case: Case, args: Case, line: str = "line", column: str = "column") -> str:
    """The case's position, as `path:line:column` from 1."""
    text = case["files"][args["path"]]
    if "offset" in args and line == "line":
        before = text[: args["offset"]]
        row = before.count("\n")
        return f"{args['path']}:{row + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"
    return f"{args['path']}:{args[line]}:{args[column] + 1}"


def globs(args: Case) -> str:
    """The files that rope was told to look at."""
    return ",".join(resource["resource"] for resource in args.get("resources", ()))


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


def place(text: str, offset: int) -> str:
    """`line:column` from 1 of a character offset."""
    before = text[:offset]
    return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"


def selection(case: Case, args: Case) -> tuple[str, str]:
    """The selected range, and how to read it: as rope, jedi and pyrefly say what is selected."""
    if "start" in args:
        text = case["files"][args["path"]]
        return f"{args['path']}:{place(text, args['start'])}-{place(text, args['end'])}", "auto"
    if "path" in args:
        return jedi_selection(case, args)
    path, text = next((p, t) for p, t in case["files"].items() if "EXTRACT-START" in t)
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if "# EXTRACT-START" in line) + 1
    last = next(i for i, line in enumerate(lines) if "# EXTRACT-END" in line)
    return f"{path}:{first + 1}:1-{last + 1}:1", "auto"


def jedi_selection(case: Case, args: Case) -> tuple[str, str]:
    """jedi widens a position or a range to the code around it; so does this, by its rules."""
    path = args["path"]
    data = case["files"][path].encode()
    lines = data.split(b"\n")

    def offset(line: int, column: int) -> int:
        return sum(len(one) + 1 for one in lines[: line - 1]) + min(column, len(lines[line - 1]))

    root = parse("python", data).root_node
    every = list(leaves(root))
    start = offset(args["line"], args["column"])
    index = next((i for i, n in enumerate(every) if n.end_byte >= start), len(every) - 1)
    node = every[index]
    if "until_line" not in args and "until_column" not in args:
        if not node.is_named and index + 1 < len(every) and every[index + 1].start_byte == start:
            node = every[index + 1]
        if is_syntax(node):
            node = node.parent
        if node.type == "argument_list" or (
            node.parent.type == "argument_list" and node.parent.named_child_count == 1
        ):
            node = node.parent if node.type == "argument_list" else node.parent.parent
        while node.parent is not None and node.parent.type in WIDENED:
            node = node.parent
        if node.type == "return_statement":
            node = node.named_children[0]
        return spanned(case, path, node.start_byte, node.end_byte), "expression"
    until = offset(args.get("until_line", args["line"]), args.get("until_column", 10**6))
    at_line_end = start == offset(args["line"], 10**6)
    if node.end_byte == start and not at_line_end and index + 1 < len(every):
        node = every[index + 1]
    first = node.start_byte
    last = next((n for n in reversed(every) if n.start_byte < until), every[-1])
    whole = root.descendant_for_byte_range(first, max(first, last.end_byte - 1)) or root
    if is_syntax(whole) and whole.parent is not None:
        whole = whole.parent
    if whole.type in ("module", "block", "function_definition", "class_definition"):
        if whole.type.endswith("definition"):
            body = whole.child_by_field_name("body")
            assert body is not None
            whole = body if first >= body.start_byte else whole
        inside = [c for c in whole.named_children if c.end_byte > first and c.start_byte < until]
        return spanned(case, path, min(inside[0].start_byte, first), inside[-1].end_byte), "statements"
    if whole.type == "return_statement":
        whole = whole.named_children[0]
    if whole.type.endswith("_statement") and whole.type != "expression_statement":
        return spanned(case, path, whole.start_byte, whole.end_byte), "statements"
    return spanned(case, path, whole.start_byte, whole.end_byte), "expression"


def is_syntax(node: Any) -> bool:
    """An operator or a keyword that is no value."""
    return not node.is_named and not node.children


WIDENED = frozenset(
    [
        "binary_operator",
        "boolean_operator",
        "comparison_operator",
        "not_operator",
        "unary_operator",
        "attribute",
        "call",
        "subscript",
        "await",
    ]
)


def leaves(root: Any) -> Any:
    stack = [root]
    while stack:
        node = stack.pop()
        if not node.children:
            if node.type != "comment":
                yield node
        elif node.type == "string":
            yield node
        stack.extend(reversed(node.children))


def spanned(case: Case, path: str, start: int, end: int) -> str:
    data = case["files"][path].encode()
    text = case["files"][path]
    return f"{path}:{place(text, len(data[:start].decode()))}-{place(text, len(data[:end].decode()))}"


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


def in_method(case: Case, args: Case) -> bool:
    """Whether the function around the position is a method."""
    lines = case["files"][args["path"]].encode().split(b"\n")
    at = sum(len(one) + 1 for one in lines[: args["line"] - 1]) + args["column"]
    root = parse("python", case["files"][args["path"]].encode()).root_node
    node = root.descendant_for_byte_range(at, at)
    while node is not None and node.type != "function_definition":
        node = node.parent
    while (
        node is not None and node.parent is not None and node.parent.type in ("decorated_definition", "block")
    ):
        node = node.parent
    return node is not None and node.parent is not None and node.parent.type == "class_definition"


def fresh(text: str, name: str) -> str:
    """The first of `name`, `name_1`, `name_2` … that the text does not have."""
    found, number = name, 0
    while found in text:
        number += 1
        found = f"{name}_{number}"
    return found


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


def marked(case: Case, word: str) -> str:
    """The lines between `# WORD-START` and `# WORD-END` (pyrefly)."""
    path, text = next((p, t) for p, t in case["files"].items() if f"{word}-START" in t)
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if f"# {word}-START" in line) + 2
    last = next(i for i, line in enumerate(lines) if f"# {word}-END" in line) + 1
    return f"{path}:{first}:1-{last}:1"


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


def caret(case: Case) -> str:
    """The position that a `^` in a comment line points at (pyrefly)."""
    for path, text in case["files"].items():
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if re.fullmatch(r"\s*#\s*\^\s*", line):
                return f"{path}:{number}:{line.index('^') + 1}"
            target = re.match(r"\s+(\w+) = ", line)
            if target and case["op"] == "invert_boolean":
                return f"{path}:{number + 1}:{target.start(1) + 1}"
    raise AssertionError("no ^ in the case")


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
    "safe_delete": lambda case, args: [SafeDelete(at=caret(case))],
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
