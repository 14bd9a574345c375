"""Serves the API on 127.0.0.1:8080."""

from wsgiref.simple_server import make_server

from orders_api.app import make_app

with make_server("127.0.0.1", 8080, make_app()) as server:
    print("http://127.0.0.1:8080")
    server.serve_forever()
