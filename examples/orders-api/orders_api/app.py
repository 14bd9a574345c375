"""The WSGI application: routes, and what happens when a handler fails."""

import sys
import traceback

from orders_api import handlers
from orders_api.routing import Router
from orders_api.store import Store
from orders_api.web import HttpError, Request, Response


class Application:
    def __init__(self, store, router):
        self.store = store
        self.router = router

    def __call__(self, environ, start_response):
        request = Request(environ)
        return self.respond(request).start(start_response)

    def respond(self, request):
        try:
            handler, parameters = self.router.resolve(request.method, request.path)
            return handler(self.store, request, **parameters)
        except HttpError as error:
            return Response(error.status, {"error": error.message})
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return Response(500, {"error": "internal error"})


def make_app(store=None):
    router = Router()
    router.add("GET", "/customers", handlers.list_customers)
    router.add("POST", "/customers", handlers.create_customer)
    router.add("GET", "/customers/{id}", handlers.get_customer)
    router.add("GET", "/orders", handlers.list_orders)
    router.add("POST", "/orders", handlers.create_order)
    return Application(store or Store(), router)
