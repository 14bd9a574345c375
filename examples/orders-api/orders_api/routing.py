"""Finds the handler of a request by its method and path."""

from orders_api.web import HttpError


class Router:
    def __init__(self):
        self._routes = []

    def add(self, method, pattern, handler):
        """Adds a route; a part of the pattern in braces, like {id}, stands for any text without a slash."""
        self._routes.append((method, pattern.strip("/").split("/"), handler))

    def resolve(self, method, path):
        """The handler and its path parameters; an HttpError 404 or 405 where there is none."""
        parts = path.strip("/").split("/")
        allowed = set()
        for route_method, pattern, handler in self._routes:
            parameters = match(pattern, parts)
            if parameters is None:
                continue
            if route_method == method:
                return handler, parameters
            allowed.add(route_method)
        if allowed:
            raise HttpError(405, f"{path} takes {', '.join(sorted(allowed))}")
        raise HttpError(404, f"there is nothing at {path}")


def match(pattern, parts):
    """The parameters by which a pattern fits the parts of a path, or None where it doesn't."""
    if len(pattern) != len(parts):
        return None
    parameters = {}
    for expected, found in zip(pattern, parts, strict=True):
        if expected.startswith("{") and expected.endswith("}"):
            parameters[expected[1:-1]] = found
        elif expected != found:
            return None
    return parameters
