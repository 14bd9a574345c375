"""What a rename must not change: an operation, a program, and why it is refused (empty: carried out)."""

PROGRAMS = {
    "visitor": (
        "(rename at: AT new: 'made')",
        """
        import ast
        class V(ast.NodeVisitor):
            def ¦visit_Name(self, n): print(n.id)
        V().visit(ast.parse('a'))
        """,
        "visit_Name of V is called by ast.NodeVisitor",
    ),
    "thread-run": (
        "(rename at: AT new: 'made')",
        """
        import threading
        class V(threading.Thread):
            def ¦run(self): print(1)
        v = V(); v.start(); v.join()
        """,
        "run of V is called by threading.Thread",
    ),
    "parser": (
        "(rename at: AT new: 'made')",
        """
        from html.parser import HTMLParser
        class V(HTMLParser):
            def ¦handle_data(self, d): print(d)
        V().feed('x')
        """,
        "is called by html.parser.HTMLParser",
    ),
    "json-default": (
        "(rename at: AT new: 'made')",
        """
        import json
        class V(json.JSONEncoder):
            def ¦default(self, o): return 'x'
        print(json.dumps(object(), cls=V))
        """,
        "is called by json.JSONEncoder",
    ),
    "logging-emit": (
        "(rename at: AT new: 'made')",
        """
        import logging
        class H(logging.Handler):
            def ¦emit(self, r): print(r.msg)
        l = logging.getLogger('q'); l.addHandler(H()); l.error('m')
        """,
        "is called by logging.Handler",
    ),
    "action": (
        "(rename at: AT new: 'made')",
        """
        import argparse
        class A(argparse.Action):
            def __call__(self, parser, namespace, values, option_string=None): self.¦note(values)
            def note(self, v): print(v)
        p = argparse.ArgumentParser(); p.add_argument('-x', action=A); p.parse_args(['-x', '1'])
        """,
        "",
    ),
    "slots": (
        "(rename at: AT new: 'made')",
        """
        class A:
            __slots__ = ('x',)
            def __init__(self): self.¦x = 1
        print(A().x)
        """,
        "",
    ),
    "matchargs": (
        "(rename at: AT new: 'made')",
        """
        class A:
            __match_args__ = ('x',)
            def __init__(self): self.¦x = 1
        match A():
            case A(v): print(v)
        match A():
            case A(x=v): print(v)
        """,
        "",
    ),
    "override-ext": (
        "(rename at: AT new: 'made')",
        """
        class D(dict):
            def ¦update(self, *a): print('u'); super().update(*a)
        D().update({})
        """,
        "",
    ),
    "string-annot": (
        "(rename at: AT new: 'made')",
        """
        from typing import get_type_hints
        class ¦A: pass
        def f(x: 'A'): pass
        print(get_type_hints(f)['x'] is A)
        """,
        "",
    ),
    "property-setter": (
        "(rename at: AT new: 'made')",
        """
        class A:
            @property
            def ¦x(self): return self._x
            @x.setter
            def x(self, v): self._x = v
        a = A(); a.x = 3; print(a.x)
        """,
        "",
    ),
    "kw-override": (
        "(rename at: AT new: 'made')",
        """
        class A:
            def f(self, ¦a): return a
        class B(A):
            def f(self, a): return a + 1
        def go(x: A): return x.f(a=1)
        print(go(A()), go(B()))
        """,
        "",
    ),
    "all-str": (
        "(rename at: AT new: 'made')",
        """
        from m import *
        print(X)
        --- m.py
        __all__ = ['X']
        ¦X = 1
        """,
        "",
    ),
    "all-append": (
        "(rename at: AT new: 'made')",
        """
        from m import *
        print(X)
        --- m.py
        __all__ = []
        ¦X = 1
        __all__.append('X')
        """,
        "",
    ),
    "nonlocal": (
        "(rename at: AT new: 'made')",
        """
        def o():
            ¦n = 0
            def i():
                nonlocal n
                n += 1
                return n
            return i()
        print(o())
        """,
        "",
    ),
    "global-in-fn": (
        "(rename at: AT new: 'made')",
        """
        def s():
            global ¦g
            g = 1
        s()
        print(g)
        """,
        "",
    ),
    "comp-shadow": (
        "(rename at: AT new: 'made')",
        """
        ¦x = [1]
        print([x for x in x], x)
        """,
        "",
    ),
    "del": (
        "(rename at: AT new: 'made')",
        """
        ¦x = 1
        del x
        print('x' in globals())
        """,
        "",
    ),
    "typed-dict": (
        "(rename at: AT new: 'made')",
        """
        from typing import TypedDict
        class T(TypedDict):
            ¦x: int
            y: int
        t: T = {'x': 1, "y": 2}
        u: dict[str, int] = {'x': 3}
        print(t['x'], u['x'])
        """,
        "",
    ),
}
