"""What each route does: takes a request, asks the store, gives a response."""

from orders_api.models import Line
from orders_api.store import UnknownCustomer
from orders_api.web import HttpError, Response


def list_customers(store, request):
    return Response(200, [customer.to_json() for customer in store.customers()])


def create_customer(store, request):
    body = request.json()
    name = require(body, "name", str)
    email = require(body, "email", str)
    if "@" not in email:
        raise HttpError(422, "email is not an address")
    return Response(201, store.add_customer(name, email).to_json())


def get_customer(store, request, id):
    try:
        customer_id = int(id)
    except ValueError:
        raise HttpError(404, f"there is no customer {id}") from None
    try:
        customer = store.customer(customer_id)
    except UnknownCustomer:
        raise HttpError(404, f"there is no customer {id}") from None
    return Response(200, customer.to_json())


def list_orders(store, request):
    customer_id = request.query.get("customer")
    if customer_id is not None and not customer_id.isdigit():
        raise HttpError(422, "customer is not a number")
    orders = store.orders(int(customer_id) if customer_id is not None else None)
    return Response(200, [order.to_json() for order in orders])


def create_order(store, request):
    body = request.json()
    customer_id = require(body, "customer", int)
    lines = [read_line(line) for line in require(body, "lines", list)]
    if not lines:
        raise HttpError(422, "an order has at least one line")
    try:
        order = store.add_order(customer_id, lines)
    except UnknownCustomer:
        raise HttpError(422, f"there is no customer {customer_id}") from None
    return Response(201, order.to_json())


def read_line(value):
    line = Line(
        sku=require(value, "sku", str),
        quantity=require(value, "quantity", int),
        price_cents=require(value, "price_cents", int),
    )
    if line.quantity < 1 or line.price_cents < 0:
        raise HttpError(422, "quantity and price_cents have to be positive")
    return line


def require(body, name, kind):
    """The field of a JSON object; an HttpError 422 where it is missing or of another type."""
    if not isinstance(body, dict) or name not in body:
        raise HttpError(422, f"{name} is missing")
    value = body[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise HttpError(422, f"{name} has to be of type {kind.__name__}")
    return value
