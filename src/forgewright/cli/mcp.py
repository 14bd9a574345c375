"""`forgewright mcp serve|list`: the engine's tools for MCP clients, and what other servers offer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from forgewright.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from forgewright.tools.mcp import McpClient


def register(subparsers: Any) -> None:
    """Adds `mcp` and its commands."""
    mcp = subparsers.add_parser("mcp", help="serve tools to MCP clients, or look at another server's")
    commands = mcp.add_subparsers(dest="mcp_command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve a project's tools on the standard streams, or over HTTP")
    serve.add_argument("--root", type=Path, default=Path(), metavar="FOLDER", help="the project (.)")
    serve.add_argument(
        "--http", action="store_true", help="over HTTP at /mcp, instead of the standard streams"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8765)
    serve.add_argument("--token-file", type=Path, metavar="FILE", help="the token that requests have to bear")

    show = commands.add_parser("list", help="another server's tools, with the fingerprints that are approved")
    show.add_argument("server", nargs="+", help="an address, or a command with its arguments")
    show.add_argument("--name", default="server")
    show.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write what is to be approved of each tool"
    )


def run(args: argparse.Namespace) -> int:
    """0, or an error."""
    import asyncio

    return asyncio.run(_serve(args) if args.mcp_command == "serve" else _list(args))


async def _serve(args: argparse.Namespace) -> int:
    from forgewright.cli.settings import load_settings, policies_of
    from forgewright.tools.mcp import serve_http, serve_stdio
    from forgewright.wiring.engine import open_engine
    from forgewright.wiring.mcp import make_server

    if not args.root.is_dir():
        raise NotFound(f"there is no folder {args.root}", hint="name the project with --root")
    settings = load_settings(args, args.root)
    async with open_engine(settings.home, policies=policies_of(settings)) as engine:
        server = make_server(engine, args.root)
        if args.http:
            sys.stderr.write(f"http://{args.host}:{args.port}/mcp\n")
            await serve_http(server, host=args.host, port=args.port, token=_token(args.token_file))
        else:
            await serve_stdio(server)
    return 0


async def _list(args: argparse.Namespace) -> int:
    from forgewright.tools.mcp import McpClient

    server: Any = args.server[0] if "://" in args.server[0] else args.server
    async with McpClient(args.name, server) as client:
        if args.write is not None:
            args.write.mkdir(parents=True, exist_ok=True)
            for item in client.tools:
                (args.write / f"{item.name}.json").write_bytes(item.told)
        if args.json:
            sys.stdout.write(msgspec.json.encode(_listed(client)).decode() + "\n")
            return 0
        for item in client.tools:
            first = item.description.partition("\n")[0]
            print(f"{item.remote_name}  {item.fingerprint}\n  {first}")
    return 0


def _listed(client: McpClient) -> list[dict[str, Any]]:
    return [
        {
            "name": item.remote_name,
            "description": item.description,
            "parameters": item.schema,
            "fingerprint": item.fingerprint,
        }
        for item in client.tools
    ]


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        if file.stat().st_mode & 0o077:
            raise UsageError(f"others may read the token in {file}", hint=f"run: chmod 600 {file}")
        return file.read_text().strip()
    except OSError as error:
        raise NotFound(f"the token {file} can't be read: {error.strerror}") from error
