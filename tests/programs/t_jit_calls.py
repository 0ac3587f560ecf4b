"""Calls of Python functions in hot loops: *args, **kwargs, keyword-only parameters and their defaults, f(*args)."""
import sys


def star(*args):
    return args


def mixed(a, b=2, *rest, c=3, d, **others):
    return a, b, rest, c, d, sorted(others.items())


def keyword_only(x, *, offset=5, scale=1):
    return x * scale + offset


def options(**kw):
    return kw


def loop(n):
    out = []
    acc = 0
    for i in range(n):
        acc += len(star()) + len(star(i)) + len(star(i, acc)) + sum(star(1, 2, i, 4)) + len(star(1, 2, 3, 4, 5, i))
        acc += keyword_only(i) + keyword_only(i, offset=i) + keyword_only(i, scale=2, offset=1)
        t = mixed(i, d=4)
        u = mixed(i, 1, 2, 3, d=i, e=5, f=i)
        acc += t[1] + len(u[2]) + len(u[5])
        acc += len(options()) + options(a=i)["a"] + options(b=1, c=i)["c"]
        if i % 97 == 0:
            out.append((t, u, options(z=i, y=2), star(i, "x")))
    return acc, out


print(loop(1500))


def decorated(f):
    def inner(*args, **kwargs):
        return f(*args, **kwargs)

    def plain(*args):
        return f(*args)
    return inner, plain


def add(a, b=10, *c):
    return a + b + len(c)


slow, quick = decorated(add)


def through(n):
    acc = 0
    for i in range(n):
        acc += quick(i) + quick(i, 2) + quick(i, 2, 3) + slow(i, b=3) + slow(i)
    return acc


print(through(1500))
# Defaults that change while the loop is hot.
def change(n):
    acc = []
    for i in range(n):
        if i == n // 2:
            keyword_only.__kwdefaults__["offset"] = 100
        if i == n // 2 + 10:
            keyword_only.__kwdefaults__ = {"offset": 7, "scale": 3}
        if i == n // 2 + 20:
            del keyword_only.__kwdefaults__["scale"]
        try:
            acc.append(keyword_only(i))
        except TypeError as e:
            acc.append(str(e))
    return acc


print(change(1200)[560:680])


# Calls that fail, from inside loops that have gone well before.
def failing(n):
    seen = {}
    for i in range(n):
        args = (i,) if i % 50 else (i, 2, 3, 4)
        try:
            keyword_only(*args)
        except TypeError as e:
            seen[str(e)] = seen.get(str(e), 0) + 1
        try:
            mixed(*args) if i % 60 == 0 else mixed(*args, d=1)
        except TypeError as e:
            seen[str(e)] = seen.get(str(e), 0) + 1
    return sorted(seen.items())


keyword_only.__kwdefaults__ = {"offset": 7, "scale": 3}
print(failing(1200))


# What is collected is the caller's and the callee's in equal parts: no count is lost.
class Thing:
    pass


def keep(*args, **kw):
    return args, kw


def counts(n):
    thing = Thing()
    before = sys.getrefcount(thing)
    kept = None
    for i in range(n):
        kept = keep(thing, thing, k=thing)
        kept[1]["more"] = i
    inside = sys.getrefcount(thing) - before
    del kept
    return inside, sys.getrefcount(thing) - before


print(counts(1200))


class Base:
    def __init__(self, *args, **kw):
        self.args, self.kw = args, kw


class Derived(Base):
    def __init__(self, a, *, b=2):
        super().__init__(a, b=b)
        self.a = a


def instances(n):
    acc = 0
    for i in range(n):
        d = Derived(i) if i & 1 else Derived(i, b=i)
        acc += d.args[0] + d.kw["b"] + d.a
    return acc


print(instances(1200))


# Small tuples and lists, and frames looked at from inside.
def shapes(n):
    out = []
    for i in range(n):
        a, b = (i, i + 1), [i]
        c = [a, b, [], ()]
        b.append((i, a, b[0], None))
        if i % 300 == 0:
            out.append((a, b, c, [i, i, i, i, i]))
    return out


print(shapes(1201))


def look(*args, key=None, **kw):
    return sorted(sys._getframe().f_locals.items()), sys._getframe().f_back.f_code.co_name


def looking(n):
    r = None
    for i in range(n):
        r = look(i, key=2, z=i)
    return r


print(looking(1200))
def enc(n, out):
    def write(s, output=out, lineEnd=b'\n'):
        output.append(s + lineEnd)
    for i in range(n):
        write(b"abc")
    write(b"abc", lineEnd=b"z")
for k in range(2000):
    o=[]; enc(6,o)
    assert len(o)==7, (k,o)
print(o)
def enc2(n, out):
    def write(s, output=out, lineEnd=b'\n'):
        output.append(s + lineEnd)
    for i in range(n):
        write(b"abc", lineEnd=b"z")
for k in range(2000):
    o=[]; enc2(6,o)
    assert len(o)==6, (k,o)
print(o)


class Doubler:
    def __init__(self, by):
        self.by = by

    def scale(self, x, plus=0, *, minus=0):
        return x * self.by + plus - minus


def methods(n, things):
    s = 0
    for i in range(n):
        d = things[i % len(things)]
        s += d.scale(i, plus=1) + d.scale(i, minus=2) + d.scale(x=i, plus=3, minus=4)
    return s


class Other:
    by = 7

    def scale(self, x=1, minus=5, plus=2):
        return x + plus * 100 + minus * 10000


print(methods(3000, [Doubler(2)]), methods(3000, [Doubler(2), Other(), Doubler(3)]))
