import unittest

from tests.client import Client


class CustomersTest(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def test_there_are_none_at_first(self):
        self.assertEqual(self.client.get("/customers"), (200, []))

    def test_a_customer_is_created_and_found(self):
        status, created = self.client.post("/customers", {"name": "Ada", "email": "ada@example.org"})
        self.assertEqual(status, 201)
        self.assertEqual(created, {"id": 1, "name": "Ada", "email": "ada@example.org"})
        self.assertEqual(self.client.get("/customers/1"), (200, created))
        self.assertEqual(self.client.get("/customers"), (200, [created]))

    def test_an_unknown_customer_is_not_found(self):
        for path in ("/customers/7", "/customers/ada"):
            with self.subTest(path=path):
                status, body = self.client.get(path)
                self.assertEqual(status, 404)
                self.assertIn("there is no customer", body["error"])

    def test_a_customer_needs_a_name_and_an_address(self):
        for body in ({}, {"name": "Ada"}, {"name": "Ada", "email": "nowhere"}, {"name": 1, "email": "a@b"}):
            with self.subTest(body=body):
                self.assertEqual(self.client.post("/customers", body)[0], 422)


if __name__ == "__main__":
    unittest.main()
