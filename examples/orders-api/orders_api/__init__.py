"""A small REST service for customers and their orders."""

from orders_api.app import Application, make_app

__all__ = ["Application", "make_app"]
