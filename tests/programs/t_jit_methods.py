# Special methods, properties, descriptors, super() and with in hot loops: values, errors, tracebacks, frames, changes on the way.
import sys
import traceback


def places(e):
    return [(f.name, f.lineno) for f in traceback.extract_tb(e.__traceback__)]


def run(name, f, *a):
    try:
        print(name, f(*a))
    except BaseException as e:
        print(name, type(e).__name__, e, places(e))
        c = e.__context__
        if c is not None:
            print("   context", type(c).__name__, c)


class Num:
    def __init__(self, v):
        self.v = v

    def __add__(self, o):
        if isinstance(o, Num):
            return Num(self.v + o.v)
        if isinstance(o, int):
            return Num(self.v + o)
        return NotImplemented

    def __radd__(self, o):
        if isinstance(o, (int, float)):
            return Num(o + self.v)
        return NotImplemented

    def __mul__(self, o):
        return self.v * o

    __rmul__ = __mul__

    def __isub__(self, o):
        if o == 3:
            return NotImplemented
        self.v -= o
        return self

    def __sub__(self, o):
        return Num(self.v - o - 1000)

    def __neg__(self):
        return Num(-self.v)

    def __invert__(self):
        return ~self.v

    def __pos__(self):
        return self

    def __eq__(self, o):
        if not isinstance(o, Num):
            return NotImplemented
        return self.v == o.v

    def __lt__(self, o):
        if not isinstance(o, Num):
            return NotImplemented
        return self.v < o.v

    def __gt__(self, o):
        return "gt" if self.v > 3 else ""

    def __bool__(self):
        return self.v != 7

    def __abs__(self):
        return abs(self.v)

    def __truediv__(self, o):
        if self.v == 290:
            raise ValueError("too far")
        return self.v

    def __hash__(self):
        return hash(self.v)


class Other:
    def __radd__(self, o):
        return "radd"

    def __eq__(self, o):
        return "other eq"

    def __gt__(self, o):
        return "other gt"


class Sub(Num):
    def __radd__(self, o):
        return Num(-1)


def binary():
    a = Num(0)
    seen = []
    for i in range(300):
        a = a + i
        a = a + Num(1)
        a = 2 + a
        a = 0.5 + a
        if i % 97 == 0:
            seen.append((a + Other(), 3 * a, a * 2))
            seen.append((a + Sub(1)).v)
    return a.v, seen


def unsupported(n):
    a = Num(0)
    for i in range(n + 5):
        a = a + (i if i < n else "x")


def unsupported_right(n):
    a = Num(1)
    for i in range(n + 5):
        b = (i if i < n else "x") + a


def inplace():
    a = Num(0)
    for i in range(300):
        a -= i % 4
    return a.v


def unary():
    t = 0
    a = Num(5)
    for i in range(300):
        a = -a
        t += ~a + (+a).v + abs(a)
    return t


def compare():
    t = []
    a, b = Num(1), Num(2)
    n = m = k = 0
    for i in range(300):
        if a == b:
            n += 1
        if a != b:
            m += 1
        if a < b:
            k += 1
        if a > b:
            n += 10
        if i == 150:
            a = Num(2)
        if i == 200:
            a = Num(4)
    o = Other()
    for i in range(300):
        r = (a == o, a != 5, a == 5)
        if i % 99 == 0:
            t.append(r)
    return n, m, k, t


def not_ordered(n):
    a = Num(1)
    for i in range(n + 5):
        if a < (a if i < n else 5):
            pass


def raising(n):
    t = 0
    for i in range(n):
        a = Num(i)
        t += a / 2
    return t


class Box:
    def __init__(self, *items):
        self.items = list(items)
        self.log = 0

    def __getitem__(self, i):
        return self.items[i]

    def __setitem__(self, i, v):
        self.items[i] = v
        return "ignored"

    def __delitem__(self, i):
        self.log += i

    def __len__(self):
        return len(self.items)

    def __contains__(self, x):
        return x in self.items and self.items

    def __call__(self, a, *rest, k=1):
        return a + len(rest) + k

    def __iter__(self):
        return Walk(self)


class Walk:
    def __init__(self, b):
        self.b = b
        self.i = 0

    def __iter__(self):
        return self

    def __next__(self):
        i = self.i
        if i >= len(self.b):
            raise StopIteration
        self.i = i + 1
        return self.b[i]


def container():
    b = Box(*range(10))
    t = n = 0
    for i in range(400):
        t += b[i % 10]
        b[(i + 3) % 10] = i
        del b[i]
        t += len(b)
        if i in b:
            n += 1
        if i + 1000 not in b:
            n += 1
        if b:
            n += 1
        if not b:
            n += 1
        t += b(i) + b(i, 1, 2) + b(i, k=5)
        x = b and i
        t += x
    return t, n, b.items, b.log


def iteration():
    t = 0
    for i in range(60):
        for x in Box(1, 2, 3, i):
            t += x
        it = iter(Box(5, 6))
        t += next(it) + next(it)
        for x in Box():
            t += 1000
    return t


def index_error(n):
    b = Box(*range(n))
    t = 0
    i = 0
    while True:
        t += b[i]
        i += 1


class Odd:
    def __init__(self, v):
        self.v = v

    def __bool__(self):
        return self.v

    def __len__(self):
        return self.v

    def __iter__(self):
        return self.v

    def __contains__(self, x):
        return self.v


class Sized:
    def __init__(self, v):
        self.v = v

    def __len__(self):
        return self.v


def odd_bool(n):
    t = 0
    for i in range(n + 5):
        if Odd(True if i < n else 1):
            t += 1


def odd_not(n):
    t = 0
    for i in range(n + 5):
        t += not Odd(i % 2 == 0 if i < n else None)


def odd_or(n):
    t = 0
    for i in range(n + 5):
        t += 1 if (Odd(i % 2 == 0) or i) == i else 0
        t += 1 if (Sized(i % 2 if i < n else -1) and 5) == 5 else 0


def odd_len(n):
    t = 0
    for i in range(n + 5):
        t += len(Sized(i if i < n else -1))


def odd_len_type(n):
    t = 0
    for i in range(n + 5):
        t += len(Sized(i if i < n else "five"))


def big_len(n):
    t = 0
    for i in range(n + 5):
        t += len(Sized(i if i < n else 1 << 70))


def odd_iter(n):
    for i in range(n + 5):
        for x in Odd(iter(()) if i < n else 5):
            pass


def odd_contains(n):
    t = 0
    for i in range(n):
        t += 1 in Odd([0] * (i % 2))
        t += 1 in Odd(Sized(i % 3))
        t += 1 in Odd(i % 4)
    return t


class Temp:
    kinds = {}

    def __init__(self):
        self._c = 0
        self.log = []

    @property
    def c(self):
        if self._c == 200:
            raise AttributeError("gone")
        return self._c

    @c.setter
    def c(self, v):
        if v == 250:
            raise ValueError("hot")
        self._c = v

    @property
    def f(self):
        return lambda x: x + self.c

    @property
    def where(self):
        g = sys._getframe()
        return g.f_code.co_name, g.f_lineno, g.f_back.f_code.co_name, g.f_back.f_lineno


def prop(n):
    t = Temp()
    s = 0
    for i in range(n):
        t.c = i
        s += t.c + t.f(1)
    return s


def prop_set(n):
    t = Temp()
    for i in range(n):
        t.c = i


def prop_error(n):
    t = Temp()
    try:
        for i in range(n):
            t.c = i
            t.c
    except AttributeError as e:
        return e.name, e.obj is t, i


def frames():
    t = Temp()
    seen = set()
    for i in range(200):
        seen.add(t.where)
    return sorted(seen)


class Desc:
    def __init__(self, n):
        self.n = n

    def __get__(self, o, t):
        return self.n if o is None else (self.n, o.q, t.__name__)

    def __set__(self, o, v):
        o.q = v + self.n


class Lazy:
    def __get__(self, o, t):
        o.__dict__["lazy"] = 5
        return 1


class HasDesc:
    d = Desc(3)
    lazy = Lazy()
    other = 7

    def __getattr__(self, name):
        if name == "z200":
            raise AttributeError(name)
        return name + "!"

    def __init__(self):
        self.q = 0


class HasDesc2:
    d = Desc(3)
    lazy = Lazy()
    other = 7

    def __init__(self):
        self.q = 0


def descriptors():
    o, p = HasDesc(), HasDesc2()
    t = 0
    for i in range(300):
        o.d = i
        p.d = i
        t += o.d[1] + p.d[1] + len(o.d[2]) + o.lazy + p.lazy + p.other + HasDesc.d
        if i == 100:
            p.other = 8
        if i == 200:
            HasDesc2.other = 9
        t += len(o.missing)
    return t


class Strict:
    def __init__(self):
        self.n = 0

    def __setattr__(self, name, v):
        if v == 280:
            raise TypeError("no " + name)
        super().__setattr__(name, v)


def strict(n):
    s = Strict()
    for i in range(n):
        s.n = i
    return s.n


class A:
    def __init__(self, x):
        self.x = x

    def m(self, k):
        return self.x + k

    @classmethod
    def c(cls, k):
        return cls.__name__, k


class B(A):
    def __init__(self, x, y):
        super().__init__(x)
        self.y = y

    def m(self, k):
        return super().m(k) * 2


class C(B):
    def __init__(self, *a):
        super().__init__(*a)

    def m(self, k):
        r = super().m(k)
        if k == 270:
            raise KeyError(super().c(k))
        return r + self.y

    @classmethod
    def c(cls, k):
        return super().c(k)


class Mix:
    def m(self, k):
        return 100 + super().m(k)


class D(Mix, B):
    pass


def supers(n):
    t = 0
    for i in range(n):
        o = C(i, 1)
        t += o.m(i)
        t += D(i, 2).m(1)
        t += len(C.c(i)[0])
        if i == 120:
            Mix.m = lambda self, k: 5
    return t


class Guard:
    def __init__(self, log):
        self.log = log
        self.depth = 0

    def __enter__(self):
        self.depth += 1
        return self

    def __exit__(self, t, v, tb):
        self.depth -= 1
        if t is not None:
            self.log.append((t.__name__, tb.tb_lineno))
            return t is KeyError


def withs(n):
    log = []
    g = Guard(log)
    t = 0
    for i in range(n):
        with g as h:
            t += h.depth
            if i % 70 == 69:
                raise KeyError(i)
        with Guard(log) as h, g:
            t += h.depth
    return t, log, g.depth


def with_raise(n):
    g = Guard([])
    for i in range(n):
        with g:
            1 // (n - 5 - i)


class Flip:
    def __init__(self):
        self.n = 0

    def __getitem__(self, i):
        return 1

    def __len__(self):
        return 1


def flip():
    f = Flip()
    t = 0
    for i in range(400):
        t += f[i] + len(f)
        if i == 150:
            Flip.__getitem__ = lambda self, i: 2
        if i == 250:
            Flip.__len__ = lambda self: 3
        if i == 300:
            f.__class__ = Box2
    return t


class Box2(Flip):
    def __getitem__(self, i):
        return super().__getitem__(i) * 10


class Dies:
    count = 0

    def __init__(self, v):
        self.v = v

    def __del__(self):
        Dies.count += 1

    def __add__(self, o):
        return Dies(self.v + o.v)

    def __getitem__(self, i):
        self = None
        return i

    @property
    def p(self):
        return self.v


def lifetimes():
    a = Dies(0)
    t = 0
    for i in range(200):
        a = a + Dies(i) + Dies(1)
        t += Dies(1)[i] + Dies(2).p
        t += Dies.count
    return a.v, t


def grow():
    def deep(n):
        return Deep(n - 1)[0] if n else sys._getframe().f_lineno

    class Deep:
        def __init__(self, n):
            self.n = n

        def __getitem__(self, i):
            return deep(self.n)

    s = set()
    for i in range(60):
        s.add(Deep(12)[0])
    return s


def endless():
    class Loop:
        @property
        def p(self):
            return self.p

    o = Loop()
    n = 0
    for i in range(5):
        try:
            o.p
        except RecursionError:
            n += 1
    return n


def watch():
    b = Box(1, 2, 3)
    names = []

    def tracer(f, what, arg):
        if f.f_code.co_filename == __file__:
            names.append((what, f.f_code.co_name))
        return tracer

    t = 0
    for i in range(300):
        t += b[i % 3]
        if i == 297:
            sys.settrace(tracer)
    sys.settrace(None)
    return t, [n for n in names if n[1] == "__getitem__"]


run("binary", binary)
run("unsupported", unsupported, 200)
run("unsupported_right", unsupported_right, 200)
run("inplace", inplace)
run("unary", unary)
run("compare", compare)
run("not_ordered", not_ordered, 200)
run("raising", raising, 250)
run("raising", raising, 300)
run("container", container)
run("iteration", iteration)
run("index_error", index_error, 300)
for f in odd_bool, odd_not, odd_or, odd_len, odd_len_type, big_len, odd_iter, odd_contains:
    run(f.__name__, f, 200)
run("prop", prop, 150)
run("prop", prop, 300)
run("prop_set", prop_set, 300)
run("prop_error", prop_error, 300)
run("frames", frames)
run("descriptors", descriptors)
run("strict", strict, 200)
run("strict", strict, 300)
run("supers", supers, 200)
run("supers", supers, 300)
run("withs", withs, 300)
run("with_raise", with_raise, 300)
run("flip", flip)
run("lifetimes", lifetimes)
run("grow", grow)
run("endless", endless)
run("watch", watch)
