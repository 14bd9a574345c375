"""What signatures must not change: an operation, a program, and why it is refused (empty: carried out)."""

PROGRAMS = {
    "only-asked": (
        "(keyword-only at: AT names: ['text'])",
        """
        class R:
            def _method(self, name): return object.__getattribute__(self, name)
            def show(self, name): return self._method(name)('x')
        class H(R):
            def ¦strong(self, text): return '*' + text
        print(H().show('strong'))
        """,
        "strong is called by what is looked up at",
    ),
    "only-mixin": (
        "(keyword-only at: AT names: ['key'])",
        """
        from collections.abc import MutableSet
        class S(MutableSet):
            def __init__(self): self.d = {1: 1}
            def __contains__(self, key): return key in self.d
            def __iter__(self): return iter(self.d)
            def __len__(self): return len(self.d)
            def add(self, key): self.d[key] = 1
            def ¦discard(self, key): self.d.pop(key, None)
        s = S()
        s -= {1}
        print(len(s))
        """,
        "discard is called by collections.abc.MutableSet",
    ),
    "reorder-call": (
        "(reorder-parameters at: AT order: ['self', 'b', 'a'])",
        """
        class P:
            def ¦__call__(self, a, b): print(a, b)
        def go(plugins):
            for one in plugins: one(1, 2)
        go([P()])
        """,
        "__call__ is called by whoever calls the object",
    ),
    "add-click-like": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        R={}
        def cmd(f):
            R[f.__name__] = f
            return f
        @cmd
        def ¦go(a): print(a)
        R['go'](1)
        """,
        "go is decorated with cmd, which may call it in its own way",
    ),
    "add-deco-first": (
        "(add-parameter at: AT name: 'made' default: '0' index: 0)",
        """
        def cmd(f): return lambda: f(1)
        @cmd
        def ¦go(a): print(a)
        go()
        """,
        "a has no default, but follows one that has",
    ),
    "add-varargs": (
        "(add-parameter at: AT name: 'made' default: '0')",
        """
        def ¦go(a, *r): print(a, r)
        go(1, 2)
        """,
        "",
    ),
    "add-dunder": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        class A:
            def ¦__eq__(self, o): return True
        print(A() == 1)
        """,
        "__eq__ is called by Python itself",
    ),
    "add-extbase": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        import ast
        class V(ast.NodeVisitor):
            def ¦visit_Name(self, node): print(node.id)
        V().visit(ast.parse('a'))
        """,
        "visit_Name is called by ast.NodeVisitor, which it inherits from",
    ),
    "add-extbase2": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        import threading
        class V(threading.Thread):
            def ¦run(self): print(1)
        v = V(); v.start(); v.join()
        """,
        "run is called by threading.Thread, which it inherits from",
    ),
    "add-init-cls": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        class A:
            def ¦__init__(self, a): self.a = a
            @classmethod
            def make(cls): return cls(1)
            def copy(self): return type(self)(self.a)
            def copy2(self): return self.__class__(self.a)
        print(A.make().copy().copy2().a)
        """,
        "main.py:4 makes an object of A by cls(…)",
    ),
    "add-init-map": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        class A:
            def ¦__init__(self, a): self.a = a
        print([x.a for x in map(A, [1,2])])
        """,
        "A.__init__ is handed on in main.py:3, and called from there",
    ),
    "add-init-var": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        class A:
            def ¦__init__(self, a): self.a = a
        class H:
            kind = A
            def make(self): return self.kind(1)
        print(H().make().a)
        """,
        "A.__init__ is handed on in main.py:4, and called from there",
    ),
    "add-init-partial": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        import functools
        class A:
            def ¦__init__(self, a): self.a = a
        p = functools.partial(A, 1)
        print(p().a)
        """,
        "A.__init__ is handed on in main.py:4, and called from there",
    ),
    "add-init-reduce": (
        "(add-parameter at: AT name: 'made' value: '0')",
        """
        import copy
        class A:
            def ¦__init__(self, a): self.a = a
            def __reduce__(self): return (A, (self.a,))
        print(copy.copy(A(1)).a)
        """,
        "A.__init__ is handed on in main.py:4, and called from there",
    ),
    "re-effects": (
        "(reorder-parameters at: AT order: ['self' 'b' 'a'])",
        """
        L=[]
        def g(n): L.append(n); return n
        class A:
            def ¦f(self, a, b): return a - b
        print(A().f(g(1), g(2)), L)
        """,
        "",
    ),
    "re-effects2": (
        "(reorder-parameters at: AT order: ['b' 'a'])",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return a - b
        print(f(g(1), g(2)), L)
        """,
        "",
    ),
    "re-ok": (
        "(reorder-parameters at: AT order: ['b' 'a'])",
        """
        def ¦f(a, b): return a - b
        print(f(1, 2))
        """,
        "",
    ),
    "re-deco": (
        "(reorder-parameters at: AT order: ['b' 'a'])",
        """
        import functools
        def d(f):
            @functools.wraps(f)
            def w(a, b): return f(a, b)
            return w
        @d
        def ¦f(a, b): return a - b
        print(f(1, 2))
        """,
        "f is decorated with d, which may call it in its own way",
    ),
    "re-key": (
        "(reorder-parameters at: AT order: ['b' 'a'])",
        """
        def ¦f(a, b): return a - b
        print(sorted([3, 1], key=__import__('functools').cmp_to_key(f)))
        """,
        "f is handed on in main.py:2, and called from there",
    ),
    "re-new": (
        "(reorder-parameters at: AT order: ['self' 'b' 'a'])",
        """
        class A:
            def __new__(cls, a, b): print(a, b); return super().__new__(cls)
            def ¦__init__(self, a, b): print(a, b)
        A(1, 2)
        """,
        "A has both __new__ and __init__, which take the same arguments",
    ),
    "re-duck": (
        "(reorder-parameters at: AT order: ['self' 'b' 'a'])",
        """
        class A:
            def ¦f(self, a, b): return a - b
        class B:
            def f(self, a, b): return a + b
        def go(x): return x.f(2, 1)
        print(go(A()), go(B()))
        """,
        "a call in main.py may be of f (the object's type is not known)",
    ),
    "re-self": (
        "(reorder-parameters at: AT order: ['a' 'b' 'self'])",
        """
        class A:
            def ¦f(self, a, b): return a - b
        print(A().f(2, 1))
        """,
        "self is what f is called on",
    ),
    "re-pickle": (
        "(reorder-parameters at: AT order: ['self' 'b' 'a'])",
        """
        import copy
        class E(Exception):
            def ¦__init__(self, a, b): self.a = a; super().__init__(a, b)
        print(copy.copy(E(1, 2)).a)
        """,
        "E is an exception: what it is made with by position stays in its args",
    ),
    "rm-effects": (
        "(remove-parameter at: AT name: 'b')",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return a
        f(1, g(2)); print(L)
        """,
        "a call in main.py computes g(2) for b, which may do something",
    ),
    "rm-deco": (
        "(remove-parameter at: AT name: 'b')",
        """
        R=[]
        def reg(f): R.append(f); return f
        @reg
        def ¦f(a, b): return a
        print(R[0](1, 2))
        """,
        "f is decorated with reg, which may call it in its own way",
    ),
    "rm-self": (
        "(remove-parameter at: AT name: 'self')",
        """
        class A:
            def ¦f(self): return 1
        print(A().f())
        """,
        "self is what f is called on",
    ),
    "rm-locals": (
        "(remove-parameter at: AT name: 'b')",
        """
        def ¦f(a, b): return sorted(locals())
        print(f(1, 2))
        """,
        "f calls locals(), which sees its parameters",
    ),
    "rm-unused-method": (
        "(remove-parameter at: AT name: 'b')",
        """
        class A:
            def ¦f(self, b): return 1
        def go(x): return x.f(2)
        print(go(A()))
        """,
        "a call in main.py may be of f (the object's type is not known)",
    ),
    "rm-callback": (
        "(remove-parameter at: AT name: 'b')",
        """
        def ¦f(a, b): return a
        def go(g): return g(1, 2)
        print(go(f))
        """,
        "f is handed on in main.py:3, and called from there",
    ),
    "rm-tuplecb": (
        "(remove-parameter at: AT name: 'b')",
        """
        def ¦f(a, b): return a
        T = {'f': f}
        print(T['f'](1, 2))
        """,
        "f is handed on in main.py:2, and called from there",
    ),
    "kw-deco": (
        "(keyword-only at: AT names: ['b'])",
        """
        def d(f):
            def w(*a): return f(*a)
            return w
        @d
        def ¦f(a, b): return a - b
        print(f(1, 2))
        """,
        "f is decorated with d, which may call it in its own way",
    ),
    "kw-exc": (
        "(keyword-only at: AT names: ['b'])",
        """
        class E(Exception):
            def ¦__init__(self, a, b): self.b = b
        print(str(E(1, 2)))
        """,
        "E is an exception: what it is made with by position stays in its args",
    ),
    "kw-prop": (
        "(keyword-only at: AT names: ['b'])",
        """
        class A:
            @property
            def x(self): return 1
            @x.setter
            def ¦x(self, b): print(b)
        A().x = 3
        """,
        "there is no parameter b",
    ),
    "nk-exc": (
        "(normalise-calls at: AT)",
        """
        class E(Exception):
            def ¦__init__(self, a): self.a = a
        print(str(E(1)))
        """,
        "E is an exception: what it is made with by position stays in its args",
    ),
    "nk-deco": (
        "(normalise-calls at: AT)",
        """
        def d(f):
            def w(*a): return f(*a)
            return w
        @d
        def ¦f(a, b): return a - b
        print(f(1, 2))
        """,
        "f is decorated with d, which may call it in its own way",
    ),
    "nk-deco2": (
        "(normalise-calls at: AT)",
        """
        def d(f):
            def w(x, y): return f(x, y)
            return w
        @d
        def ¦f(a, b): return a - b
        print(f(1, 2))
        """,
        "f is decorated with d, which may call it in its own way",
    ),
    "nk-order": (
        "(normalise-calls at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return a - b
        print(f(b=g(1), a=g(2)), L)
        """,
        "",
    ),
    "np-order": (
        "(normalise-calls at: AT calls: 'positional')",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return a - b
        print(f(b=g(1), a=g(2)), L)
        """,
        "",
    ),
    "nk-ext": (
        "(normalise-calls at: AT)",
        """
        class A:
            def ¦f(self, a): return a
        class B(A):
            def f(self, z): return z
        def go(x: A): return x.f(1)
        print(go(B()))
        """,
        "B.f in main.py has other parameters",
    ),
    "np-override": (
        "(normalise-calls at: AT calls: 'positional')",
        """
        class A:
            def ¦f(self, a=1, b=2): return a, b
        class B(A):
            def f(self, b=3, a=4): return a, b
        def go(x: A): return x.f(a=5)
        print(go(B()))
        """,
        "B.f in main.py has other parameters",
    ),
    "nk-star": (
        "(normalise-calls at: AT)",
        """
        def ¦f(a, b, c=3): return a, b, c
        r = [2]
        print(f(1, *r, c=4), f(*[1, 2]))
        """,
        "",
    ),
    "id-scope": (
        "(inline-default at: AT name: 'b')",
        """
        import m
        print(m.f(1))
        --- m.py
        D = 5
        def ¦f(a, b=D): return a + b
        """,
        "D means something else, or nothing, in main.py",
    ),
    "id-mut": (
        "(inline-default at: AT name: 'b')",
        """
        def ¦f(a, b=[]):
            b.append(a)
            return b
        f(1); print(f(2))
        """,
        "[] is computed each time, and would be once only",
    ),
    "id-class": (
        "(inline-default at: AT name: 'b')",
        """
        class A:
            D = 5
            def ¦f(self, b=D): return b
        print(A().f())
        """,
        "D means something else, or nothing, in main.py",
    ),
    "id-override": (
        "(inline-default at: AT name: 'b')",
        """
        class A:
            def ¦f(self, b=1): return b
        class B(A):
            def f(self, b=2): return b
        def go(x: A): return x.f()
        print(go(B()))
        """,
        "f is overridden or overrides another, which may have another default",
    ),
    "id-time": (
        "(inline-default at: AT name: 'b')",
        """
        N=1
        def ¦f(b=N): return b
        N=2
        print(f())
        """,
        "N is bound more than once, and would be computed once at the start",
    ),
    "id-local": (
        "(inline-default at: AT name: 'b')",
        """
        D=1
        def ¦f(b=D): return b
        def g():
            D = 3
            return f(), D
        print(g())
        """,
        "D means something else, or nothing, in main.py",
    ),
    "id-remove": (
        "(inline-default at: AT name: 'b' remove: true)",
        """
        def ¦f(b=1): return b
        print(f(), list(map(lambda g: g(), [f])))
        """,
        "f is used other than by a call in main.py",
    ),
    "id-remove2": (
        "(inline-default at: AT name: 'b' remove: true)",
        """
        class A:
            def ¦f(self, b=1): return b
        def go(x): return x.f()
        print(go(A()))
        """,
        "f is used other than by a call in main.py",
    ),
    "ip-override": (
        "(inline-parameter at: AT name: 'b')",
        """
        class A:
            def ¦f(self, b): return b
        class B(A):
            def f(self, b): return b * 2
        x = A()
        print(x.f(3))
        def go(x: A): return x.f(3)
        print(go(B()))
        """,
        "f is overridden or overrides another",
    ),
    "ip-mut": (
        "(inline-parameter at: AT name: 'b')",
        """
        def ¦f(b=[]):
            b.append(1)
            return b
        f(); print(f())
        """,
        "a call in main.py passes no constant for b",
    ),
    "ip-dunder": (
        "(inline-parameter at: AT name: 'b')",
        """
        class A:
            def ¦__eq__(self, b): return b
        a = A()
        print(a.__eq__(1), a == 2)
        """,
        "__eq__ is called by Python itself",
    ),
    "ip-deco": (
        "(inline-parameter at: AT name: 'b')",
        """
        R=[]
        def reg(f): R.append(f); return f
        @reg
        def ¦f(b): return b
        print(f(1), R[0](2))
        """,
        "f is decorated with reg, which may call it in its own way",
    ),
    "ip-getattr": (
        "(inline-parameter at: AT name: 'b')",
        """
        class V:
            def ¦do_x(self, b): print(b)
            def other(self): self.do_x(1)
            def run(self, n): getattr(self, 'do_' + n)(2)
        V().run('x')
        """,
        "do_x is called by what is put together at main.py:4",
    ),
    "ip-fstr": (
        "(inline-parameter at: AT name: 'b')",
        """
        def ¦f(b): return f'{b=}'
        print(f(1))
        """,
        "b is shown by its name in an f-string",
    ),
    "in-lazy": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        def f(x):
            if x is None: return 0
            return «x.real»
        print(f(None), f(1))
        """,
        "the selection would be computed before the function runs: the function may end before",
    ),
    "in-double": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        L=[]
        def g(): L.append(1); return 'a'
        def f(x):
            return «x.upper()» + x
        print(f(g()), L)
        """,
        "a call in main.py would compute g() twice",
    ),
    "in-order": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        class A: x=1
        def f(a):
            a.x = 5
            return «a.x»
        print(f(A()))
        """,
        "the selection would be computed before the function runs: what it reads may be changed in between",
    ),
    "in-loop": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        L=[]
        def g(): L.append(1); return 2
        def f(n):
            for i in range(n):
                print(«g()»)
        f(0);f(3);print(L)
        """,
        "the selection is not computed always, or not once, when the function is called",
    ),
    "in-override": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        class A:
            def f(self): return «2»
        class B(A):
            def f(self): return 3
        def go(x: A): return x.f()
        print(go(A()), go(B()))
        """,
        "f is overridden or overrides another",
    ),
    "in-try": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        def f(x):
            try:
                return «x[0]»
            except IndexError:
                return 0
        print(f([]))
        """,
        "the selection is not computed always, or not once, when the function is called",
    ),
    "in-private": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        class A:
            def __init__(self): self.__v = 1
            def f(self): return «self.__v»
        print(A().f())
        """,
        "the selection uses __v, which Python names after its class",
    ),
    "in-otherfile": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        import m
        print(m.f())
        --- m.py
        K = 3
        def f():
            return «K + 1»
        """,
        "main.py:2 K: bound nowhere any more",
    ),
    "in-nocall": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        import m
        print(getattr(m, 'f')())
        --- m.py
        def f():
            return «1»
        """,
        "f is used other than by a call in main.py",
    ),
    "in-deco": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        R=[]
        def reg(f): R.append(f); return f
        @reg
        def f(): return «1»
        print(R[0]())
        """,
        "f is decorated with reg, which may call it in its own way",
    ),
    "in-rebound": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        n = 1
        def g():
            global n
            n += 1
        def f():
            g()
            return «n»
        print(f())
        """,
        "the selection would be computed before the function runs: n may be bound anew in between",
    ),
    "in-ok": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        def f(x):
            y = «x + 1»
            return y * 2
        print(f(1))
        """,
        "",
    ),
    "in-self": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        class A:
            x = 1
            def f(self): return «self.x»
        print(A().f())
        """,
        "a call in main.py would compute A().f twice",
    ),
    "in-doc": (
        "(introduce-parameter range: RANGE name: 'made')",
        """
        def f(x):
            «'doc'»
            return x
        print(f(1), f.__doc__)
        """,
        "the selection is no value that is computed there",
    ),
    "ind-stdout": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        import sys, io
        def f():
            «sys.stdout».write('x')
        o, sys.stdout = sys.stdout, io.StringIO()
        f()
        v = sys.stdout.getvalue()
        sys.stdout = o
        print(repr(v))
        """,
        "sys.stdout may be another later, and would be computed once at the start",
    ),
    "ind-rebound": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        n = 1
        def f():
            return «n»
        n = 2
        print(f())
        """,
        "n is bound more than once, and would be computed once at the start",
    ),
    "ind-class": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        class A:
            def list(self): return 1
            def f(self): return «list».__name__
        print(A().f())
        """,
        "",
    ),
    "ind-raise": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        def f(a):
            if a: return «1 / 0»
        print(f(0))
        """,
        "1 / 0 fails, and would be computed once at the start",
    ),
    "ind-starargs": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        def f(*a):
            return a, «1»
        print(f(5, 6))
        """,
        "",
    ),
    "ind-doc": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        def f(x):
            «'doc'»
            return x
        print(f(1), f.__doc__)
        """,
        "the selection is no value that is computed there",
    ),
    "ind-protocol": (
        "(introduce-parameter range: RANGE name: 'made' as_default: true)",
        """
        from typing import Protocol
        class A:
            def __exit__(self, *a): return «True»
            def __enter__(self): return 1
        with A(): 1/0
        print(1)
        """,
        "",
    ),
    "uf-lazy": (
        "(use-function at: AT)",
        """
        def ¦both(a, b): return a and b
        def f(x): return x and x.real
        print(f(None), f(2))
        """,
        "",
    ),
    "uf-global": (
        "(use-function at: AT)",
        """
        import m
        print(m.g(5))
        --- m.py
        from n import *
        K = 10
        def g(x): return x + K
        --- n.py
        K = 1
        def ¦f(a): return a + K
        """,
        "",
    ),
    "uf-ok": (
        "(use-function at: AT)",
        """
        def ¦f(a): return a + 1
        def g(x): return x + 1
        print(g(1))
        """,
        "",
    ),
    "uf-before": (
        "(use-function at: AT)",
        """
        def g(x=2 + 1): return x
        def ¦f(a): return a + 1
        print(g())
        """,
        "main.py:1 f: read before it is bound",
    ),
    "uf-shadow": (
        "(use-function at: AT)",
        """
        K = 1
        def ¦f(a): return a + K
        def g(K): return 2 + K
        print(g(7))
        """,
        "",
    ),
    "uf-double": (
        "(use-function at: AT)",
        """
        L=[]
        def n(): L.append(1); return 2
        def ¦f(a): return a + a
        def g(): return n() + n()
        print(g(), L)
        """,
        "",
    ),
    "uf-target": (
        "(use-function at: AT)",
        """
        def ¦f(a): return a[0]
        def g(x):
            x[0] = 5
            return x
        print(g([1]))
        """,
        "",
    ),
    "uf-stmt": (
        "(use-function at: AT)",
        """
        def ¦f(a):
            b = a + 1
            return b
        def g(x):
            y = x + 1
            return y
        print(g(1))
        """,
        "",
    ),
    "uf-case": (
        "(use-function at: AT)",
        """
        def ¦f(): return 1
        def g(x):
            match x:
                case 1: return 2
        print(g(1))
        """,
        "",
    ),
    "ap-shadow": (
        "(add-parameter at: AT name: 'n' default: '0')",
        """
        n = 5
        def ¦f(a): return a + n
        print(f(1))
        """,
        "f already means something by n",
    ),
    "ap-shadow2": (
        "(add-parameter at: AT name: 'len' default: '0')",
        """
        def ¦f(a): return len(a)
        print(f([1]))
        """,
        "f already means something by len",
    ),
    "ap-local": (
        "(add-parameter at: AT name: 'n' default: '0')",
        """
        def ¦f(a):
            n = 3
            return a + n
        print(f(1))
        """,
        "",
    ),
    "nk-exc-says": (
        "(normalise-calls at: AT)",
        """
        class E(Exception):
            def ¦__init__(self, a, b):
                super().__init__(a)
        print(E(1, 2))
        """,
        "",
    ),
}
