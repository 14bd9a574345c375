import contextlib
import io
import unittest

from orders_api.store import Store
from tests.client import Client


class BrokenStore(Store):
    def customers(self):
        raise RuntimeError("the disk is gone")


class WebTest(unittest.TestCase):
    def test_an_unknown_path_is_not_found(self):
        self.assertEqual(Client().get("/nothing")[0], 404)

    def test_another_method_is_not_allowed_and_the_answer_names_those_that_are(self):
        status, body = Client().request("DELETE", "/orders")
        self.assertEqual(status, 405)
        self.assertEqual(body["error"], "/orders takes GET, POST")

    def test_a_body_that_is_no_json_is_refused(self):
        self.assertEqual(Client().request("POST", "/orders", b"{")[0], 400)

    def test_a_handler_that_fails_is_an_internal_error(self):
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(Client(BrokenStore()).get("/customers"), (500, {"error": "internal error"}))


if __name__ == "__main__":
    unittest.main()
