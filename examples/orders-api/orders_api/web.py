"""Requests, responses and errors over WSGI."""

import json
from http import HTTPStatus
from urllib.parse import parse_qsl

BODY_BYTES_MAX = 1 << 20


class HttpError(Exception):
    """Ends a request with a status and a message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = HTTPStatus(status)
        self.message = message


class Request:
    def __init__(self, environ):
        self.method = environ["REQUEST_METHOD"].upper()
        self.path = environ.get("PATH_INFO", "/")
        self.query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        self._environ = environ

    def json(self):
        """The body as JSON; an HttpError 400 where it is none, 413 where it is too long."""
        try:
            length = int(self._environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            raise HttpError(400, "Content-Length is not a number") from None
        if length > BODY_BYTES_MAX:
            raise HttpError(413, "the body is too long")
        try:
            return json.loads(self._environ["wsgi.input"].read(length))
        except ValueError:
            raise HttpError(400, "the body is not JSON") from None


class Response:
    def __init__(self, status, body):
        self.status = HTTPStatus(status)
        self.body = json.dumps(body).encode()

    def start(self, start_response):
        start_response(
            f"{self.status.value} {self.status.phrase}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(self.body)))],
        )
        return [self.body]
