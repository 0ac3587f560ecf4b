"""The evaluation loop: long loops over every frequent kind of instruction, classes and generators entered in place."""
import sys
import traceback

N = 120000


class P:
    k = 3

    def __init__(self, v, w=2):
        self.v = v
        self.w = w

    def get(self):
        return self.v

    @classmethod
    def make(cls, v):
        return cls(v)

    @property
    def twice(self):
        return self.v * 2


class S:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


def natives():
    n, l, d, s = 0, [], {}, set()
    for c in "ab1 " * (N // 4):
        if c.isdigit():
            n += 1
        n += len(c)
        n += ord(c)
        l.append(c)
        s.add(c)
        n += c.count("a")
        d[c] = d.get(c, 0) + 1
        if isinstance(c, str) and c in d and c is not None:
            n += 1
        n += type(n) is int
    return n, len(l), sorted(d.items()), sorted(s)


def one_kind_at_a_time():
    """A loop of one kind of instruction never goes back to where the native stack would be given up."""
    s, d, l, text, o = {1}, {1: 2}, [1], "abc", range(3)
    for _ in range(N):
        s.add(2)
    for _ in range(N):
        len(s)
    for _ in range(N):
        len(l)
    for _ in range(N):
        len(o)
    for _ in range(N):
        abs(-1)
    for _ in range(N):
        text.isdigit()
    for _ in range(N):
        d.get(1, 2)
    for _ in range(N):
        text.encode(encoding="ascii")
    for _ in range(N):
        divmod(5, 2)
    for _ in range(N):
        f"{text}"
    for _ in range(N):
        f"{l!r:>5}"
    for _ in range(N):
        text[1]
    for _ in range(N):
        text[1:]
    for _ in range(N):
        list(l)
    for _ in range(N):
        type(l)
    for _ in range(N):
        isinstance(l, list)
    for i in range(N):
        match i:
            case str() | float():
                break
            case [a, *_]:
                break
            case {"a": 1}:
                break
            case int():
                i = ~i
    for i in range(N):
        match l:
            case {"x": _} | P():
                break
            case [1]:
                i = ~i
    for i in range(N // 8):
        match d:
            case {1: v} if v == 2:
                i = ~i
    return len(s), text[-1], f"{text!s}" + f"{text}", len(text), len(d), len(b"ab"), len((1, 2))


def objects():
    p, s, n = P(1), S(1), 0
    for i in range(N // 3):
        p.v = i
        s.a = p.get() + s.a
        n += p.v + p.k + p.twice + P.make(i).w + P(i, w=1).w + sys.maxsize % 7
        bound = p.get
        n += bound()
    return n, s.a


def arithmetic():
    i = n = 0
    x = 0.5
    while True:
        i += 1
        n = n * 3 + i & 0xffffff
        n ^= i >> 2 | 1
        n = n - (i << 1) // 3 + i % 7 - -i % 5
        x = x * 0.5 + i / 7 - 1
        x += 1 if x < 0.25 or x != x else -1.5
        if not i % 2 and n == n and x <= 1e9 and "a" == "a" != "b":
            n += 1
        if i > N:
            break
    return n, round(x, 6)


def containers():
    l, t, d, n = [1, 2, 3] * 5, (1, 2, 3), {1: 2}, 0
    for i in range(N // 4):
        l[i % 15] = l[-1] + t[i % 3] + d[1]
        d[1] = i & 7
        a, b, *c = t
        (x, y), z = (a, b), c
        n += x + y + len(z) + len([a, b, n]) + len({a: b}) + len(f"{a}-{b!r:>3}")
        n += (a, b)[1] + l[2:4][0] % 11
        del l[0:0]
        n += sum([j for j in (1, 2)]) + len({j: 1 for j in "ab"}) + len({j for j in "ab"})
    return n, sum(l) % 1000003


def classes():
    n, words = 0, ["1", "2"]
    for i in range(N):
        n += int("7") + int(i) + len(str(i)) + bool(i) + int(float(i))
        n += len(list(words)) + len(tuple(words)) + len(set(words)) + len(dict(a=1)) + len(frozenset(words))
        z, e, r, m = zip(words, words), enumerate(words), reversed(words), map(str, words)
        s, o, c, b = slice(i), object(), complex(i), bytes(2)
        n += type(i) is int
    return n, next(z), next(e), next(r), next(m), s, c, b


def closures():
    n = 0

    def add(k, *more, **kw):
        nonlocal n
        n += k + len(more) + len(kw)
        return n if n else None
    for i in range(N // 4):
        add(i)
        add(i, 1, z=2)
        add(*(1, 2), **{"q": 3})
        r = add(k=1)
        if r is None:
            continue
    return n


def gen(n):
    for i in range(n):
        got = yield i
        if got:
            yield got


def outer(n):
    r = yield from inner(n)
    yield r
    return 7


def inner(n):
    i = 0
    while i < n:
        yield i
        i += 1
    return "end"


def generators():
    n = 0
    for v in gen(N):
        n += v
    for v in outer(N):
        n += v if v != "end" else 1
    g = gen(3)
    out = [next(g), g.send(5), next(g)]
    g.close()
    return n, out, list(g), sum(x for x in gen(N)), [v for v in outer(2)]


for f in natives, one_kind_at_a_time, objects, arithmetic, containers, classes, closures, generators:
    print(f.__name__, f(), f() == f())


# ---- What goes wrong ----

class Bad:
    def __init__(self):
        return 5


class Boom:
    def __init__(self, x):
        if x > 5:
            raise ValueError(x)


class Deep:
    def __init__(self, n):
        self.next = Deep(n + 1)


def stops():
    yield 1
    raise StopIteration(3)


def fails(n):
    yield n
    raise KeyError(n)


def cleans(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


def deep_gen(n):
    yield from deep_gen(n + 1)


def attempt(f, *a):
    for _ in range(8):
        try:
            f(*a)
        except Exception as e:
            r = "%s: %s" % (type(e).__name__, e)
            if e.__cause__:
                r += " from %r" % e.__cause__
    print(r, len(traceback.extract_tb(e.__traceback__)) if "e" in vars() else "")


def loop(g, *a):
    for _ in g(*a):
        pass


attempt(lambda: Bad())
attempt(lambda: [Boom(i) for i in range(10)])
attempt(lambda: Boom())
attempt(lambda: Boom(1, 2))
try:
    Deep(0)
except RecursionError:
    print("RecursionError")
attempt(loop, stops)
attempt(loop, fails, 4)
attempt(loop, deep_gen, 0)


def frames():
    def g():
        f = sys._getframe()
        yield [f.f_code.co_name, f.f_back.f_code.co_name, f.f_back.f_lineno - f.f_back.f_code.co_firstlineno]
    for names in g():
        pass
    return names


class Frames:
    def __init__(self):
        f = sys._getframe()
        self.names = [f.f_code.co_name, f.f_back.f_code.co_name]


for _ in range(5):
    names = frames(), Frames().names
print(names)

log = []
for i in cleans(log):
    break
print(log)

try:
    for i in fails(1):
        pass
except KeyError:
    traceback.print_exc(file=sys.stdout)


# ---- Traced ----

events = []


def tracer(frame, event, arg):
    if frame.f_code.co_filename == __file__:
        events.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno))
    return tracer


def traced(on):
    total = 0
    for i in range(12):
        if i == 9 and on:
            sys.settrace(tracer)
            sys._getframe().f_trace = tracer
        p = P(i)
        for v in gen(2):
            total += v + p.get() + p.twice
        if i == 10:
            sys.settrace(None)
    return total


print(traced(False), traced(True), len(events))
for e in events:
    print(*e)


# A destructor that looks at its caller while an instruction drops the last reference.
class D:
    def __del__(self):
        f = sys._getframe(1)
        seen.add((f.f_code.co_name, f.f_lineno - f.f_code.co_firstlineno))


def drops():
    for _ in range(6):
        x = D()
        x = None
        D()
        l = [D()]
        l[0] = 1
        l = D(), 1
        a, b = l
        del a, l
    return b


seen = set()
drops()
print(sorted(seen))
