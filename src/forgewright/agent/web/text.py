"""Text out of HTML: headings, paragraphs, lists, tables, code and links; no scripts, styles, menus and forms."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

_SKIPPED = frozenset(
    ("script", "style", "noscript", "template", "svg", "nav", "form", "iframe", "head", "button", "select")
)
_BLOCKS = frozenset(
    (
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "ul",
        "ol",
        "table",
        "blockquote",
        "dl",
        "figure",
        "aside",
    )
)
_HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### "}
_VOID = frozenset(
    ("br", "hr", "img", "input", "meta", "link", "source", "wbr", "area", "base", "col", "embed", "track")
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset=["']?\s*([\w-]+)""", re.IGNORECASE)


def page_text(body: bytes, media: str, url: str = "") -> str:
    """Title and text of a page. `media`: its content type, whose charset counts most."""
    reader = _Reader(url)
    reader.feed(decoded(body, media))
    reader.close()
    return reader.text()


def decoded(body: bytes, media: str) -> str:
    """The body as text: by its content type, its own word, or UTF-8; what does not fit is replaced."""
    named = re.search(r"charset=[\"']?([\w-]+)", media)
    inner = _CHARSET.search(body[:2048])
    name = named[1] if named else inner[1].decode("ascii") if inner else "utf-8"
    try:
        return body.decode(name, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._url = url
        self._out: list[str] = []
        self._skipping: list[str] = []
        self._title: list[str] | None = None
        self._found_title = ""
        self._links: list[str] = []
        self._pre = 0
        self._lists: list[int | None] = []

    def text(self) -> str:
        joined = re.sub(r"[ \t]*\n[ \t]*\n\s*\n", "\n\n", "".join(self._out))
        lines = [line.rstrip() for line in joined.split("\n")]
        body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        return f"{self._found_title}\n\n{body}".strip() if self._found_title else body

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and not self._found_title:
            self._title = []
        if self._skipping:
            if tag == self._skipping[-1]:
                self._skipping.append(tag)
            return
        if tag in _SKIPPED:
            if tag not in _VOID:
                self._skipping.append(tag)
        elif tag in _HEADINGS:
            self._out.append("\n\n" + _HEADINGS[tag])
        elif tag in ("br", "tr"):
            self._out.append("\n")
        elif tag in ("td", "th"):
            self._out.append(" | ")
        elif tag == "hr":
            self._out.append("\n\n---\n\n")
        elif tag in ("ul", "ol"):
            self._out.append("" if self._lists else "\n")
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "pre":
            self._pre += 1
            self._out.append("\n\n```\n")
        elif tag == "code" and not self._pre:
            self._out.append("`")
        elif tag == "a":
            href = dict(attrs).get("href") or ""
            self._links.append("" if href.startswith(("#", "javascript:", "data:")) else href)
            if self._links[-1]:
                self._out.append("[")
        elif tag == "img":
            alt = dict(attrs).get("alt")
            self._out.append(f"[image: {alt}]" if alt else "")
        elif tag in _BLOCKS or tag in ("dt", "dd"):
            self._out.append("\n\n" if tag in _BLOCKS else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            self._found_title = " ".join("".join(self._title).split())
            self._title = None
        if self._skipping:
            if tag == self._skipping[-1]:
                self._skipping.pop()
            return
        if tag in _HEADINGS or tag in _BLOCKS:
            self._out.append("\n\n")
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
        elif tag == "pre" and self._pre:
            self._pre -= 1
            self._out.append("\n```\n\n")
        elif tag == "code" and not self._pre:
            self._out.append("`")
        elif tag == "a" and self._links:
            href = self._links.pop()
            if href:
                self._out.append(f"]({urljoin(self._url, href)})")

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)
            return
        if self._skipping:
            return
        if self._pre:
            self._out.append(data)
            return
        text = re.sub(r"\s+", " ", data)
        if text == " " and (not self._out or self._out[-1][-1:].isspace()):
            return
        if self._out and self._out[-1][-1:].isspace():
            text = text.lstrip()
        self._out.append(text)

    def _item(self) -> None:
        depth = max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        mark = "- "
        if number is not None:
            self._lists[-1] = number + 1
            mark = f"{number + 1}. "
        self._out.append("\n" + "  " * depth + mark)
