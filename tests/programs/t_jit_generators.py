# Generators resumed in hot loops: values, lifetimes, errors and tracebacks, frames, sends, yield from, many at once.
import gc
import sys
import traceback
import weakref


def places(e):
    return [(f.name, f.lineno) for f in traceback.extract_tb(e.__traceback__)]


def run(name, f, *a):
    try:
        print(name, f(*a))
    except BaseException as e:
        print(name, type(e).__name__, e, places(e))


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


def ranged(n):
    for i in range(n):
        yield i


def two(n):
    for i in range(n):
        yield i
        yield -i


def chained(n):
    yield from ranged(n)
    yield "mid"
    r = yield from returns(n)
    yield r


def returns(n):
    for i in range(n):
        yield i * 2
    return "done %d" % n


def simple():
    t = 0
    for x in count(500):
        t += x
    for x in ranged(500):
        t += x
    for x in two(500):
        t += x * x
    return t


def short():
    t = 0
    for i in range(150):
        for x in ranged(i % 5):
            t += x
        for x in two(2):
            t += x
        else:
            t += 1
        for x in count(3):
            if x == 2:
                break
            t += 10
    return t


def delegated():
    out = []
    for i in range(60):
        out = [x for x in chained(i)]
    t = 0
    for x in chained(400):
        t += x if isinstance(x, int) else len(x)
    return t, out[-3:]


class Tree:
    def __init__(self, k):
        self.k = k
        self.l = self.r = None

    def insert(self, k):
        if k < self.k:
            if self.l:
                self.l.insert(k)
            else:
                self.l = Tree(k)
        elif self.r:
            self.r.insert(k)
        else:
            self.r = Tree(k)

    def __iter__(self):
        if self.l:
            yield from self.l
        yield self.k
        if self.r:
            yield from self.r


def tree():
    t = Tree(500)
    for i in range(200):
        t.insert(i * 7919 % 1009)
    n = 0
    for r in range(5):
        last = -1
        for k in t:
            assert k >= last
            last = k
            n += k
    return n


def pipeline():
    def mul(it, k):
        for x in it:
            yield x * k

    def keep(it):
        for x in it:
            if x % 3:
                yield x

    t = 0
    for x in keep(mul(ranged(2000), 7)):
        t += x
    return t, sum(keep(mul(ranged(200), 2)))


def failing(n):
    for i in range(n):
        if i == n - 1:
            raise KeyError(i)
        yield 1 // (300 - i)


def raises(n):
    t = 0
    for x in failing(n):
        t += x
    return t


def raised_stop():
    def g():
        for i in range(300):
            yield i
        raise StopIteration

    t = 0
    for x in g():
        t += x
    return t


def caught():
    def g():
        i = 0
        while True:
            try:
                yield 10 // (i % 5)
            except ZeroDivisionError:
                yield -1
            finally:
                i += 1
            if i > 400:
                return

    t = 0
    for x in g():
        t += x
    return t


def closes():
    log = []

    def g(n):
        try:
            for i in range(n):
                yield i
        finally:
            log.append(n)

    t = 0
    for i in range(200):
        for x in g(i):
            t += x
            if x == 3:
                break
    return t, len(log), log[-1]


def frames():
    seen = set()

    def g(n):
        for i in range(n):
            f = sys._getframe()
            seen.add((f.f_code.co_name, f.f_lineno, f.f_back.f_code.co_name, f.f_back.f_lineno))
            yield i
            seen.add(f.f_back.f_lineno)

    for x in g(300):
        pass
    return sorted(map(str, seen))


def itself():
    def g():
        for i in range(300):
            try:
                next(it)
            except ValueError as e:
                yield str(e)

    it = g()
    s = set()
    for x in it:
        s.add(x)
    return s


def shared():
    it = count(1000)
    t = []
    for x in it:
        if x % 100 == 50:
            t.append((x, next(it), next(it)))
    return t


def sends():
    def acc():
        t = 0
        while True:
            x = yield t
            if x is None:
                return "end"
            t += x

    def outer():
        while True:
            r = yield from acc()
            yield r

    g = outer()
    next(g)
    r = 0
    for i in range(400):
        r = g.send(i if i % 50 else None)
        if r == "end":
            r = g.send(None)
    return r


def lifetimes():
    class Thing:
        alive = 0

        def __init__(self):
            Thing.alive += 1

        def __del__(self):
            Thing.alive -= 1

    def g(n):
        x = Thing()
        for i in range(n):
            y = Thing()
            yield y
            x = y

    most = 0
    for i in range(100):
        for t in g(4):
            most = max(most, Thing.alive)
        t = None
        assert Thing.alive == 0, Thing.alive
    it = g(500)
    for t in it:
        most = max(most, Thing.alive)
        w = weakref.ref(t)
    del t
    return most, Thing.alive, w() is None, sys.getrefcount(it)


def various():
    def a():
        for i in range(10):
            yield i

    def b():
        i = 0
        while i < 10:
            yield i
            i += 1

    t = 0
    for k in range(150):
        g = (a, b, lambda: (x * 2 for x in range(5)))[k % 3]()
        for x in g:
            t += x
        if g.gi_frame is not None:
            t += 10000
    return t


def closures():
    k = 3
    t = 0

    def g(n):
        nonlocal k
        for i in range(n):
            k += 1
            yield k + i

    for x in g(400):
        t += x
        k -= 1
    return t, k


def changed():
    def g(n):
        x = 1
        for i in range(n):
            yield x
            x = x * 3 if i % 50 < 40 else 1.5

    t = 0
    for x in g(300):
        t += x
    return t


def thrown():
    def g():
        n = 0
        while True:
            try:
                yield n
            except KeyError:
                n += 100
            n += 1

    it = g()
    t = 0
    for x in it:
        t += x
        if x % 7 == 3:
            t += it.throw(KeyError)
        if x > 3000:
            it.close()
    return t


def inspected():
    it = count(400)
    lines = set()
    for x in it:
        lines.add((it.gi_frame.f_lineno - count.__code__.co_firstlineno, it.gi_running, it.gi_yieldfrom))
        if x % 100 == 0:
            gc.collect()
            lines.add(it.gi_frame.f_locals["i"] // 1000)
    return sorted(map(str, lines))


class Walk:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        for x in self.items:
            yield x

    def pairs(self):
        for i, x in enumerate(self.items):
            for y in self.items[i + 1:]:
                yield x, y


def methods():
    w = Walk(list(range(30)))
    t = 0
    for i in range(20):
        for x in w:
            t += x
        for x, y in w.pairs():
            t += x * y
    return t


def calling(n):
    def g(n):
        for i in range(n):
            yield helper(i)

    def helper(i):
        if i == 350:
            raise ValueError(i)
        return i + 1

    t = 0
    for x in g(n):
        t += helper(x - 1)
    return t


for f in simple, short, delegated, tree, pipeline:
    run(f.__name__, f)
run("raises", raises, 290)
run("raises", raises, 310)
for f in raised_stop, caught, closes, frames, itself, shared, sends, lifetimes, various, closures, changed:
    run(f.__name__, f)
for f in thrown, inspected, methods:
    run(f.__name__, f)
run("calling", calling, 300)
run("calling", calling, 400)
