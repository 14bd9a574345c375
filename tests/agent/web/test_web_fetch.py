"""Reading a page: every host passes the gate, private addresses are refused, all is bounded, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.agent.workspace.trees import Said, calling, gate

from forgewright import Engine, Outcome
from forgewright.agent.builtin.web import web_fetch
from forgewright.agent.web.request import parse_target
from forgewright.core.errors import UsageError

POLICY = """
@id("asking") permit (principal, action == Action::"ask", resource);
@id("tools") permit (principal, action == Action::"tool", resource);
@id("web") permit (principal, action == Action::"network", resource) when { context.method == "GET" };
@id("no-private") forbid (principal, action == Action::"network", resource)
when { context.labels.contains("private") };
"""
LOCAL = """
@id("tools") permit (principal, action == Action::"tool", resource);
@id("local") permit (principal, action == Action::"network", resource) when { context.host == "localhost" };
"""
Reply = bytes | Callable[[str], bytes]


def page(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    named = {"content_type": "text/html", "content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class Site:
    """A server on loopback that answers by path and remembers what it was asked."""

    def __init__(self, pages: dict[str, Reply]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            self.asked.append(path)
            self.heads.append(head)
            reply = self.pages.get(path, page(b"gone", "404 Not Found"))
            if reply == b"silence":
                await reader.read()
            else:
                writer.write(reply if isinstance(reply, bytes) else reply(path))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def site(**pages: Reply) -> AsyncIterator[Site]:
    made = Site({f"/{name}": reply for name, reply in pages.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def read(url: str, policy: str = LOCAL, home: Path | None = None, **more: Any) -> Outcome[Said]:
    async with Engine(home=home, gate=gate(policy)) as engine:
        return await engine.run(calling(web_fetch, {"url": url, **more}), Said())


async def test_a_page_is_read_as_text_and_only_once(tmp_path: Path) -> None:
    async with site(a=page(b"<title>T</title><p>Hello <a href='b'>b</a>")) as made:
        url = f"http://localhost:{made.port}/a"
        outcome = await read(url, home=tmp_path)
        assert outcome.state.text == f"{url} (200)\n\nT\n\nHello [b](http://localhost:{made.port}/b)"
        assert made.heads[0].lower().count(b"cookie") == 0
    async with Engine(home=tmp_path, gate=gate(LOCAL)) as engine:
        graph = calling(web_fetch, {"url": url})
        fork = await engine.fork(outcome.run)
        again = await engine.execute(fork, graph)
    assert again.state.text == outcome.state.text
    assert made.asked == ["/a"]


async def test_every_host_on_the_way_passes_the_gate() -> None:
    async with site(secret=page(b"the canary")) as inner, site() as outer:
        for place in (
            f"http://127.0.0.1:{inner.port}/secret",
            "http://169.254.169.254/latest",
            "http://[::1]:1/x",
        ):
            outer.pages["/go"] = page(b"", "302 Found", location=place)
            text = (await read(f"http://localhost:{outer.port}/go")).state.text
            assert "denied" in text, text
        outer.pages["/go"] = page(b"", "301 Moved", location=f"//localhost:{inner.port}/secret")
        assert "the canary" in (await read(f"http://localhost:{outer.port}/go")).state.text
    assert inner.asked == ["/secret"]


async def test_a_name_at_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the policy sees a public name, and the name leads home."""
    async with site(secret=page(b"the canary")) as made:
        loop = asyncio.get_running_loop()

        async def resolver(host: str, port: int, **_: Any) -> list[Any]:
            addresses = {"evil.example": ["127.0.0.1"], "mixed.example": ["93.184.216.34", "10.0.0.1"],
                         "mapped.example": ["::ffff:127.0.0.1"]}  # fmt: skip
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses[host]]

        monkeypatch.setattr(loop, "getaddrinfo", resolver)
        for host in ("evil.example", "mixed.example", "mapped.example"):
            text = (await read(f"http://{host}:{made.port}/secret", POLICY)).state.text
            assert "which is no public address" in text
    assert made.asked == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/s", "http://127.1:{}/s", "http://2130706433:{}/s", "http://0x7f000001:{}/s",
            "http://localhost:{}/s", "http://x.localhost:{}/s", "http://[::ffff:127.0.0.1]:{}/s", "http://0:{}/s"]
)  # fmt: skip
async def test_private_hosts_are_refused_however_they_are_written(url: str) -> None:
    async with site(s=page(b"the canary")) as made:
        text = (await read(url.format(made.port), POLICY)).state.text
    assert "canary" not in text
    assert made.asked == []


async def test_redirects_are_bounded_and_do_not_lose_encryption() -> None:
    async with site() as made:
        made.pages["/round"] = page(b"", "302 Found", location="/round")
        assert "more than 5 times" in (await read(f"http://localhost:{made.port}/round")).state.text
        assert len(made.asked) == 6


async def test_sizes_are_bounded() -> None:
    big = b"x" * (6 << 20)
    bomb = gzip.compress(b"y" * (200 << 20), 9)
    async with site(big=page(big, content_type="text/plain"),
                    bomb=page(bomb, content_type="text/plain", content_encoding="gzip"),
                    heads=b"HTTP/1.1 200 OK\r\n" + b"".join(b"h%d: %s\r\n" % (n, b"v" * 1000) for n in range(200)),
                    ) as made:  # fmt: skip
        text = (await read(f"http://localhost:{made.port}/big", offset=(5 << 20) - 10)).state.text
        assert text.endswith("xxxxxxxxxx\n… the page is longer than what is read of one")
        text = (await read(f"http://localhost:{made.port}/bomb")).state.text
        assert "y" * 40_000 in text
        assert "more characters: call with offset 40000" in text
        assert "no answer that can be read" in (await read(f"http://localhost:{made.port}/heads")).state.text


async def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgewright.agent.web.request.SECONDS", 0.3)
    async with site(slow=b"silence") as made:
        assert "did not answer" in (await read(f"http://localhost:{made.port}/slow")).state.text


async def test_answers_that_are_none_are_told() -> None:
    pages = {
        "odd": (b"what?\r\n\r\n", "no HTTP"),
        "cut": (page(b"abc", content_length="10"), "said 10 bytes and sent 3"),
        "zip": (page(b"x", content_encoding="br"), "compressed"),
        "gz": (page(b"x", content_encoding="gzip"), "no gzip"),
        "image": (page(b"\x89PNG", content_type="image/png"), "is image/png"),
        "none": (page(b"gone", "404 Not Found"), "(404)"),
    }
    async with site(**{name: reply for name, (reply, _) in pages.items()}) as made:
        for path, (_, said) in pages.items():
            assert said in (await read(f"http://localhost:{made.port}/{path}")).state.text, path
    assert "can't be reached" in (await read(f"http://localhost:{made.port}/odd")).state.text


@pytest.mark.parametrize(
    "url", ["", "ftp://x/y", "file:///etc/passwd", "http://", "http://u:p@x/", "http://x:0x/", "http://a b/",
            "javascript:alert(1)", "http://x\r\nhost: y/", "http://x:99999/", "x" * 5000]
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_told(url: str) -> None:
    with pytest.raises(UsageError):
        parse_target(url)


def test_addresses_are_made_safe_to_send() -> None:
    target = parse_target("https://Exämple.org:444/ä b?q=ü&x=%20#frag")
    assert (target.place, target.path) == ("xn--exmple-cua.org:444", "/%C3%A4%20b?q=%C3%BC&x=%20")
    assert str(parse_target("../c?d", parse_target("http://h/a/b"))) == "http://h/c?d"
    assert parse_target("http://[::1]:8080/").place == "[::1]:8080"
