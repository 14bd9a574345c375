"""Keeps customers and orders in memory."""

import threading

from orders_api.models import Customer, Order


class UnknownCustomer(Exception):
    """There is no customer with this id."""


class UnknownOrder(Exception):
    """There is no order with this id."""


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self._customers = {}
        self._orders = {}

    def customers(self):
        return list(self._customers.values())

    def customer(self, customer_id):
        try:
            return self._customers[customer_id]
        except KeyError:
            raise UnknownCustomer(customer_id) from None

    def add_customer(self, name, email):
        with self._lock:
            customer = Customer(id=len(self._customers) + 1, name=name, email=email)
            self._customers[customer.id] = customer
            return customer

    def orders(self, customer_id=None):
        return [
            order
            for order in self._orders.values()
            if customer_id is None or order.customer_id == customer_id
        ]

    def order(self, order_id):
        try:
            return self._orders[order_id]
        except KeyError:
            raise UnknownOrder(order_id) from None

    def add_order(self, customer_id, lines):
        with self._lock:
            self.customer(customer_id)
            order = Order(id=len(self._orders) + 1, customer_id=customer_id, lines=tuple(lines))
            self._orders[order.id] = order
            return order
