"""Our client as the conformance suite drives it: the scenario in the environment, the address as argument.

python tests/tools/mcp/conformance_client.py URL
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.shared.auth import AuthorizationCodeResult

from forgewright.core.errors import ForgewrightError, ToolError
from forgewright.tools.mcp import McpClient
from forgewright.tools.mcp.oauth import TokenFile, oauth

LEGACY = ("2025-03-26", "2025-06-18", "2025-11-25")


class Person:
    """Goes to the page and comes back with the code, as a browser would."""

    def __init__(self) -> None:
        self.location = ""

    async def open_page(self, url: str) -> None:
        async with httpx2.AsyncClient() as http:
            response = await http.get(url, follow_redirects=False)
        self.location = response.headers["location"]

    async def answer(self) -> AuthorizationCodeResult:
        said = {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}
        return AuthorizationCodeResult(code=said["code"], state=said.get("state"), iss=said.get("iss"))


async def accept(message: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Accepts with defaults; required text gets a word."""
    words = {"string": "word", "boolean": True, "integer": 1, "number": 1.5}
    properties = schema.get("properties", {})
    return {
        name: words[properties[name]["type"]]
        for name in schema.get("required", ())
        if "default" not in properties[name] and properties[name].get("type") in words
    }


async def sample(prompt: str, max_tokens: int) -> str:
    return "a completion"


async def main(url: str) -> None:
    scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
    version = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "")
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    auth = None
    if scenario.startswith("auth/"):
        person, tokens = Person(), TokenFile()
        if "client_id" in context:
            await tokens.register(context["client_id"], context.get("client_secret"))
        auth = oauth(
            url,
            open_page=person.open_page,
            answer=person.answer,
            tokens=tokens,
            client_metadata_url="https://conformance-test.local/client-metadata.json",
        )
    mode = "legacy" if version in LEGACY else "auto"
    async with McpClient(
        "suite", url, ask=accept, sample=sample, auth=auth, mode=mode, timeout_seconds=20
    ) as client:
        calls = context.get("toolCalls") or [
            {"name": tool.remote_name, "arguments": arguments(tool.schema)} for tool in client.tools
        ]
        for call in calls:
            try:
                await client.call(call["name"], call.get("arguments") or {})
            except ToolError as error:
                print(error, file=sys.stderr)


def arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {
        "string": "word",
        "number": 5,
        "integer": 5,
        "boolean": True,
        "array": [],
        "object": {},
    }
    return {
        name: words[schema["properties"][name].get("type", "string")]
        for name in schema.get("required", ())
        if name in schema.get("properties", {})
    }


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except ForgewrightError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
