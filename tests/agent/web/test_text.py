"""Text out of HTML."""

from __future__ import annotations

import pytest

from forgewright.agent.web.text import page_text

PAGE = b"""<!doctype html><html><head><title>A  &amp;
 B</title><style>p{}</style><script>alert("x")</script></head><body>
<nav><a href="/home">Home</a><nav>in</nav> more</nav>
<h1>Top</h1><p>One <b>bold</b>   word,<br>a <a href="/x?y=1">link</a>, <a href="#here">here</a>.</p>
<ul><li>first</li><li>second<ol><li>a</li><li>b</li></ol></li></ul>
<pre>  keep
    this</pre><p>and <code>x = 1</code></p>
<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>
<form><input name=q><p>search</p></form><img src=x alt="a cat"></body></html>"""


def test_a_page() -> None:
    assert page_text(PAGE, "text/html", "https://example.org/a/b") == (
        "A & B\n\n# Top\n\nOne bold word,\na [link](https://example.org/x?y=1), here.\n\n"
        "- first\n- second\n  1. a\n  2. b\n\n"
        "```\n  keep\n    this\n```\n\nand `x = 1`\n\n | k | v\n | 1 | 2\n\n[image: a cat]"
    )


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ("<p>Größe</p>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="iso-8859-1"><p>Größe</p>'.encode("latin-1"), "text/html"),
        ("<p>Größe</p>".encode(), "text/html"),
        ("<p>Größe</p>".encode(), 'text/html; charset="utf-8"'),
        ("<p>Größe</p>".encode(), "text/html; charset=no-such"),
    ],
)
def test_the_page_is_read_in_its_charset(body: bytes, media: str) -> None:
    assert page_text(body, media) == "Größe"


@pytest.mark.parametrize(
    "page",
    [
        "<p>a<p>b",
        "<ul><li>a<li>b",
        "</p></ul></ol></a>x",
        "<a href=x>",
        "<script>never closed",
        "",
        "<li>x",
    ],
)
def test_broken_pages_are_read_as_far_as_they_go(page: str) -> None:
    assert "<" not in page_text(page.encode(), "text/html").replace("&lt;", "")


def test_a_long_page_is_read_in_time() -> None:
    deep = b"<div>" * 100_000 + b"x" + b"</div>" * 100_000
    assert page_text(deep, "text/html") == "x"
    assert page_text(b"<ul>" * 5000 + b"<li>x", "text/html").strip().endswith("- x")
