"""Calls the application as a WSGI server would."""

import io
import json
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from orders_api import make_app


class Client:
    def __init__(self, store=None):
        self._app = validator(make_app(store))

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, json.dumps(body).encode())

    def request(self, method, path, body=b""):
        """The status as a number and the decoded body."""
        environ = {}
        setup_testing_defaults(environ)
        path, _, query = path.partition("?")
        environ.update(
            REQUEST_METHOD=method,
            PATH_INFO=path,
            QUERY_STRING=query,
            CONTENT_LENGTH=str(len(body)),
        )
        environ["wsgi.input"] = io.BytesIO(body)
        started = []
        chunks = self._app(environ, lambda status, headers, exc_info=None: started.append(status))
        try:
            content = b"".join(chunks)
        finally:
            chunks.close()
        return int(started[0].split()[0]), json.loads(content)
