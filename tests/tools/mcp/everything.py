"""A server with the tools, resources and prompts that the conformance suite asks for by name.

python tests/tools/mcp/everything.py [PORT]      HTTP at /mcp; without a port, the standard streams
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64decode
from contextlib import AsyncExitStack
from typing import Any

import mcp_types as mt
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage

from forgewright.policy import CedarGate
from forgewright.runtime.engine import Engine
from forgewright.tools import Media, SchemaTool, Tool, ToolOutput, tool
from forgewright.tools.mcp import Ask, Roots, Sample, ServedCall, ToolServer, serve_http, serve_stdio
from forgewright.tools.mcp.server import Call, call_directly
from forgewright.wiring.mcp import EngineCalls

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
WAV = b64decode("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=")


def field(name: str, kind: str = "string") -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}


NAME = Ask("What is your name?", field("name"))


@tool(recovery="pure")
def test_simple_text() -> str:
    """Simple text"""
    return "This is a simple text response for testing."


@tool(recovery="pure")
def test_image_content() -> ToolOutput:
    """An image"""
    return ToolOutput("", media=(Media("image/png", PNG),))


@tool(recovery="pure")
def test_audio_content() -> ToolOutput:
    """A sound"""
    return ToolOutput("", media=(Media("audio/wav", WAV),))


@tool(recovery="pure")
def test_embedded_resource() -> ToolOutput:
    """An embedded resource"""
    text = b"This is an embedded resource content."
    return ToolOutput("", media=(Media("text/plain", text, "test://embedded-resource"),))


@tool(recovery="pure")
def test_multiple_content_types() -> ToolOutput:
    """Text, image and resource"""
    data = Media("application/json", b'{"test": "data", "value": 123}', "test://mixed-content-resource")
    return ToolOutput("Multiple content types test:", media=(Media("image/png", PNG), data))


@tool(recovery="pure")
async def test_tool_with_logging(call: ServedCall) -> str:
    """Logs while it works"""
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await call.log("info", text)
        await asyncio.sleep(0.05)
    return "Tool with logging executed successfully"


@tool(recovery="pure")
async def test_tool_with_progress(call: ServedCall) -> str:
    """Reports progress"""
    for done in (0, 50, 100):
        await call.progress(done, 100, f"Completed step {done} of 100")
        await asyncio.sleep(0.05)
    return str(call.progress_token)


@tool
async def test_sampling(prompt: str, call: ServedCall) -> str:
    """Asks the client's model"""
    answer = await call.sample("answer", prompt, max_tokens=100)
    return f"LLM response: {answer['content'].get('text', '')}"


@tool
async def test_elicitation(message: str, call: ServedCall) -> str:
    """Asks a person"""
    schema = {
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    }
    answer = await call.ask("answer", message, schema)
    return f"User response: action={answer['action']}, content={json.dumps(answer.get('content', {}))}"


@tool
async def test_elicitation_sep1034_defaults(call: ServedCall) -> str:
    """Asks with defaults"""
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    answer = await call.ask(
        "answer", "Please provide user information", {"type": "object", "properties": properties}
    )
    return (
        f"Elicitation completed: action={answer['action']}, content={json.dumps(answer.get('content', {}))}"
    )


@tool
async def test_elicitation_sep1330_enums(call: ServedCall) -> str:
    """Asks with every form of enumeration"""
    titled = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]
    plain = ["option1", "option2", "option3"]
    properties = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["One", "Two", "Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    answer = await call.ask("answer", "Please choose", {"type": "object", "properties": properties})
    return (
        f"Elicitation completed: action={answer['action']}, content={json.dumps(answer.get('content', {}))}"
    )


@tool(recovery="pure")
def test_error_handling() -> str:
    """Fails"""
    raise RuntimeError("This tool intentionally returns an error for testing")


@tool(recovery="pure")
async def test_reconnection(call: ServedCall) -> str:
    """Lets the stream go, and is done while nobody listens"""
    await call.let_go()
    await asyncio.sleep(0.2)
    return "Reconnection test completed"


@tool
async def test_input_required_result_elicitation(call: ServedCall) -> str:
    """Asks for a name"""
    answer = (await call.ask_all({"user_name": NAME}))["user_name"]
    return f"Hello, {answer.get('content', {}).get('name', 'stranger')}!"


@tool
async def test_input_required_result_sampling(call: ServedCall) -> str:
    """Asks the client's model"""
    answer = await call.sample("capital_question", "What is the capital of France?", max_tokens=100)
    return str(answer["content"].get("text"))


@tool
async def test_input_required_result_list_roots(call: ServedCall) -> str:
    """Asks for the roots"""
    found = (await call.ask_all({"client_roots": Roots()}))["client_roots"]
    return "Roots: " + ", ".join(root["uri"] for root in found["roots"])


@tool
async def test_input_required_result_request_state(call: ServedCall) -> str:
    """Asks for a confirmation"""
    await call.ask("confirm", "Please confirm", field("ok", "boolean"))
    return "state-ok: the state came back as it was"


@tool
async def test_input_required_result_tampered_state(call: ServedCall) -> str:
    """Asks for a confirmation"""
    await call.ask("confirm", "Please confirm", field("ok", "boolean"))
    return "confirmed"


@tool
async def test_input_required_result_multiple_inputs(call: ServedCall) -> str:
    """Asks for three things at once"""
    needs = {"user_name": NAME, "greeting": Sample("Generate a greeting", 50), "client_roots": Roots()}
    return f"answered: {', '.join(await call.ask_all(needs))}"


@tool
async def test_input_required_result_multi_round(call: ServedCall) -> str:
    """Asks twice"""
    name = await call.ask("step1", "Step 1: What is your name?", field("name"))
    colour = await call.ask("step2", "Step 2: What is your favorite color?", field("color"))
    return f"{name.get('content')} likes {colour.get('content')}"


@tool
async def test_input_required_result_capabilities(call: ServedCall) -> str:
    """Asks only for what the client can answer"""
    needs = {"user_name": NAME, "greeting": Sample("Generate a greeting", 50), "client_roots": Roots()}
    found = await call.ask_all({key: need for key, need in needs.items() if call.can(need)})
    return f"answered: {', '.join(found)}"


@tool
async def test_missing_capability(call: ServedCall) -> str:
    """Needs sampling"""
    return str(await call.sample("x", "anything"))


@tool
async def test_streaming_elicitation(call: ServedCall) -> str:
    """Reports progress, then asks"""
    await call.progress(1, 2)
    return str(await call.ask_all({"user_name": NAME}))


@tool(recovery="pure")
async def test_logging_tool(call: ServedCall) -> str:
    """Logs a line"""
    await call.log("info", "a line")
    return "logged"


async def contact(arguments: dict[str, Any], _: object) -> str:
    return f"contacted {arguments.get('name')}"


CONTACT = SchemaTool(
    "json_schema_2020_12_tool",
    "A tool with keywords of JSON Schema 2020-12",
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
    contact,
)


def make(call: Call = call_directly) -> ToolServer:
    """The server."""
    found: list[Tool] = [value for name, value in globals().items() if name.startswith("test_")]
    server = ToolServer([*found, CONTACT], name="conformance", version="1", call=call)

    async def region(arguments: dict[str, Any], _: object) -> str:
        return f"in {arguments['region']}"

    header = {"type": "string", "x-mcp-header": "Region"}
    schema = {"type": "object", "properties": {"region": header}, "required": ["region"]}
    server.add(SchemaTool("test_x_mcp_header", "Mirrors a parameter in a header", schema, region))

    @tool
    async def test_trigger_tool_change() -> str:
        """Offers another tool"""
        server.remove("test_added_tool")

        @tool(name="test_added_tool")
        def added() -> str:
            return "added"

        server.add(added)
        await server.announce("tools")
        return "changed"

    @tool
    async def test_trigger_prompt_change() -> str:
        """Says that the prompts changed"""
        await server.announce("prompts")
        return "changed"

    server.add(test_trigger_tool_change)
    server.add(test_trigger_prompt_change)
    add_resources(server)
    add_prompts(server)
    return server


def add_resources(server: ToolServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        """A text"""
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        """An image"""
        return PNG

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        """A template"""
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        """A resource to subscribe to"""
        return "Watched resource content"


def add_prompts(server: ToolServer) -> None:
    image = mt.ImageContent(type="image", data="iVBORw0KGgo=", mime_type="image/png")

    @server.prompt()
    def test_simple_prompt() -> str:
        """Without arguments"""
        return "This is a simple prompt for testing."

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """With arguments"""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
        """With a resource"""
        text = mt.TextResourceContents(
            uri=resourceUri, mime_type="text/plain", text="Embedded resource content for testing."
        )
        return [
            UserMessage(mt.EmbeddedResource(type="resource", resource=text)),
            UserMessage("Please process the embedded resource above."),
        ]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        """With an image"""
        return [UserMessage(image), UserMessage("Please analyze the image above.")]

    @server.prompt()
    async def test_input_required_result_prompt(ctx: Context) -> Any:
        """Asks first"""
        if not (ctx.input_responses or {}).get("user_context"):
            form = mt.ElicitRequestFormParams(
                message="What context should the prompt use?", requested_schema=field("context")
            )
            return mt.InputRequiredResult(input_requests={"user_context": mt.ElicitRequest(params=form)})
        return "A prompt with context"

    @server.completion()
    async def complete(ref: Any, argument: Any, context: Any) -> mt.Completion:
        values = [v for v in ("paris", "park", "party") if v.startswith(argument.value)]
        return mt.Completion(values=values, total=len(values), has_more=False)


async def main(port: int | None, home: str | None) -> None:
    async with AsyncExitStack() as stack:
        call = call_directly
        if home is not None:
            engine = await stack.enter_async_context(Engine(home=home, gate=CedarGate.load("default")))
            call = EngineCalls(engine)
        server = make(call)
        await (serve_stdio(server) if port is None else serve_http(server, port=port))


if __name__ == "__main__":
    arguments = [*sys.argv[1:], None, None]
    asyncio.run(main(int(arguments[0]) if arguments[0] else None, arguments[1]))
