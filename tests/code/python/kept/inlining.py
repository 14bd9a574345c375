"""What inlining must not change: an operation, a program, and why it is refused (empty: carried out)."""

PROGRAMS = {
    "state": (
        "(inline at: AT)",
        """
        class A: x=1
        def f(a):
            ¦old = a.x
            a.x = 5
            return old
        print(f(A()))
        """,
        "the value of old calls or reads something, and other things happen before its use: what it reads",
    ),
    "state2": (
        "(inline at: AT)",
        """
        def f(d):
            ¦old = d['a']
            d.update(a=5)
            return old
        print(f({'a':1}))
        """,
        "the value of old calls or reads something, and other things happen before its use: what it reads",
    ),
    "swap": (
        "(inline at: AT)",
        """
        def f(a, b):
            ¦t = a
            a = b
            b = t
            return a, b
        print(f(1,2))
        """,
        "the value of t calls or reads something, and other things happen before its use: a is bound in",
    ),
    "loop-rebind": (
        "(inline at: AT)",
        """
        def f(xs):
            n = 0
            ¦start = n
            r = []
            for x in xs:
                r.append(start)
                n += 1
            return r
        print(f([1,2]))
        """,
        "the value of start calls or reads something, and other things happen before its use: n is bound in",
    ),
    "call-cond": (
        "(inline at: AT)",
        """
        L=[]
        def g(): L.append(1); return 1
        def f(c):
            ¦r = g()
            if c:
                return r
        f(0); f(1); print(L)
        """,
        "the value of r would be computed only under a condition",
    ),
    "call-and": (
        "(inline at: AT)",
        """
        L=[]
        def g(): L.append(1); return 1
        def f(c):
            ¦r = g()
            return c and r
        f(0); f(1); print(L)
        """,
        "the value of r would be computed only under a condition",
    ),
    "sub-cond": (
        "(inline at: AT)",
        """
        def f(d, c):
            ¦r = d['a']
            if c:
                return r
        try:
            f({}, 0)
            print('no')
        except KeyError: print('k')
        """,
        "the value of r would be computed only under a condition",
    ),
    "into-try": (
        "(inline at: AT)",
        """
        def f(d):
            ¦r = d['a']
            try:
                return r
            except KeyError:
                return 0
        try:
            print(f({}))
        except KeyError: print('k')
        """,
        "the value of r may fail, and would do so within a try",
    ),
    "into-with": (
        "(inline at: AT)",
        """
        import contextlib
        @contextlib.contextmanager
        def c(d):
            d['a'] = 2
            yield
        def f(d):
            ¦r = d['a']
            with c(d):
                print(r)
        f({'a':1})
        """,
        "the value of r calls or reads something, and other things happen before its use: what it reads may",
    ),
    "inner-def": (
        "(inline at: AT)",
        """
        def f(a):
            ¦r = a.x
            def g(): return r
            a.x = 2
            return g()
        class A: x=1
        print(f(A()))
        """,
        "r is used by an inner function, later than its value is computed",
    ),
    "lambda": (
        "(inline at: AT)",
        """
        def f(a):
            ¦r = a[0]
            g = lambda: r
            a[0] = 2
            return g()
        print(f([1]))
        """,
        "r is used by an inner function, later than its value is computed",
    ),
    "order-in-stmt": (
        "(inline at: AT)",
        """
        def f(a):
            ¦r = a[0]
            return a.pop(0) + r
        print(f([1,2]))
        """,
        "the value of r calls or reads something, and other things happen before its use: what it reads may",
    ),
    "order-in-stmt2": (
        "(inline at: AT)",
        """
        def f(a):
            ¦r = len(a)
            return a.pop(0) + r
        print(f([1,2]))
        """,
        "the value of r calls or reads something, and other things happen before its use: what it reads may",
    ),
    "mutated": (
        "(inline at: AT)",
        """
        def f(a):
            ¦r = a + [1]
            a.append(5)
            return r
        print(f([1,2]))
        """,
        "the value of r calls or reads something, and other things happen before its use: a may be changed",
    ),
    "selfattr": (
        "(inline at: AT)",
        """
        class A:
            def __init__(self):
                ¦self.x = 0
            def f(self): return self.x
        a = A()
        print(a.f(), vars(a))
        """,
        "self is no variable but a parameter",
    ),
    "override": (
        "(inline at: AT)",
        """
        class A:
            ¦x = 1
            def f(self): return self.x
        class B(A):
            x = 2
        print(B().f())
        """,
        "x is another one in a class below or above",
    ),
    "modname": (
        "(inline at: AT)",
        """
        n = 1
        ¦m = n
        def f(): return m
        n = 2
        print(f())
        """,
        "n is bound more than once, and would be computed once at the start",
    ),
    "modglobal": (
        "(inline at: AT)",
        """
        n = 1
        ¦m = n
        def g():
            global n
            n = 5
        def f(): return m
        g()
        print(f())
        """,
        "n is bound more than once, and would be computed once at the start",
    ),
    "monkey": (
        "(inline at: AT)",
        """
        import m
        def t():
            setattr(m, 'X', 2)
            return m.f()
        print(t())
        --- m.py
        ¦X = 1
        def f(): return X
        """,
        "1 uses of X are not certain, as in main.py",
    ),
    "fstr-eq": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a
            return f'{x=}'
        print(f(1))
        """,
        "x is shown by its name in an f-string",
    ),
    "locals": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a
            print(x)
            return sorted(locals())
        print(f(1))
        """,
        "f calls locals(), which sees x",
    ),
    "format-locals": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a
            print(x)
            return '%(x)s' % locals()
        print(f(1))
        """,
        "f calls locals(), which sees x",
    ),
    "selfref": (
        "(inline at: AT)",
        """
        ¦fact = lambda n: 1 if n < 2 else n * fact(n - 1)
        print(fact(4))
        """,
        "the value of fact calls or makes something, and is used 2 times",
    ),
    "before-in-loop": (
        "(inline at: AT)",
        """
        def f(xs):
            r = []
            for i in xs:
                if i: r.append(v)
                ¦v = i * 2
            return r
        print(f([0,1,2]))
        """,
        "v is read before it is assigned, too",
    ),
    "tuple-arg": (
        "(inline at: AT)",
        """
        def f():
            ¦x = 1, 2
            print(x)
        f()
        """,
        "",
    ),
    "lambda-arg": (
        "(inline at: AT)",
        """
        def f():
            ¦x = lambda: 3
            return x()
        print(f())
        """,
        "",
    ),
    "genexp": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = (i for i in a)
            return list(x)
        print(f([1]))
        """,
        "",
    ),
    "listlit": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = []
            for i in a: x.append(i)
            return x
        print(f([1]))
        """,
        "the value of x calls or makes something, and is used 2 times",
    ),
    "listlit2": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = []
            g(x)
            return 1
        def g(x): x.append(1); print(x)
        f(1)
        """,
        "",
    ),
    "iterator": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = iter(a)
            for i in a:
                print(next(x))
        f([1,2])
        """,
        "the value of x calls or makes something, and would be computed again and again",
    ),
    "default": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a
            def g(y=x): return y
            a = 3
            return g()
        print(f(1))
        """,
        "",
    ),
    "comp-class": (
        "(inline at: AT)",
        """
        class A:
            ¦n = 3
            m = [n for _ in range(2)] if 0 else n
        print(A.m)
        """,
        "",
    ),
    "del": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a
            print(x)
            del x
        f(1)
        """,
        "x is bound more than once",
    ),
    "annotation": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x: int = a
            return x
        print(f(1))
        """,
        "",
    ),
    "dict-iter": (
        "(inline at: AT)",
        """
        def f(d):
            ¦k = d.keys()
            for x in list(k): d.pop(x)
            return d
        print(f({1:2}))
        """,
        "the value of k calls or makes something, and would be computed again and again",
    ),
    "listkeys": (
        "(inline at: AT)",
        """
        def f(d):
            ¦k = list(d)
            for x in k: d.pop(x)
            return d
        print(f({1:2}))
        """,
        "the value of k calls or makes something, and would be computed again and again",
    ),
    "timeish": (
        "(inline at: AT)",
        """
        import time
        def f(g):
            ¦t = time.monotonic()
            g()
            return time.monotonic() - t > 0.005
        print(f(lambda: time.sleep(.01)))
        """,
        "the value of t calls or reads something, and other things happen before its use: other things are",
    ),
    "aug-after": (
        "(inline at: AT)",
        """
        def f(n):
            ¦m = n
            n += 1
            return m
        print(f(1))
        """,
        "the value of m calls or reads something, and other things happen before its use: n is bound in",
    ),
    "walrus-rebind": (
        "(inline at: AT)",
        """
        def f(n):
            ¦m = n
            if (n := 5): pass
            return m
        print(f(1))
        """,
        "the value of m calls or reads something, and other things happen before its use: n is bound in",
    ),
    "for-rebind": (
        "(inline at: AT)",
        """
        def f(n):
            ¦m = n
            for n in [7]: pass
            return m
        print(f(1))
        """,
        "the value of m calls or reads something, and other things happen before its use: n is bound in",
    ),
    "except": (
        "(inline at: AT)",
        """
        def f(d):
            try:
                ¦v = d['a']
                print('got')
                return v
            except KeyError:
                return 0
        print(f({}))
        """,
        "the value of v calls or reads something, and other things happen before its use: what it reads may",
    ),
    "prints": (
        "(inline at: AT)",
        """
        def f(d):
            ¦v = d['a']
            print('got')
            return v
        try: f({})
        except KeyError: print('k')
        """,
        "the value of v calls or reads something, and other things happen before its use: what it reads may",
    ),
    "attr-raise": (
        "(inline at: AT)",
        """
        def f(d):
            ¦v = d.a
            print('got')
            return v
        try: f({})
        except AttributeError: print('k')
        """,
        "the value of v calls or reads something, and other things happen before its use: what it reads may",
    ),
    "keys-yield": (
        "(inline at: AT)",
        """
        def f(d):
            ¦v = d['a']
            yield 1
            yield v
        d = {'a':1}
        g = f(d); next(g); d['a']=2
        print(next(g))
        """,
        "the value of v calls or reads something, and other things happen before its use: what it reads may",
    ),
    "nonlocal-change": (
        "(inline at: AT)",
        """
        def f():
            n = 1
            def inc():
                nonlocal n
                n += 1
            ¦m = n
            inc()
            return m
        print(f())
        """,
        "the value of m calls or reads something, and other things happen before its use: n may be bound",
    ),
    "ok1": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a * 2
            return x + 1
        print(f(1))
        """,
        "",
    ),
    "ok2": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a.upper()
            return x + 'b'
        print(f('a'))
        """,
        "",
    ),
    "ok3": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a.real
            y = 3
            return x + y
        print(f(1))
        """,
        "",
    ),
    "ok4": (
        "(inline at: AT)",
        """
        ¦N = 3
        def f(a):
            return N + a
        print(f(1))
        """,
        "",
    ),
    "ok5": (
        "(inline at: AT)",
        """
        def f(a):
            ¦x = a.real
            if x:
                return x + 2
        print(f(1))
        """,
        "",
    ),
    "fn-order": (
        "(inline at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return b - a
        def h(): return f(g(1), g(2))
        print(h(), L)
        """,
        "f has statements, and is called where only an expression can stand",
    ),
    "fn-lazy": (
        "(inline at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a, b): return a or b
        def h(): return f(1, g(2))
        print(h(), L)
        """,
        "f has statements, and is called where only an expression can stand",
    ),
    "fn-lambda": (
        "(inline at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a): return lambda: a
        def h(): return f(g(2))
        x = h()
        x(); x(); print(L)
        """,
        "a function within f uses a",
    ),
    "fn-comp": (
        "(inline at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a): return [a for _ in range(3)]
        def h(): return f(g(2))
        print(h(), L)
        """,
        "f has statements, and is called where only an expression can stand",
    ),
    "fn-state": (
        "(inline at: AT)",
        """
        class A: x=1
        def ¦f(a, v):
            a.x = 5
            return v
        def h(a):
            r = f(a, a.x)
            return r
        print(h(A()))
        """,
        "",
    ),
    "fn-receiver": (
        "(inline at: AT)",
        """
        L=[]
        class A:
            x = 1
            def ¦m(self): return self.x + self.x
        def g(): L.append(1); return A()
        def h():
            a: A = g()
            return a.m()
        print(h(), L)
        """,
        "",
    ),
    "fn-receiver2": (
        "(inline at: AT)",
        """
        L=[]
        class A:
            x = 1
            def ¦m(self): return self.x + self.x
        def g() -> A:
            L.append(1); return A()
        def h():
            return g().m()
        print(h(), L)
        """,
        "",
    ),
    "fn-super": (
        "(inline at: AT)",
        """
        class B:
            x = 1
            def ¦m(self): return self.x
        class A(B):
            x = 2
            def n(self): return super().m()
        print(A().n())
        """,
        "m is called through super() in main.py",
    ),
    "fn-classmethod": (
        "(inline at: AT)",
        """
        class A:
            x = 1
            @classmethod
            def ¦m(cls): return cls.x
            def n(self): return self.m()
        class B(A):
            x = 2
        print(B().n())
        """,
        "m is called on an object in main.py, and uses its class",
    ),
    "fn-classmethod2": (
        "(inline at: AT)",
        """
        class A:
            x = 1
            @classmethod
            def ¦m(cls): return cls()
        class H:
            def __init__(self): self.a = A()
            def n(self): return type(self.a.m()).__name__
        print(H().n())
        """,
        "m is called on an object in main.py, and uses its class",
    ),
    "fn-default-mut": (
        "(inline at: AT)",
        """
        def ¦f(a, acc=[]):
            acc.append(a)
            return acc
        def h():
            r = f(1)
            return r
        h();print(h())
        """,
        "[] is computed each time, and would be once only",
    ),
    "fn-global-leak": (
        "(inline at: AT)",
        """
        data = 1
        def ¦f(a):
            data = a
            return data
        def h():
            r = f(5)
            return r + len(str(globals()['data']))
        def k():
            r = f(5)
            return data
        print(h(), k())
        """,
        "main.py:9 data: would mean the new data of k",
    ),
    "fn-outer-leak": (
        "(inline at: AT)",
        """
        def ¦f(a):
            t = a + 1
            return t
        def o():
            t = 100
            def g():
                r = f(5)
                return r + t
            return g()
        print(o())
        """,
        "main.py:6 t: would mean the new t of o.g",
    ),
    "fn-class-leak": (
        "(inline at: AT)",
        """
        def ¦f(a):
            t = a + 1
            return t
        class K:
            r = f(5)
        print([k for k in vars(K) if k[0] != '_'])
        """,
        "f has statements, and is called in the body of a class",
    ),
    "fn-closure-loop": (
        "(inline at: AT)",
        """
        def ¦f(a):
            t = a
            return lambda: t
        def o():
            r = []
            for i in range(3):
                g = f(i)
                r.append(g)
            return [g() for g in r]
        print(o())
        """,
        "a function within f uses t",
    ),
    "fn-closure-arg": (
        "(inline at: AT)",
        """
        def ¦f(a):
            return lambda: a
        def o():
            return [f(i) for i in range(3)]
        print([g() for g in o()])
        """,
        "a function within f uses a",
    ),
    "fn-gen": (
        "(inline at: AT)",
        """
        def ¦f(a):
            return (x + a for x in [1,2])
        def o():
            i = 1
            g = f(i)
            i = 5
            return list(g)
        print(o())
        """,
        "a function within f uses a",
    ),
    "fn-external-base": (
        "(inline at: AT)",
        """
        import ast
        class V(ast.NodeVisitor):
            def ¦visit_Name(self, node): print(node.id)
            def other(self, n): self.visit_Name(n)
        V().visit(ast.parse('a'))
        """,
        "visit_Name is called by ast.NodeVisitor, which it inherits from",
    ),
    "fn-external-base2": (
        "(inline at: AT)",
        """
        from html.parser import HTMLParser
        class V(HTMLParser):
            def ¦handle_data(self, data): print(data)
            def other(self, n): self.handle_data(n)
        V().feed('abc')
        """,
        "handle_data is called by html.parser.HTMLParser, which it inherits from",
    ),
    "fn-thread": (
        "(inline at: AT)",
        """
        import threading
        class V(threading.Thread):
            def ¦run(self): print(1)
            def other(self): self.run()
        v = V(); v.start(); v.join()
        """,
        "run is called by threading.Thread, which it inherits from",
    ),
    "fn-getattr": (
        "(inline at: AT)",
        """
        class V:
            def ¦do_x(self): print(1)
            def other(self): self.do_x()
            def run(self, n): getattr(self, 'do_' + n)()
        V().run('x')
        """,
        "do_x is called by what is put together at main.py:4",
    ),
    "fn-getattr2": (
        "(inline at: AT)",
        """
        import m
        getattr(m, 'f')()
        --- m.py
        def ¦f(): print(1)
        def g(): f()
        """,
        "f may be used in main.py",
    ),
    "fn-callback": (
        "(inline at: AT)",
        """
        def ¦f(a): return a + 1
        def h(): return f(1)
        print(list(map(f, [1])), h())
        """,
        "f is used other than by a call in main.py",
    ),
    "fn-frames": (
        "(inline at: AT)",
        """
        import sys
        def ¦f(): return sys._getframe(1).f_code.co_name
        def h(): return f()
        print(h())
        """,
        "f has _getframe() in it, which is about the function it stands in",
    ),
    "fn-locals": (
        "(inline at: AT)",
        """
        def ¦f(a): return sorted(locals())
        def h(q): return f(1)
        print(h(1))
        """,
        "f has locals() in it, which is about the function it stands in",
    ),
    "fn-stmt-order": (
        "(inline at: AT)",
        """
        L=[]
        def g(n): L.append(n); return n
        def ¦f(a):
            L.append('f')
            return a
        def h():
            x = g(1) + f(2)
            return x
        h(); print(L)
        """,
        "f stands in a text at main.py:4",
    ),
    "fn-try": (
        "(inline at: AT)",
        """
        def ¦f(a):
            x = int(a)
            return x
        def h(a):
            try:
                return f(a)
            except ValueError:
                return 0
        print(h('x'))
        """,
        "",
    ),
    "fn-rebind-arg": (
        "(inline at: AT)",
        """
        def ¦f(a):
            a = a + 1
            return a
        def h(b):
            r = f(b)
            return r, b
        print(h(1))
        """,
        "",
    ),
    "fn-arg-mutated": (
        "(inline at: AT)",
        """
        def ¦f(a, b):
            a.append(b)
            return b
        def h(x):
            r = f(x, len(x))
            return r
        print(h([]))
        """,
        "",
    ),
    "fn-ok": (
        "(inline at: AT)",
        """
        def ¦f(a):
            return a * 2
        def h(b):
            return f(b + 1)
        print(h(1))
        """,
        "",
    ),
    "fn-fstring": (
        "(inline at: AT)",
        """
        def ¦f(d): return d['a']
        def h(d): return f'{f(d)}'
        print(h({'a': 1}))
        """,
        "would not parse",
    ),
    "fn-decor-call": (
        "(inline at: AT)",
        """
        def ¦f(n): return lambda g: g
        @f(1)
        def h(): return 2
        print(h())
        """,
        "",
    ),
    "fn-property-dup": (
        "(inline at: AT)",
        """
        class A:
            def ¦m(self, o): return self.x == o.x and self.y == o.y
            def __init__(self): self.x = self.y = 1
            def __eq__(self, o): return isinstance(o, A) and self.m(o)
        print(A() == A())
        """,
        "",
    ),
    "i-iter": (
        "(inline at: AT)",
        """
        def f(it):
            ¦a = list(it)
            b = list(it)
            return a, b
        print(f(iter([1,2,3])))
        """,
        "the value of a calls or reads something, and other things happen before its use: it may be used up",
    ),
    "i-iter2": (
        "(inline at: AT)",
        """
        def f(it):
            ¦a = sum(it)
            b = max(it, default=0)
            return b, a
        print(f(iter([1,2,3])))
        """,
        "the value of a calls or reads something, and other things happen before its use: it may be used up",
    ),
    "i-file": (
        "(inline at: AT)",
        """
        def f(p):
            ¦h = open(p)
            return h.read()
        print(repr(f('/dev/null')))
        """,
        "",
    ),
    "i-twice-attr": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = a.real
            return b + b
        print(f(2))
        """,
        "",
    ),
    "i-cmp-chain": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = a < 3
            return b == True
        print(f(1))
        """,
        "",
    ),
    "i-neg": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = -a
            return b ** 2
        print(f(3))
        """,
        "",
    ),
    "i-str": (
        "(inline at: AT)",
        """
        def f():
            ¦b = 'a' 'b'
            return b.upper()
        print(f())
        """,
        "",
    ),
    "i-int-attr": (
        "(inline at: AT)",
        """
        def f():
            ¦b = 5
            return b.real
        print(f())
        """,
        "",
    ),
    "i-await": (
        "(inline at: AT)",
        """
        import asyncio
        async def f():
            ¦b = asyncio.sleep(0)
            await b
            return 1
        print(asyncio.run(f()))
        """,
        "",
    ),
    "i-comp": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = a[0]
            return [b for _ in range(3)]
        print(f([1]))
        """,
        "the value of b would be computed only under a condition",
    ),
    "i-comp-mut": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = a[0]
            return [(b, a.pop(0)) for _ in range(2)]
        print(f([1,2]))
        """,
        "the value of b would be computed only under a condition",
    ),
    "i-genexp-late": (
        "(inline at: AT)",
        """
        def f(a):
            ¦b = a[0]
            g = (b for _ in range(2))
            a[0] = 9
            return list(g)
        print(f([1,2]))
        """,
        "the value of b would be computed only under a condition",
    ),
    "i-class-const": (
        "(inline at: AT)",
        """
        class A:
            ¦N = 3
            def f(self): return self.N
        print(A().f(), A.N)
        """,
        "N is assigned under a condition",
    ),
    "i-class-getattr": (
        "(inline at: AT)",
        """
        class A:
            ¦N = 3
            def f(self): return self.N
            def g(self): return getattr(self, 'N')
        print(A().f(), A().g())
        """,
        "1 uses of N are not certain, as in main.py",
    ),
    "i-class-meta": (
        "(inline at: AT)",
        """
        class M(type):
            def __new__(m, n, b, d):
                print(d.get('N')); return super().__new__(m, n, b, d)
        class A(metaclass=M):
            ¦N = 3
            def f(self): return self.N
        print(A().f())
        """,
        "the metaclass of A sees what stands in A",
    ),
    "i-enum": (
        "(inline at: AT)",
        """
        import enum
        class A(enum.Enum):
            ¦N = 3
        def f(): return A.N
        print(f(), list(A))
        """,
        "A is a enum.Enum: an attribute more means something",
    ),
    "i-dataclass": (
        "(inline at: AT)",
        """
        import dataclasses
        @dataclasses.dataclass
        class A:
            ¦n: int = 3
            def f(self): return self.n
        print(A(5).f())
        """,
        "A may use n by its name",
    ),
    "i-instance-set": (
        "(inline at: AT)",
        """
        class A:
            ¦n = 3
            def f(self): return self.n
        a = A()
        a.n = 4
        print(a.f())
        """,
        "n is assigned more than once",
    ),
    "i-setattr": (
        "(inline at: AT)",
        """
        class A:
            ¦n = 3
            def f(self): return self.n
        a = A()
        setattr(a, 'n', 4)
        print(a.f())
        """,
        "1 uses of n are not certain, as in main.py",
    ),
    "i-dictupdate": (
        "(inline at: AT)",
        """
        class A:
            ¦n = 3
            def __init__(self, **k): self.__dict__.update(k)
            def f(self): return self.n
        print(A(n=4).f())
        """,
        "A may use n by its name",
    ),
    "i-ext-base": (
        "(inline at: AT)",
        """
        import threading
        class A(threading.Thread):
            ¦daemon = True
            def f(self): return self.daemon
        print(A().f())
        """,
        "A may use daemon by its name",
    ),
    "i-mod-all": (
        "(inline at: AT)",
        """
        import m
        print(m.f(), [getattr(m, n) for n in ('X',)])
        --- m.py
        ¦X = 1
        def f(): return X
        """,
        "X stands in a text in main.py",
    ),
    "i-fn-async": (
        "(inline at: AT)",
        """
        import asyncio
        async def g(a): return a
        def ¦f(a): return g(a)
        async def h(): return await f(1)
        print(asyncio.run(h()))
        """,
        "",
    ),
    "i-fn-yieldarg": (
        "(inline at: AT)",
        """
        def ¦f(a, b): return (b, a)
        def h():
            x = f((yield 1), (yield 2))
            yield x
        g = h(); next(g); g.send('a'); print(g.send('b'))
        """,
        "",
    ),
}
