"""Asking witnesses: the log's side of C2SP tlog-witness over HTTP, and the small witness that answers it.

The newest head that witnesses cosigned is kept beside the keys, so that a bundle can carry it.
"""

from __future__ import annotations

import http.client
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from forgewright.core.errors import (
    Conflict,
    ForgewrightError,
    IntegrityError,
    NotFound,
    Refused,
    StoreError,
    Unavailable,
    UsageError,
)
from forgewright.journal.events import HeadWitnessed
from forgewright.journal.log.checkpoint import TreeHead, parse_head
from forgewright.journal.log.keys import RUN
from forgewright.journal.log.notes import COSIGNATURE, VerifierKey, parse_verifier_key
from forgewright.journal.log.proofs import prove_consistency
from forgewright.journal.log.witness import (
    REQUEST_BYTES_MAX,
    Request,
    StaleSize,
    Witness,
    parse_request,
    with_cosignatures,
)

if TYPE_CHECKING:
    from forgewright.journal.journal import Journal

WITNESSED = "keys/witnessed"
TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 1 << 16
STATUS = {
    NotFound: 404,
    Refused: 403,
    UsageError: 400,
    StaleSize: 409,
    IntegrityError: 422,
}


class WitnessPlace(msgspec.Struct, frozen=True):
    """A witness that this home asks."""

    url: str
    """Submission prefix, `https://…`."""
    key: str
    """Its verifier key (`NAME+KEYID+BASE64`, signature type 4)."""


async def ask_witnesses(journal: Journal, places: list[WitnessPlace]) -> TreeHead:
    """Has the newest head cosigned by all of `places`, keeps it and journals each cosignature.

    Raises `Unavailable` (no answer), `Conflict`, `IntegrityError` (the witness says that this log forked).
    """
    import asyncio

    if journal.home is None:
        raise NotFound("a journal that is not kept has no head to cosign")
    head = bare = await journal.head()
    events = []
    for place in places:
        key = parse_verifier_key(place.key)
        if key.kind != COSIGNATURE:
            raise UsageError(f"{place.key} is no witness's key", hint="a witness's key has signature type 4")
        lines = await _ask(journal, place, bare, 0)
        head = with_cosignatures(head, lines, [key])
        events.append(HeadWitnessed(key.name, bare.size, lines.decode().strip()))
    await asyncio.to_thread(_keep, journal.home / WITNESSED, head.data)
    await journal.note(RUN, events)
    return head


async def _ask(journal: Journal, place: WitnessPlace, head: TreeHead, old: int) -> bytes:
    """Once from size 0, or from the size that the witness names in its 409."""
    import asyncio

    for _ in range(3):
        proof = await prove_consistency(journal.store.journal, old, head.size)
        body = Request(old, tuple(proof), head).encode()
        status, answer = await asyncio.to_thread(_post, f"{place.url.rstrip('/')}/add-checkpoint", body)
        if status == 200:
            return answer
        if status == 409 and answer.strip().isdigit() and int(answer) != old:
            old = int(answer)
            if old > head.size:
                raise IntegrityError(
                    f"the witness {place.url} has cosigned {old} records of this log, which has {head.size} now",
                    record=head.origin,
                    hint="the home was rolled back; restore a newer backup",
                )
            continue
        break
    if status in (409, 422):
        raise IntegrityError(
            f"the witness {place.url} refuses the head: this log does not continue what it cosigned before",
            record=head.origin,
            hint="the log was forked; compare with a bundle made before",
        )
    raise Conflict(f"the witness {place.url} answered {status}: {answer[:200].decode(errors='replace')}")


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url} is no address of a witness", hint="expected https://…")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the witness {url} does not answer: {error}", hint="try again later") from error
    finally:
        connection.close()


def _keep(path: Path, data: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(scratch, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(scratch, path)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}") from error


def witnessed_head(home: Path) -> TreeHead | None:
    """The newest head that witnesses cosigned, if there is one."""
    path = home / WITNESSED
    return parse_head(path.read_bytes()) if path.exists() else None


def serve(witness: Witness, host: str, port: int) -> HTTPServer:
    """A server for `POST /add-checkpoint`; the caller runs `serve_forever`. One request at a time, as the
    specification asks for an atomic check and update."""

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint" or not length.isdigit():
                self._answer(404, b"")
                return
            if int(length) > REQUEST_BYTES_MAX:
                self._answer(413, b"")
                return
            try:
                self._answer(200, witness.add_checkpoint(parse_request(self.rfile.read(int(length)))))
            except StaleSize as error:
                self._answer(409, f"{error.size}\n".encode(), "text/x.tlog.size")
            except ForgewrightError as error:
                status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
                self._answer(status, f"{error.message}\n".encode())

        def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: what happened stands in the answers."""

    return HTTPServer((host, port), Handler)


def parse_witness_key(text: str) -> VerifierKey:
    """A witness's verifier key. Raises `IntegrityError`, `UsageError`."""
    key = parse_verifier_key(text)
    if key.kind != COSIGNATURE:
        raise UsageError(f"{text} is no witness's key", hint="a witness's key has signature type 4")
    return key
