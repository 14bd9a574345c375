"""What extraction must not change: an operation, a program, and why it is refused (empty: carried out)."""

PROGRAMS = {
    "and-guard": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return x is not None and «x.real» > 1
        print(f(None), f(2))
        """,
        "x.real is the right side of and, which is not computed always, or not once",
    ),
    "ternary": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return «x.real» if x is not None else 0
        print(f(None), f(2))
        """,
        "x.real is one side of a conditional expression, which is not computed always, or not once",
    ),
    "ternary-ok": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return «'a'» if x is not None else 0
        print(f(None), f(2))
        """,
        "",
    ),
    "chain": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return 0 < x < «1/x»
        print(f(0), f(.5))
        """,
        "1/x is a later part of a chained comparison, which is not computed always, or not once",
    ),
    "elif": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            if x is None:
                return 0
            elif «x.real» > 1:
                return 1
            return 2
        print(f(None), f(2))
        """,
        "x.real is the condition of an elif, which is not computed always, or not once",
    ),
    "assert-msg": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            assert x, x[0]
            return x
        def g(x):
            assert not x, «x[0]»
            return 1
        print(f([1]),g([]))
        """,
        "x[0] is the message of an assert, which is not computed always, or not once",
    ),
    "except-clause": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(m):
            try:
                return 1
            except «m.Bad»:
                return 2
        print(f(None))
        """,
        "m.Bad is the clause of an except, which is not computed always, or not once",
    ),
    "order": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def a(): L.append(1); return 1
        def b(): L.append(2); return 2
        def f():
            return a() + «b()»
        print(f(), L)
        """,
        "b() is computed after a(): other things are called in between",
    ),
    "order-attr": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            n=0
            def inc(self): self.n+=1; return self.n
        def f(a):
            return a.inc() + «a.n»
        print(f(A()))
        """,
        "a.n is computed after a.inc(): what it reads may be changed in between",
    ),
    "order-const": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            return len(a) + «1»
        print(f([1]))
        """,
        "",
    ),
    "order-first": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def a(): L.append(1); return 1
        def b(): L.append(2); return 2
        def f():
            return «a()» + b()
        print(f(), L)
        """,
        "",
    ),
    "assign-target": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def a(): L.append(1); return {}
        def b(): L.append(2); return 2
        def f():
            «a()»['x'] = b()
        f();print(L)
        """,
        "a() is computed after b(): other things are called in between",
    ),
    "comp-elem": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def b(): L.append(2); return 2
        def f(n):
            return [«b()» for _ in range(n)]
        f(0);f(3);print(L)
        """,
        "b() is part of a comprehension, which is not computed always, or not once",
    ),
    "comp-mutable": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(n):
            x = [«[]» for _ in range(n)]
            x[0].append(1)
            return x
        print(f(3))
        """,
        "[] is part of a comprehension, which is not computed always, or not once",
    ),
    "comp-cond": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(n, x):
            return [i for i in n if «x.real»]
        print(f([], None))
        """,
        "x.real is part of a comprehension, which is not computed always, or not once",
    ),
    "comp-iter": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(n):
            return [i for i in «n.copy()»]
        print(f([1]))
        """,
        "",
    ),
    "while": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(n):
            while «n.pop()»:
                pass
            return n
        print(f([0,1,1]))
        """,
        "n.pop() is the condition of a loop, which is not computed always, or not once",
    ),
    "annot-local": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(n):
            x: «Foo.Bar» = 3
            return x
        print(f([0,1,1]))
        """,
        "the selection is an annotation, which is not computed",
    ),
    "annot-future": (
        "(extract-variable range: RANGE name: 'made')",
        """
        from __future__ import annotations
        def f(n: «Foo.Bar»):
            return n
        print(f(1))
        """,
        "the selection is an annotation, which is not computed",
    ),
    "enum-body": (
        "(extract-variable range: RANGE name: 'made')",
        """
        import enum
        class E(enum.Enum):
            A = «1» + 2
        print(list(E))
        """,
        "E is a enum.Enum: an attribute more means something",
    ),
    "class-body": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class E:
            A = «1» + 2
        print(E.A)
        """,
        "",
    ),
    "dataclass-body": (
        "(extract-variable range: RANGE name: 'made')",
        """
        import dataclasses as d
        @d.dataclass
        class E:
            a: int = «1» + 2
        print(E())
        """,
        "",
    ),
    "case-value": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class K:
            A = 1
        def f(x):
            match x:
                case «K.A»:
                    return 1
            return 2
        print(f(1), f(2))
        """,
        "the selection is no complete expression",
    ),
    "case-guard": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            match x:
                case [a] if «x[0]»:
                    return 1
            return 2
        print(f([1]), f(2))
        """,
        "x[0] is part of a case, which is not computed always, or not once",
    ),
    "del": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            del «x[0]»
            return x
        print(f([1]))
        """,
        "the selection is bound, deleted or matched there",
    ),
    "docstring": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            «'''doc'''»
            return x
        print(f.__doc__)
        """,
        "the selection is a docstring",
    ),
    "with-target": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A: pass
        def f(x):
            with open('/dev/null') as «x.y»:
                pass
            return bool(x.y)
        print(f(A()))
        """,
        "the selection is bound, deleted or matched there",
    ),
    "with-second": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        import contextlib
        @contextlib.contextmanager
        def c(n):
            L.append(n)
            yield n
        def f():
            with c(1) as a, «c(2)» as b:
                pass
        f();print(L)
        """,
        "c(2) is computed after c(1) as a: other things are called in between",
    ),
    "for-target": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A: pass
        def f(x):
            for «x.y» in [1]:
                pass
            return x.y
        print(f(A()))
        """,
        "the selection is assigned to",
    ),
    "aug": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A: y=1
        def f(x):
            «x.y» += 1
            return x.y
        print(f(A()))
        """,
        "the selection is assigned to",
    ),
    "locals": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            y = «x + 1»
            return sorted(locals())
        print(f(1))
        """,
        "f calls locals(), which sees made",
    ),
    "lambda-default": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return lambda y=«x + 1»: y
        print(f(1)())
        """,
        "",
    ),
    "lambda-body": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return lambda: «x[0]»
        print(f([1])())
        f([])
        print(2)
        """,
        "x[0] is the body of a lambda, which is not computed always, or not once",
    ),
    "genexp": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return any(«x.real» for i in [])
        print(f(None))
        """,
        "x.real is part of a comprehension, which is not computed always, or not once",
    ),
    "walrus-before": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return (y := x + 1) and «y + 1»
        print(f(1))
        """,
        "y + 1 is the right side of and, which is not computed always, or not once",
    ),
    "walrus-before2": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(x):
            return (y := x + 1) + «(y + 1)»
        print(f(1))
        """,
        "(y + 1) is computed after (y := x + 1): y is bound in between",
    ),
    "decorator": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def d(x): L.append(x); return lambda f: f
        def e(x): L.append(x); return x
        @d(1)
        @d(«e(2)»)
        def f(): pass
        print(L)
        """,
        "e(2) is computed after @d(1): other things are called in between",
    ),
    "default": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def g(x=«L.copy()»): x.append(1); return x
        g();print(g())
        """,
        "",
    ),
    "mangled": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            __x = 1
            def f(self):
                return «self.__x» + 1
        print(A().f())
        """,
        "",
    ),
    "subscript-order": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def f(d):
            d['a'] = d.pop('b') + «d['c']»
            return d
        print(f({'b':1,'c':2}))
        """,
        "d['c'] is computed after d.pop('b'): what it reads may be changed in between",
    ),
    "module-level-star": (
        "(extract-variable range: RANGE name: 'made')",
        """
        from m import *
        print(sorted(k for k in globals() if k[0] != '_'))
        --- m.py
        x = «1 + 2» + 3
        """,
        "main.py goes through the names of m.py, which would have one more",
    ),
    "module-vars": (
        "(extract-variable range: RANGE name: 'made')",
        """
        import m
        print(sorted(k for k in vars(m) if k[0] != '_'))
        --- m.py
        x = «1 + 2» + 3
        """,
        "main.py:2 goes through the names of m.py, which would have one more",
    ),
    "const-vars": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m
        print(sorted(k for k in vars(m) if k[0] != '_'))
        --- m.py
        def f():
            return «3»
        """,
        "main.py:2 goes through the names of m.py, which would have one more",
    ),
    "const-getmembers": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m, inspect
        print(sorted(k for k,v in inspect.getmembers(m) if k[0] != '_'))
        --- m.py
        def f():
            return «3»
        """,
        "main.py:2 goes through the names of m.py, which would have one more",
    ),
    "const-globals": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m
        print(m.names())
        --- m.py
        def names():
            return sorted(k for k in globals() if k[0] != '_')
        def f():
            return «3»
        """,
        "m.py:2 goes through the names of m.py, which would have one more",
    ),
    "const-dict": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m
        print(sorted(k for k in m.__dict__ if k[0] != '_'))
        --- m.py
        def f():
            return «3»
        """,
        "main.py:2 goes through the names of m.py, which would have one more",
    ),
    "const-stdout": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import sys, io
        def f():
            «sys.stdout».write('x')

        o = sys.stdout
        sys.stdout = io.StringIO()
        f()
        v = sys.stdout.getvalue()
        sys.stdout = o
        print(v)
        """,
        "sys.stdout may be another later, and would be computed once at the start",
    ),
    "const-rebound": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        n = 1
        def g():
            global n
            n += 1
        def f():
            return «n + 1»
        g()
        print(f())
        """,
        "n is bound more than once, and would be computed once at the start",
    ),
    "const-attr": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        class A: x = 1
        a = A()
        def f():
            return «a.x»
        a.x = 2
        print(f())
        """,
        "a.x may be another later, and would be computed once at the start",
    ),
    "const-later": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f():
            return «LIMIT + 1»
        LIMIT = 2
        print(f())
        """,
        "main.py:1 LIMIT: read before it is bound",
    ),
    "const-sub": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        R = {}
        def f():
            return «R['a']»
        R['a'] = 2
        print(f())
        """,
        "R['a'] may be another later, and would be computed once at the start",
    ),
    "const-unbound": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        try:
            unicode
        except NameError:
            unicode = str
        def f():
            return «unicode»
        print(f())
        """,
        "main.py:1 unicode: read before it is bound",
    ),
    "const-builtinname": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f():
            try:
                return «unicode»
            except NameError:
                return 1
        print(f())
        """,
        "unicode is not defined, and would be computed once at the start",
    ),
    "const-every-shadow": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        n = 1
        def f():
            return «n + 1»
        def g(n):
            return n + 1
        print(f(), g(5))
        """,
        "",
    ),
    "const-every-doc": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f():
            return «'doc'»
        def g():
            'doc'
        print(f(), g.__doc__)
        """,
        "",
    ),
    "const-every-case": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f():
            return «1»
        def g(x):
            match x:
                case 1: return 'a'
            return 'b'
        print(f(), g(1), g(2))
        """,
        "",
    ),
    "const-every-literal": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        from typing import Literal, get_type_hints
        def f():
            return «'a'»
        def g(x: Literal['a']): pass
        print(f(), get_type_hints(g))
        """,
        "",
    ),
    "const-every-strannot": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        from typing import get_type_hints
        def f():
            return «'int'»
        def g(x: 'int'): pass
        print(f(), get_type_hints(g))
        """,
        "",
    ),
    "const-every-all": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        __all__ = ['f']
        def f():
            return «'f'»
        print(f(), __all__)
        """,
        "",
    ),
    "const-raises": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f(x):
            if x:
                return «1 / 0»
            return 2
        print(f(0))
        """,
        "1 / 0 fails, and would be computed once at the start",
    ),
    "const-opsnames": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        a = None
        def f(x):
            return «a.b» if a else 2
        print(f(0))
        """,
        "a.b may be another later, and would be computed once at the start",
    ),
    "const-mocked": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def now(): return 1
        def f():
            g = «now»
            return g()
        import sys
        setattr(sys.modules['__main__'], 'now', lambda: 2) if 0 else globals().__setitem__('now', lambda: 2)
        print(f())
        """,
        "now is replaced by name in main.py, and would be computed once at the start",
    ),
    "const-circ": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m
        print(m.f())
        --- m.py
        import n
        def f():
            return «n.X» + 1
        --- n.py
        import m
        X = 2
        """,
        "",
    ),
    "const-typechecking": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from collections import OrderedDict
        def f(x: «'OrderedDict'»):
            return 1
        print(f(0))
        """,
        "",
    ),
    "const-classname": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        class A:
            def f(self):
                return «A»
        print(A().f())
        """,
        "main.py:1 A: read before it is bound",
    ),
    "const-defaultarg": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        def f(x=«5»):
            return x
        print(f())
        """,
        "",
    ),
    "field-plain": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                return «'a' 'b'»
        print(A().f())
        """,
        "",
    ),
    "field-enum": (
        "(extract-field range: RANGE name: 'made')",
        """
        import enum
        class A(enum.Enum):
            X = 1
            def f(self):
                return «7»
        print(list(A), A.X.f())
        """,
        "A is a enum.Enum: an attribute more means something",
    ),
    "field-getattribute": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def __getattribute__(self, n):
                if n == 'f': return object.__getattribute__(self, n)
                return 3
            def f(self):
                return «7»
        print(A().f())
        """,
        "A has a __getattribute__ of its own",
    ),
    "field-borrowed": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                return «7»
        class B:
            f = A.f
        print(B().f())
        """,
        "A.f is used for another class at main.py:5",
    ),
    "field-static": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            @staticmethod
            def f(x):
                return «7» + x
        print(A.f(1))
        """,
        "",
    ),
    "field-classmethod": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            @classmethod
            def f(cls):
                return «7»
        print(A.f())
        """,
        "",
    ),
    "field-new": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def __new__(cls):
                print(«7»)
                return super().__new__(cls)
        A()
        """,
        "",
    ),
    "field-td": (
        "(extract-field range: RANGE name: 'made')",
        """
        from typing import TypedDict, NamedTuple
        class A(NamedTuple):
            x: int
            def f(self):
                return «7»
        print(A(1).f(), A(1))
        """,
        "A is a NamedTuple: an attribute more means something",
    ),
    "field-meta": (
        "(extract-field range: RANGE name: 'made')",
        """
        class M(type):
            def __new__(m, n, b, d):
                print(sorted(k for k in d if k[0] != '_'))
                return super().__new__(m, n, b, d)
        class A(metaclass=M):
            def f(self):
                return «7»
        """,
        "the metaclass of A sees what stands in A",
    ),
    "field-dir": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                return «7»
        print([k for k in dir(A) if k[0] != '_'])
        """,
        "main.py:4 goes through the names of A",
    ),
    "field-selfrebound": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                self = 3
                return «7»
        print(A().f())
        """,
        "self means something else there",
    ),
    "field-inner": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                return [«7» for self in [1]]
        print(A().f())
        """,
        "self means something else there",
    ),
    "field-protocol": (
        "(extract-field range: RANGE name: 'made')",
        """
        from typing import Protocol, runtime_checkable
        @runtime_checkable
        class P(Protocol):
            def f(self):
                return «7»
        class B:
            def f(self): pass
        print(isinstance(B(), P))
        """,
        "P is a Protocol: an attribute more means something",
    ),
    "field-lookup": (
        "(extract-field range: RANGE name: 'made')",
        """
        class B:
            def __init__(self):
                for k in list(vars(type(self))):
                    if k[0] != '_': print(k)
        class A(B):
            def f(self):
                return «7»
        A()
        """,
        "B goes through names at main.py:3",
    ),
    "every-rebound": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a + 1»
            a = 5
            return x, a + 1
        print(f(1))
        """,
        "",
    ),
    "every-mutated": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a.n + 1»
            a.n = 5
            return x, a.n + 1
        class A: n=1
        print(f(A()))
        """,
        "",
    ),
    "every-calls": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a.pop()»
            return x, a.pop()
        print(f([1,2]))
        """,
        "",
    ),
    "every-len": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «len(a)»
            a.append(1)
            return x, len(a)
        print(f([1,2]))
        """,
        "",
    ),
    "every-mutable": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f():
            x = «[]»
            y = []
            x.append(1)
            return x, y
        print(f())
        """,
        "",
    ),
    "every-branch": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            if a:
                x = «a + 1»
            else:
                x = a + 1
            return a + 1
        print(f(0), f(1))
        """,
        "",
    ),
    "every-guard": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = 1
            if a:
                x = a[0]
            return x and (a and a[0]) and «a[0]»
        print(f([1]))
        """,
        "a[0] is the right side of and, which is not computed always, or not once",
    ),
    "every-loop": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            r = []
            for i in range(3):
                r.append(a + 1)
                a = i
                r.append(«a + 1»)
            return r
        print(f(0))
        """,
        "",
    ),
    "every-inner": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a + 1»
            def g(a):
                return a + 1
            h = lambda a: a + 1
            return x, g(5), h(6), [a + 1 for a in [7]]
        print(f(0))
        """,
        "",
    ),
    "every-target": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a[0]»
            a[0] = 3
            return a, x
        print(f([0]))
        """,
        "",
    ),
    "every-del": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a[0]»
            del a[0]
            return a, x
        print(f([0]))
        """,
        "",
    ),
    "every-ok": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a + 1»
            return x, a + 1
        print(f(1))
        """,
        "",
    ),
    "every-const": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            if a:
                return «'xy'»
            return 'xy' + 'z'
        print(f(1), f(0))
        """,
        "",
    ),
    "every-called-name": (
        "(extract-variable range: RANGE name: 'made' every: true)",
        """
        def f(a):
            x = «a.b»
            a.b += 2
            return a.b
        class A: b=1
        print(f(A()))
        """,
        "",
    ),
    "const-import-module": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        from importlib import import_module
        m = import_module('m')
        print(sorted(k for k in vars(m) if k[0] != '_'))
        --- m.py
        def f():
            return «3»
        """,
        "main.py:3 goes through the names of m.py, which would have one more",
    ),
    "const-any-module": (
        "(extract-constant range: RANGE name: 'MADE')",
        """
        import m
        for module in (m,):
            print(sorted(k for k in vars(module) if k[0] != '_'))
        --- m.py
        def f():
            return «3»
        """,
        "main.py:3 goes through the names of m.py, which would have one more",
    ),
    "cond-param": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            if a: x = 1
            «if a:
                print(x)»
        f(1); f(0)
        """,
        "x may have no value before the selection",
    ),
    "cond-param-ok": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            if a: x = 1
            else: x = 2
            «if a:
                print(x)»
        f(1); f(0)
        """,
        "",
    ),
    "cond-output": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «if a:
                x = 1»
            if a:
                print(x)
        f(1); f(0)
        """,
        "x may not be assigned in the selection, and is read afterwards",
    ),
    "try-output": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            x = 0
            try:
                «x = 1
                a.bad()»
            except AttributeError:
                pass
            print(x)
        f(1)
        """,
        "x is read after an exception, too",
    ),
    "try-output-ok": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            x = 0
            try:
                «x = a.bad()»
            except AttributeError:
                pass
            print(x)
        f(1)
        """,
        "",
    ),
    "finally-output": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            x = 0
            try:
                «x = 1
                a.bad()»
            finally:
                print(x)
        f(1)
        """,
        "x is read after an exception, too",
    ),
    "handler-read": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            x = 0
            try:
                «x = 1
                a.bad()»
            except AttributeError:
                print(x)
        f(1)
        """,
        "x is read after an exception, too",
    ),
    "suppress": (
        "(extract-function range: RANGE name: 'made')",
        """
        import contextlib
        def f(a):
            x = 0
            with contextlib.suppress(Exception):
                «x = 1
                a.bad()»
            print(x)
        f(1)
        """,
        "x is read after an exception, too",
    ),
    "closure-late": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            x = 0
            «g = lambda: x»
            x = 5
            print(g())
        f()
        """,
        "x is assigned again, which a function in the selection sees",
    ),
    "closure-late2": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            x = 0
            def g(): return x
            «x = 1
            print(g())»
            return x
        f()
        """,
        "x is read by a function within f",
    ),
    "closure-loop": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            r = []
            for i in range(3):
                «r.append(lambda: i)»
            print([g() for g in r])
        f()
        """,
        "i is assigned again, which a function in the selection sees",
    ),
    "closure-nonlocal": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            x = 0
            def g():
                nonlocal x
                x += 1
            «y = x + 1
            g()
            print(x, y)»
        f()
        """,
        "x is assigned by a function within f",
    ),
    "locals-2": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «b = 2
            print(sorted(locals()))»
        f(1)
        """,
        "the selection has locals() in it, which is about the function it stands in",
    ),
    "eval": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «print(eval('a'))»
        f(1)
        """,
        "the selection has eval() in it, which is about the function it stands in",
    ),
    "stacklevel": (
        "(extract-function range: RANGE name: 'made')",
        """
        import warnings
        def f(a):
            «warnings.warn('x', stacklevel=2)»
        with warnings.catch_warnings(record=True) as w:
            warnings.simplefilter('always')
            f(1)
            print(w[0].lineno > 4)
        """,
        "the selection has stacklevel=2 in it, which is about the function it stands in",
    ),
    "frame": (
        "(extract-function range: RANGE name: 'made')",
        """
        import sys
        def f(a):
            «print(sys._getframe().f_code.co_name)»
        f(1)
        """,
        "the selection has _getframe() in it, which is about the function it stands in",
    ),
    "frame1": (
        "(extract-function range: RANGE name: 'made')",
        """
        import sys
        def f(a):
            «print(sys._getframe(1).f_code.co_name)»
        f(1)
        """,
        "the selection has _getframe() in it, which is about the function it stands in",
    ),
    "docstring-2": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «'''doc'''
            x = a»
            return x
        print(f(1), f.__doc__)
        """,
        "the selection has a docstring in it",
    ),
    "global-inside": (
        "(extract-function range: RANGE name: 'made')",
        """
        n = 0
        def f(a):
            «global n
            n = 1»
            n = 2
        f(1)
        print(n)
        """,
        "n is declared global in the selection, and used outside of it",
    ),
    "global-before": (
        "(extract-function range: RANGE name: 'made')",
        """
        n = 0
        def f(a):
            global n
            «n = 1»
        f(1)
        print(n)
        """,
        "",
    ),
    "module-write": (
        "(extract-function range: RANGE name: 'made')",
        """
        def g(): return x
        «x = 1
        y = 2»
        print(g(), y)
        """,
        "main.py:1 x: bound nowhere any more",
    ),
    "module-export": (
        "(extract-function range: RANGE name: 'made')",
        """
        import m
        print(m.x)
        --- m.py
        «x = 1
        y = 2»
        print(y)
        """,
        "main.py:2 x: its module has it no more",
    ),
    "class-body-2": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            «x = 1
            y = 2»
        print(A.x)
        """,
        "A would have no x any more",
    ),
    "new": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def __new__(cls, a):
                «b = a + 1
                print(b)»
                return super().__new__(cls)
        A(1)
        """,
        "",
    ),
    "initsubclass": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def __init_subclass__(cls):
                «b = cls.__name__
                print(b)»
        class B(A): pass
        """,
        "",
    ),
    "classgetitem": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def __class_getitem__(cls, k):
                «b = cls.__name__
                print(b)»
        A[1]
        """,
        "",
    ),
    "borrowed": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                «b = 2
                print(b)»
        class B:
            f = A.f
        B().f()
        """,
        "A.f is used for another class at main.py:6",
    ),
    "super": (
        "(extract-function range: RANGE name: 'made')",
        """
        class B:
            def f(self): print('B')
        class A(B):
            def f(self):
                «super().f()
                print(1)»
        A().f()
        """,
        "",
    ),
    "super-static": (
        "(extract-function range: RANGE name: 'made')",
        """
        class B:
            def f(self): print('B')
        class A(B):
            def f(self):
                def g():
                    «print(__class__)»
                g()
        A().f()
        """,
        "the selection has __class__ in it, which is about the function it stands in",
    ),
    "selfrebound": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                self = 3
                «b = self
                print(b)»
        A().f()
        """,
        "self means something else there",
    ),
    "getattribute": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def __getattribute__(self, n):
                if n == 'f': return object.__getattribute__(self, n)
                return 3
            def f(self):
                «b = 2
                print(b)»
        A().f()
        """,
        "A has a __getattribute__ of its own",
    ),
    "protocol": (
        "(extract-function range: RANGE name: 'made')",
        """
        from typing import Protocol, runtime_checkable
        @runtime_checkable
        class P(Protocol):
            def f(self):
                «b = 2
                print(b)»
        class B:
            def f(self): pass
        print(isinstance(B(), P))
        """,
        "P is a Protocol: an attribute more means something",
    ),
    "dirclass": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def run(self):
                «b = 2
                print(b)»
            def all(self): return [n for n in dir(self) if n[0] != '_']
        print(A().all())
        """,
        "A goes through names at main.py:5",
    ),
    "modvars": (
        "(extract-function range: RANGE name: 'made')",
        """
        import m
        print(sorted(k for k in vars(m) if k[0] != '_'))
        --- m.py
        def f():
            «b = 2
            print(b)»
        """,
        "main.py:2 goes through the names of m.py, which would have one more",
    ),
    "modstar": (
        "(extract-function range: RANGE name: 'made')",
        """
        from m import *
        print(sorted(k for k in globals() if k[0] != '_'))
        --- m.py
        def f():
            «b = 2
            print(b)»
        """,
        "main.py goes through the names of m.py, which would have one more",
    ),
    "annot": (
        "(extract-function range: RANGE name: 'made')",
        """
        from __future__ import annotations
        import typing
        def f(x: «int»): pass
        print(f.__annotations__)
        """,
        "the selection is an annotation",
    ),
    "case": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(x):
            match x:
                case «1»: return 1
        print(f(1))
        """,
        "the selection is bound, deleted or matched there",
    ),
    "del-expr": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(x):
            del «x.y»
        class A: pass
        a=A();a.y=1
        f(a)
        print(vars(a))
        """,
        "the selection is bound, deleted or matched there",
    ),
    "del-local": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(x):
            y = 1
            «del y»
            try:
                print(y)
            except NameError: print('gone')
        f(1)
        """,
        "the selection deletes y",
    ),
    "loop-carried": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            p = None
            for i in range(3):
                «if p is not None:
                    print(p)
                p = i»
        f()
        """,
        "",
    ),
    "loop-cond-carried": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            for i in range(3):
                «if i > 0:
                    print(p)
                p = i»
        f()
        """,
        "p may have no value before the selection",
    ),
    "return-in-try": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            try:
                «x = int('a')
                return x»
            except ValueError:
                return 0
        print(f())
        """,
        "",
    ),
    "return-cond": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            if a:
                «x = a
                return x»
            return 2
        print(f(0), f(1))
        """,
        "",
    ),
    "bare-raise": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            try:
                int('x')
            except ValueError:
                «print(1)
                raise»
        try:
            f(1)
        except ValueError: print('v')
        """,
        "",
    ),
    "async": (
        "(extract-function range: RANGE name: 'made')",
        """
        import asyncio
        async def f(a):
            «await asyncio.sleep(0)
            b = 2»
            return b
        print(asyncio.run(f(1)))
        """,
        "",
    ),
    "asyncwith": (
        "(extract-function range: RANGE name: 'made')",
        """
        import asyncio
        class C:
            async def __aenter__(self): return 1
            async def __aexit__(self, *a): pass
        async def f(a):
            «async with C() as c:
                b = c»
            return b
        print(asyncio.run(f(1)))
        """,
        "",
    ),
    "asynccomp": (
        "(extract-function range: RANGE name: 'made')",
        """
        import asyncio
        async def g():
            yield 1
        async def f(a):
            «b = [x async for x in g()]»
            return b
        print(asyncio.run(f(1)))
        """,
        "",
    ),
    "comp-var": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            return [«x * 2 + a» for x in a]
        print(f([]))
        """,
        "",
    ),
    "comp-await": (
        "(extract-function range: RANGE name: 'made')",
        """
        import asyncio
        async def h(x): return x
        async def f(a):
            return [«await h(x)» for x in a]
        print(asyncio.run(f([1])))
        """,
        "",
    ),
    "class-comp": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            n = [1,2]
            m = [«x + 1» for x in n]
        print(A.m)
        """,
        "",
    ),
    "augment-global": (
        "(extract-function range: RANGE name: 'made')",
        """
        n = 0
        def f():
            global n
            «n += 1
            print(n)»
        f()
        """,
        "",
    ),
    "decorator-run": (
        "(extract-function range: RANGE name: 'made')",
        """
        def run(f):
            f()
            return f
        @run
        def f():
            «a = 1
            print(a)»
        """,
        "",
    ),
    "if-main": (
        "(extract-function range: RANGE name: 'made')",
        """
        if True:
            def f():
                «a = 1
                print(a)»
            f()
        """,
        "",
    ),
    "nested-run": (
        "(extract-function range: RANGE name: 'made')",
        """
        def o():
            def run(f):
                f()
                return f
            @run
            def f():
                «a = 1
                print(a)»
        o()
        """,
        "",
    ),
    "importstar": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            «import os.path
            a = os.sep»
            return os.path.join('a', a)
        print(f())
        """,
        "",
    ),
    "annotated-only": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «x: int
            y = a»
            x = 3
            return x + y
        print(f(1))
        """,
        "",
    ),
    "walrus-out": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            if «(n := len(a)) > 1»:
                return n
        print(f([1,2]))
        """,
        "the selection assigns n, which is used later",
    ),
    "genexp-yield": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «b = list(x for x in a)
            print(b)»
            yield 1
        list(f([1]))
        """,
        "",
    ),
    "lambda-body-2": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            return lambda b: «a + b»
        print(f(1)(2))
        """,
        "",
    ),
    "nonlocal-host": (
        "(extract-function range: RANGE name: 'made')",
        """
        def o():
            n = 0
            def f():
                nonlocal n
                «n += 1»
            f()
            print(n)
        o()
        """,
        "",
    ),
    "recursive-default": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a, b=«[1, 2]»):
            b.append(a)
            return b
        f(1)
        print(f(2))
        """,
        "",
    ),
    "enum-method": (
        "(extract-function range: RANGE name: 'made')",
        """
        import enum
        class E(enum.Enum):
            A = 1
            def f(self):
                «b = self.value
                print(b)»
        E.A.f()
        print(list(E))
        """,
        "",
    ),
    "namedtuple-m": (
        "(extract-function range: RANGE name: 'made')",
        """
        from typing import NamedTuple
        class E(NamedTuple):
            a: int
            def f(self):
                «b = self.a
                print(b)»
        E(1).f()
        print(E(1))
        """,
        "",
    ),
    "property": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            @property
            def f(self):
                «b = 2
                c = b»
                return c
            @f.setter
            def f(self, v):
                pass
        print(A().f)
        """,
        "",
    ),
    "overload": (
        "(extract-function range: RANGE name: 'made')",
        """
        from functools import singledispatchmethod
        class A:
            @singledispatchmethod
            def f(self, a):
                «b = 2
                print(b)»
            @f.register
            def _(self, a: int):
                print(3)
        A().f('x'); A().f(1)
        """,
        "",
    ),
    "staticmeth": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            @staticmethod
            def f(a):
                «b = 2 + a
                print(b)»
        A.f(1)
        """,
        "",
    ),
    "slotsself": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            __slots__ = ('x',)
            def f(self):
                «self.x = 2
                print(self.x)»
        A().f()
        """,
        "",
    ),
    "exc-as": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            try:
                int('x')
            except ValueError as e:
                «m = str(e)
                print(m[:5])»
        f()
        """,
        "",
    ),
    "match-capture": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(x):
            match x:
                case [a, b]:
                    «c = a + b»
                    return c
        print(f([1,2]))
        """,
        "",
    ),
    "with-as": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f():
            «with open('/dev/null') as h:
                d = h.read()»
            print(repr(d), h.closed)
        f()
        """,
        "",
    ),
    "for-else": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «for x in a:
                if x: break
            else:
                x = 9»
            return x
        print(f([0]), f([0,1]))
        """,
        "",
    ),
    "for-empty": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            x = 5
            «for x in a:
                pass»
            return x
        print(f([]), f([0,1]))
        """,
        "",
    ),
    "inner-class": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(a):
            «class K:
                v = a»
            return K.v
        print(f(1))
        """,
        "",
    ),
    "inner-class-priv": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                self.__v = 1
                def g(x):
                    «y = x.__v
                    return y»
                return g(self)
        print(A().f())
        """,
        "",
    ),
    "type-check": (
        "(extract-function range: RANGE name: 'made')",
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import nothing
        def f(a):
            «x: nothing.X = a»
            return x
        print(f(1))
        """,
        "",
    ),
    "fstring": (
        "(extract-function range: RANGE name: 'made')",
        """
        def f(d):
            return f'{«d["a"]»}'
        print(f({'a': 1}))
        """,
        "",
    ),
    "trampoline": (
        "(extract-function range: RANGE name: 'made')",
        """
        import inspect
        def f(a):
            «x = inspect.stack()[0].function
            print(x)»
        f(1)
        """,
        "the selection has stack() in it, which is about the function it stands in",
    ),
    "x-builtin": (
        "(extract-function range: RANGE name: 'len')",
        """
        def f(a):
            «b = a + [1]
            print(b)»
            return len(a)
        print(f([1]))
        """,
        "len means something else in main.py already",
    ),
    "x-subclass-has": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                «b = 1
                print(b)»
        class B(A):
            def made(self): print('B')
        B().f()
        """,
        "B in main.py already has a made",
    ),
    "x-base-has": (
        "(extract-function range: RANGE name: 'made')",
        """
        class Z:
            def made(self): print('Z')
            def g(self): self.made()
        class A(Z):
            def f(self):
                «b = 1
                print(b)»
        A().g()
        """,
        "Z already has a made",
    ),
    "x-self-attr": (
        "(extract-function range: RANGE name: 'made')",
        """
        class A:
            def __init__(self): self.made = 3
            def f(self):
                «b = 1
                print(b)»
        A().f()
        """,
        "A already has a made",
    ),
    "f-subclass-has": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            def f(self):
                return «1»
        class B(A):
            made = 2
        print(B().f())
        """,
        "B in main.py already has a made",
    ),
    "f-slots": (
        "(extract-field range: RANGE name: 'made')",
        """
        class A:
            __slots__ = ('made',)
            def f(self):
                return «1»
        print(A().f())
        """,
        "A already has a made",
    ),
    "v-shadow": (
        "(extract-variable range: RANGE name: 'n')",
        """
        n = 5
        def f(a):
            b = «a + 1»
            return b + n
        print(f(1))
        """,
        "main.py:5 n: would mean the new n of f",
    ),
    "v-inner": (
        "(extract-variable range: RANGE name: 'n')",
        """
        def f(a):
            b = «a + 1»
            def g(): return n
            return b
        n = 3
        print(f(1))
        """,
        "main.py:4 n: would mean the new n of f",
    ),
    "c-shadow": (
        "(extract-constant range: RANGE name: 'N')",
        """
        def f(N):
            return N + «7»
        print(f(1))
        """,
        "N means something else at its use",
    ),
    "c-class": (
        "(extract-constant range: RANGE name: 'N')",
        """
        class A:
            N = 3
            x = «7» + N
        print(A.x)
        """,
        "N means something else at its use",
    ),
    "v-async": (
        "(extract-variable range: RANGE name: 'made')",
        """
        import asyncio
        async def g(L, n): L.append(n); return n
        async def f():
            L = []
            r = await g(L, 1) + «await g(L, 2)»
            return r, L
        print(asyncio.run(f()))
        """,
        "await g(L, 2) is computed after await g(L, 1): other things are called in between",
    ),
    "v-generator": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f():
            x = (yield 1) + «2»
            yield x
        g = f(); next(g); print(g.send(5))
        """,
        "",
    ),
    "v-slice": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a, i):
            return a[«i + 1»:][0]
        print(f([1,2,3], 0))
        """,
        "",
    ),
    "v-star": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            return max(*«a[0]», 3)
        print(f([[1,2]]))
        """,
        "",
    ),
    "v-dict": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def g(n): L.append(n); return n
        def f():
            return {g(1): «g(2)», g(3): 4}
        print(f(), L)
        """,
        "g(2) is computed after g(1): other things are called in between",
    ),
    "v-kw": (
        "(extract-variable range: RANGE name: 'made')",
        """
        L=[]
        def g(n=0, **k): L.append(n); return n
        def f():
            return g(g(1), a=«g(2)»)
        print(f(), L)
        """,
        "g(2) is computed after g(1): other things are called in between",
    ),
    "v-chain-call": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            x = 0
            def up(self): self.x += 1; return self
            def get(self, y): return y
        def f(a):
            return a.up().get(«a.x»)
        print(f(A()))
        """,
        "a.x is computed after a.up().get: what it reads may be changed in between",
    ),
    "v-fstring": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            x = 0
            def up(self): self.x += 1; return self.x
        def f(a):
            return f'{a.up()} {«a.x»}'
        print(f(A()))
        """,
        "a.x is computed after {a.up()}: what it reads may be changed in between",
    ),
    "v-return-tuple": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            x = 0
            def up(self): self.x += 1; return self.x
        def f(a):
            return a.up(), «a.x»
        print(f(A()))
        """,
        "a.x is computed after a.up(): what it reads may be changed in between",
    ),
    "v-aug": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            x = 0
            def up(self): self.x = 10; return 1
        def f(a):
            a.x += «a.up()»
            return a.x
        print(f(A()))
        """,
        "a.up() is computed after a.x: what it does may be seen in between",
    ),
    "v-raise-from": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            try:
                raise ValueError('a') from «KeyError(a)»
            except ValueError as e:
                return repr(e.__cause__)
        print(f(1))
        """,
        "KeyError(a) is computed after ValueError('a'): other things are called in between",
    ),
    "v-semicolon": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a): b = a; return «b + 1»
        print(f(1))
        """,
        "",
    ),
    "v-oneline-if": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            if a: return «a[0]»
            return 0
        print(f([]), f([1]))
        """,
        "",
    ),
    "v-oneline-else": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            if a: return 1
            else: return «a + [2]»
        print(f([]), f([1]))
        """,
        "",
    ),
    "v-class-nested": (
        "(extract-variable range: RANGE name: 'made')",
        """
        class A:
            class B:
                x = «1 + 2»
        print(A.B.x)
        """,
        "",
    ),
    "v-multiline": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            return (
                a
                + «a
                * 2»
            )
        print(f(1))
        """,
        "",
    ),
    "v-tryexcept-else": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            try:
                b = 1
            except Exception:
                return 0
            else:
                return «a.x»
            finally:
                print('f')
        try: f(1)
        except AttributeError: print('ae')
        """,
        "",
    ),
    "v-name-callee": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(a):
            return «a.upper»()
        print(f('x'))
        """,
        "",
    ),
    "v-global-name": (
        "(extract-variable range: RANGE name: 'made')",
        """
        n = 1
        def g():
            global n
            n += 1
            return n
        def f():
            return g() + «n»
        print(f())
        """,
        "n is computed after g(): n may be bound anew in between",
    ),
    "v-nonlocal-name": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def o():
            n = 1
            def g():
                nonlocal n
                n += 1
                return n
            return g() + «n»
        print(o())
        """,
        "n is computed after g(): n may be bound anew in between",
    ),
    "v-iter": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(it):
            return next(it), «[x for x in it]»
        print(f(iter([1,2,3])))
        """,
        "[x for x in it] is computed after next(it): it may be used up in between",
    ),
    "v-min-iter": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(it):
            return sum(it) + «max(it, default=5)»
        print(f(iter([1,2,3])))
        """,
        "max(it, default=5) is computed after sum(it): it may be used up in between",
    ),
    "v-list-iter": (
        "(extract-variable range: RANGE name: 'made')",
        """
        def f(it):
            return (next(it), «list(it)»)
        print(f(iter([1,2,3])))
        """,
        "list(it) is computed after next(it): it may be used up in between",
    ),
}
