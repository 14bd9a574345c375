"""The protocol's content blocks as text and media."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

import mcp_types as mt

from forgewright.core.errors import ToolError
from forgewright.tools.types import Media

TEXT_CHARACTERS_MAX = 16 << 20


def as_text(blocks: Iterable[Any]) -> str:
    """The text blocks, and a line for each other one. Raises `ToolError` if it is too much."""
    parts: list[str] = []
    for block in blocks:
        match block:
            case mt.TextContent():
                parts.append(block.text)
            case mt.EmbeddedResource(resource=mt.TextResourceContents() as resource):
                parts.append(resource.text)
            case mt.EmbeddedResource():
                parts.append(f"[file {block.resource.uri}]")
            case mt.ResourceLink():
                parts.append(f"[see {block.uri}]")
            case mt.ImageContent() | mt.AudioContent():
                parts.append(f"[{block.mime_type}]")
    text = "\n".join(parts)
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ToolError(f"expected at most {TEXT_CHARACTERS_MAX:,} characters of text; found {len(text):,}")
    return text


def as_media(blocks: Iterable[Any]) -> tuple[Media, ...]:
    """Images, sounds and embedded resources. Raises `ToolError` for what is not base64."""
    found: list[Media] = []
    try:
        for block in blocks:
            match block:
                case mt.ImageContent() | mt.AudioContent():
                    found.append(Media(block.mime_type, b64decode(block.data, validate=True)))
                case mt.EmbeddedResource(resource=mt.TextResourceContents() as text):
                    found.append(Media(text.mime_type or "text/plain", text.text.encode(), str(text.uri)))
                case mt.EmbeddedResource(resource=mt.BlobResourceContents() as blob):
                    data = b64decode(blob.blob, validate=True)
                    found.append(Media(blob.mime_type or "application/octet-stream", data, str(blob.uri)))
    except ValueError as error:
        raise ToolError(f"the server sent content that is not base64: {error}") from error
    return tuple(found)
