"""A function's signature is its schema; what does not fit is said so that a model can correct it."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import threading
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest

from forgewright.core.errors import ToolArgumentError, ToolError, UsageError
from forgewright.tools import CallContext, Tool, ToolOutput, as_tool, tool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(msgspec.Struct):
    x: int
    y: int = 0


@dataclasses.dataclass
class Box:
    corner: Point
    name: str = ""


class Options(TypedDict, total=False):
    depth: int


@tool
def add(a: int, b: int = 2) -> int:
    """Adds two numbers.

    Args:
        a: the first
        b (int): the second,
            which may be left out
    """
    return a + b


@tool(recovery="pure", name="draw")
async def everything(
    box: Box,
    mode: Literal["fill", "line"],
    colour: Colour = Colour.RED,
    options: Options | None = None,
    points: list[Point] = [Point(1)],  # noqa: B006, B008 - it has to be copied
    note: Annotated[str, "a remark"] = "",
    context: CallContext | None = None,
) -> dict[str, Any]:
    points.append(Point(9))
    return {"box": box, "key": context.key if context else None, "points": len(points)}


class Here:
    key = "k1"
    run = "r1"


def test_schema_of_builtins_and_docstring() -> None:
    assert add.name == "add"
    assert add.description == "Adds two numbers."
    assert add.schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the first"},
            "b": {"type": "integer", "description": "the second, which may be left out", "default": 2},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert msgspec.json.decode(add.parameters) == add.schema
    assert add(1, b=1) == 2
    checked: Tool = add
    assert checked.resource == "add"


def test_schema_is_closed_at_every_level_and_leaves_the_context_out() -> None:
    schema = everything.schema
    assert set(schema["properties"]) == {"box", "mode", "colour", "options", "points", "note"}
    assert schema["properties"]["note"]["description"] == "a remark"
    for name in ("Box", "Point", "Options"):
        assert schema["$defs"][name]["additionalProperties"] is False


async def test_arguments_are_converted_and_the_context_is_put_in() -> None:
    bound = everything.bind('{"box": {"corner": {"x": 1}, "name": "n"}, "mode": "fill", "colour": "blue"}')
    assert bound["box"] == Box(Point(1), "n")
    assert bound["colour"] is Colour.BLUE
    said = await everything.call(bound, Here())
    assert msgspec.json.decode(said.text) == {
        "box": {"corner": {"x": 1, "y": 0}, "name": "n"},
        "key": "k1",
        "points": 2,
    }
    again = everything.bind('{"box": {"corner": {"x": 1}}, "mode": "fill"}')
    assert again["points"] == [Point(1)]


def test_all_mistakes_with_path_expected_found_and_nearest() -> None:
    with pytest.raises(ToolArgumentError) as caught:
        everything.bind(
            '{"box": {"corner": {"x": "1", "z": 2}}, "mdoe": "fill", "colour": "rde", "points": [{"x": 1.5}]}'
        )
    message = caught.value.message
    for expected in (
        'box.corner.x: expected an integer; found "1"',
        "box.corner.z: no such parameter; did you mean",
        'mode: required (one of "fill", "line"), missing; is "mdoe" meant?',
        'colour: expected one of "blue", "red"; found "rde"; did you mean "red"?',
        "points[0].x: expected an integer; found 1.5",
    ):
        assert expected in message or expected.split(";")[0] in message, (expected, message)


def test_unknown_fields_below_the_top_are_mistakes_too() -> None:
    with pytest.raises(ToolArgumentError, match=r"box\.colour: no such parameter"):
        everything.bind('{"box": {"corner": {"x": 1}, "colour": 1}, "mode": "fill"}')


@pytest.mark.parametrize("text", ["{", "nonsense", '{"a": 1} x', b"\xff", "[" * 100_000])
def test_what_is_not_json_is_said(text: str | bytes) -> None:
    with pytest.raises(ToolArgumentError):
        add.bind(text)


def test_no_arguments_at_all_mean_an_empty_object() -> None:
    @tool
    def now() -> str:
        return "noon"

    assert now.bind("") == {}
    with pytest.raises(ToolArgumentError, match="a: required"):
        add.bind(b"")


def test_numbers_keep_to_their_bounds() -> None:
    @tool
    def wait(seconds: Annotated[float, msgspec.Meta(gt=0, le=60)]) -> None: ...

    with pytest.raises(ToolArgumentError, match="a number ≤ 60"):
        wait.bind('{"seconds": 61}')


async def test_outputs() -> None:
    @tool
    def give(what: int) -> Any:
        return [None, "text", {"a": 1}, ToolOutput("own", error=True), object()][what]

    outputs = [await give.call({"what": n}) for n in range(4)]
    assert [o.text for o in outputs] == ["null", "text", '{"a":1}', "own"]
    assert outputs[3].error
    with pytest.raises(ToolError, match="object"):
        await give.call({"what": 4})


async def test_blocking_functions_run_in_a_thread_and_others_do_not() -> None:
    @tool(blocking=True)
    def slow() -> int:
        return threading.get_ident()

    @tool
    def quick() -> int:
        return threading.get_ident()

    here = str(threading.get_ident())
    assert (await slow.call({})).text != here
    assert (await quick.call({})).text == here


async def test_a_call_past_its_time_is_cancelled() -> None:
    cancelled = asyncio.Event()

    @tool(timeout_seconds=0.01)
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(ToolError, match=r"0\.01 seconds"):
        await hang.call({})
    assert cancelled.is_set()


async def test_a_functions_own_timeout_is_not_taken_for_the_calls() -> None:
    @tool(timeout_seconds=60)
    async def own() -> None:
        raise TimeoutError("inner")

    with pytest.raises(TimeoutError, match="inner"):
        await own.call({})


async def test_reconcilable_tools_say_what_a_call_did() -> None:
    done: dict[str, str] = {}

    def look(text: str, context: CallContext) -> str | None:
        return done.get(context.key)

    @tool(recovery="reconcilable", reconcile=look)
    def post(text: str, context: CallContext) -> str:
        done[context.key] = text
        return text

    assert await post.reconcile({"text": "a"}, Here()) is None
    await post.call({"text": "a"}, Here())
    found = await post.reconcile({"text": "a"}, Here())
    assert found is not None
    assert found.text == "a"


def test_methods_and_callables_are_tools_too() -> None:
    class Shop:
        def sell(self, item: str) -> str:
            return item

        def __call__(self, item: str) -> str:
            return item

    assert tool(Shop().sell).schema["required"] == ["item"]
    assert tool(name="shop")(Shop()).schema["required"] == ["item"]


def test_a_plain_function_and_a_tool_are_both_taken_for_a_tool() -> None:
    assert as_tool(add) is add
    assert as_tool(sync).name == "sync"
    with pytest.raises(UsageError):
        as_tool("text")  # type: ignore[arg-type]


def test_pydantic_models_are_parameters_and_results() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pip install pydantic")
    Order = pydantic.create_model("Order", number=(int, ...), items=(list[str], []))

    @tool
    def order(order: Order) -> Order:  # type: ignore[valid-type]
        return order

    assert order.schema["properties"]["order"]["properties"]["number"]["type"] == "integer"
    assert order.bind('{"order": {"number": 1}}')["order"] == Order(number=1)
    with pytest.raises(ToolArgumentError, match=r"order\.number: expected an integer"):
        order.bind('{"order": {"number": "one"}}')


def unannotated(a) -> None:  # type: ignore[no-untyped-def]
    ...


def variadic(*args: int) -> None: ...


def foreign(a: threading.Thread) -> None: ...


def sync() -> None: ...


async def not_blocking() -> None: ...


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tool(unannotated), "annotation on its parameter a"),
        (lambda: tool(variadic), r"\*args"),
        (lambda: tool(foreign), "Thread"),
        (lambda: tool(3), "expected a function"),
        (lambda: tool(name="a b")(sync), "letters, digits"),
        (lambda: tool(recovery="maybe")(sync), "maybe"),
        (lambda: tool(recovery="reconcilable")(sync), "reconcile"),
        (lambda: tool(timeout_seconds=0)(sync), "over 0"),
        (lambda: tool(blocking=True)(not_blocking), "is async"),
    ],
)
def test_what_cannot_be_a_tool_is_said_when_it_is_defined(make: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()
