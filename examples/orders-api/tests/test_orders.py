import unittest

from tests.client import Client

PENS = {"sku": "pen", "quantity": 2, "price_cents": 150}
BOOK = {"sku": "book", "quantity": 1, "price_cents": 2000}


class OrdersTest(unittest.TestCase):
    def setUp(self):
        self.client = Client()
        self.client.post("/customers", {"name": "Ada", "email": "ada@example.org"})
        self.client.post("/customers", {"name": "Grace", "email": "grace@example.org"})

    def test_an_order_is_placed(self):
        status, order = self.client.post("/orders", {"customer": 1, "lines": [PENS, BOOK]})
        self.assertEqual(status, 201)
        self.assertEqual(order["id"], 1)
        self.assertEqual(order["total_cents"], 2300)

    def test_orders_are_listed_by_customer(self):
        self.client.post("/orders", {"customer": 1, "lines": [PENS]})
        self.client.post("/orders", {"customer": 2, "lines": [BOOK]})
        self.assertEqual(len(self.client.get("/orders")[1]), 2)
        status, orders = self.client.get("/orders?customer=2")
        self.assertEqual(status, 200)
        self.assertEqual([order["customer"] for order in orders], [2])

    def test_an_order_needs_a_known_customer_and_sound_lines(self):
        for body in (
            {"customer": 9, "lines": [PENS]},
            {"customer": 1, "lines": []},
            {"customer": 1, "lines": [PENS | {"quantity": 0}]},
            {"customer": 1, "lines": ["pen"]},
            {"customer": "1", "lines": [PENS]},
        ):
            with self.subTest(body=body):
                self.assertEqual(self.client.post("/orders", body)[0], 422)

    def test_a_filter_that_is_no_number_is_refused(self):
        self.assertEqual(self.client.get("/orders?customer=ada")[0], 422)


if __name__ == "__main__":
    unittest.main()
