# Short-lived instances in hot loops: what they hold, who sees them, when they die.
import gc
import sys
import traceback
import weakref


def run(name, f, *a):
    try:
        print(name, f(*a))
    except BaseException as e:
        print(name, type(e).__name__, e, [(x.name, x.lineno) for x in traceback.extract_tb(e.__traceback__)])


class P:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, o):
        return P(self.x + o.x, self.y + o.y)

    def scaled(self, k):
        return P(self.x * k, self.y * k)


class S:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, o):
        return S(self.x + o.x, self.y + o.y)

    def swap(self):
        self.x, self.y = self.y, self.x
        return self


class S3(S):
    __slots__ = ("z",)

    def __init__(self, x, y, z=None):
        super().__init__(x, y)
        if z is not None:
            self.z = z


def sums():
    a, b, c = P(0, 0.5), P(1, 2), S(0, 0)
    for i in range(500):
        a = a + b.scaled(2) + P(i, 1.5).scaled(-1)
        c = (c + S(i, 2.5)).swap() + S3(1, 2, 3)
    return a.x, a.y, c.x, c.y


def escaping():
    kept = []
    last = None
    for i in range(400):
        p = P(i, P(i + 1, None))
        q = p.y
        if i % 50 == 7:
            kept.append(p)
        if i % 70 == 3:
            kept.append(q)
        same = p.y is q and q is not p and p is not last
        assert same
        last = q
    return [(k.x, k.y if not isinstance(k.y, P) else k.y.x) for k in kept], last.x


class Node:
    def __init__(self, v, up=None):
        self.v = v
        self.me = self
        self.up = up
        self.kids = [self]


class Loop:
    __slots__ = ("v", "me", "other")

    def __init__(self, v):
        self.v = v
        self.me = self
        self.other = Pair(self)


class Pair:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


def cyclic():
    t = 0
    for i in range(300):
        n = Node(i)
        m = Node(i, n)
        n.up = m
        t += m.up.up.me.v + len(m.kids) + (n.me is n)
        l = Loop(i)
        t += l.me.other.a.me.v
        l.other.a = l.other
        t += l.other.a is l.other
    gc.collect()
    return t


class Part:
    def __init__(self, n):
        self.a = n
        self.b = 100 // (n - 250)
        self.c = n


class Partial:
    __slots__ = ("a", "b", "c")

    def __init__(self, n):
        self.a = n
        if n % 10 != 3:
            self.b = n
        self.c = n


def failing(n):
    t = 0
    for i in range(n):
        t += Part(i).c
    return t


def partial():
    t = n = 0
    for i in range(300):
        p = Partial(i)
        try:
            t += p.b
        except AttributeError as e:
            n += 1
            s = str(e), e.obj is p
    return t, n, s


class Order:
    def __init__(self, n):
        if n % 100 < 50:
            self.a = n
            self.b = 1
        else:
            self.b = 2
            self.a = n


def order():
    seen = set()
    for i in range(400):
        o = Order(i)
        seen.add((tuple(o.__dict__), o.b))
        o.extra = i
        if i % 99 == 0:
            seen.add(tuple(vars(o)))
            o.late = 1
            del o.a
            seen.add((hasattr(o, "a"), tuple(vars(o))))
    return sorted(map(str, seen))


class Dying:
    log = 0

    def __init__(self, v):
        self.v = v

    def __del__(self):
        Dying.log += self.v


class Holder:
    def __init__(self, d):
        self.d = d


def dying():
    t = 0
    for i in range(300):
        h = Holder(Dying(1))
        before = Dying.log
        h = None
        t += Dying.log - before
        before = Dying.log
        Holder(Holder(Dying(2)))
        t += Dying.log - before
        h = Holder(Dying(3))
        h.d = 5
        t += Dying.log
    return t


class Late:
    def __init__(self, v):
        self.v = v


def late():
    died = []
    for i in range(300):
        a = Late(i)
        b = Late(a)
        if i == 200:
            Late.__del__ = lambda self: died.append(self.v if isinstance(self.v, int) else "b")
        if i == 250:
            Late.v = property(lambda self: self.__dict__["v"], lambda self, x: self.__dict__.update(v=x))
    r = len(died), died[:4]
    del Late.__del__
    return r, b.v.v


class Many:
    def __init__(self, n):
        self.a = self.b = self.c = self.d = self.e = n
        self.f = self.g = self.h = self.i = n
        self.j = 1


class Five:
    def __init__(self, n):
        self.a = n
        self.b = n + 0.5
        self.c = str(n)
        self.d = (n,)
        self.e = None
        self.f = [n]
        self.g = self.a


def many():
    t = 0
    keep = []
    for i in range(300):
        t += Many(i).j + Many(i).e
        f = Five(i)
        t += f.a + f.b + len(f.c) + f.d[0] + (f.e is None) + f.f[0] + f.g
        if i % 64 == 0:
            keep.append(f)
    return t, [list(vars(f).values()) for f in keep]


def seen():
    t = 0
    refs = []
    for i in range(300):
        p = P(i, i)
        t += sys.getrefcount(p)
        if i % 60 == 0:
            refs.append(weakref.ref(p))
        t += (type(p) is P) + isinstance(p, P) + (p.__class__ is P) + (p != None) + (id(p) == id(p))
        t += [p].count(p)
        q = p
        p = P(q, q)
        t += p.x is p.y
    del p, q
    return t, [r() for r in refs]


class Base:
    kind = "base"
    n = 0

    def __init__(self, v):
        self.v = v
        Base.n += 1

    def what(self):
        return self.kind


class Kid(Base):
    kind = "kid"

    def __init__(self, v, w):
        super().__init__(v)
        self.w = w

    def __eq__(self, o):
        return self.v == o.v

    def __getattr__(self, name):
        return name


def inherited():
    t = 0
    names = set()
    for i in range(300):
        a, b = Kid(i, 1), Base(i)
        names.add(a.what() + b.what() + a.nothing)
        t += (a == Kid(i, 2)) + a.w
        if i == 200:
            b.kind = "own"
            names.add(b.what())
        if i == 250:
            Kid.kind = "changed"
    return t, sorted(names), Base.n


def swapped():
    t = 0
    for i in range(300):
        p = P(i, 1)
        s = S(i, 2)
        if i % 30 == 29:
            p.__class__ = Other
        t += p.scaled(2).x + s.x
    return t


class Other:
    def scaled(self, k):
        return P(self.x + 1000, k)


def nested(n):
    def inner(p):
        if p.x == 280:
            raise ValueError(p.y.x)
        return p.y.x

    t = 0
    for i in range(n):
        t += inner(P(i, P(i + 1, 0)))
    return t


def carried():
    head = None
    for i in range(300):
        head = Holder((i, head))
        if i % 100 == 50:
            head = None
    n = 0
    while head is not None:
        head = head.d[1]
        n += 1
    best = P(0, 0)
    for i in range(300):
        c = P(i * 7919 % 301, i)
        if c.x > best.x:
            best = c
    return n, best.x, best.y


for f in sums, escaping, cyclic, partial, order, dying, late, many, seen, inherited, swapped, carried:
    run(f.__name__, f)
run("failing", failing, 200)
run("failing", failing, 300)
run("nested", nested, 200)
run("nested", nested, 300)
