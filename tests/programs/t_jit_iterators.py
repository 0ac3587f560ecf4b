# enumerate, zip and tuples in hot loops: ends, changes on the way, shared iterators, who keeps what alive.
import sys
import traceback


def run(name, f, *a):
    try:
        print(name, f(*a))
    except BaseException as e:
        print(name, type(e).__name__, e, [(x.name, x.lineno) for x in traceback.extract_tb(e.__traceback__)])


L = [i * 0.5 for i in range(400)]
T = tuple(range(400))


def plain():
    t = 0
    for i, x in enumerate(L):
        t += i * x
    for i, x in enumerate(T, 5):
        t += i - x
    for i, x in enumerate(range(3, 900, 2)):
        t += i * x
    for a, b in zip(L, T):
        t += a * b
    for a, b, c in zip(T, range(1000), L):
        t += a + b + c
    for (a,) in zip(T):
        t += a
    for a, (b, c), d in zip(L, [(i, -i) for i in range(350)], range(399)):
        t += a + b * c + d
    return t


def short():
    t = 0
    for r in range(200):
        for i, x in enumerate([1, 2, r % 3][: r % 4]):
            t += i * 10 + x
        for a, b in zip([1, 2, 3], range(r % 5)):
            t += a * b
        for a, b in zip(range(r % 4), [1, 2]):
            t += a - b
        else:
            t += 1
    return t


def ends():
    out = []
    a, b = iter(T), iter([1, 2, 3] * 50)
    n = 0
    for x, y in zip(a, b):
        n += x + y
    out.append((n, next(a), next(b, "end")))
    a, b = iter([1, 2, 3] * 50), iter(T)
    for x, y in zip(a, b):
        n += x + y
    out.append((n, next(a, "end"), next(b)))
    e = enumerate(L)
    for i, x in e:
        if i == 300:
            break
    out.append((next(e), sum(i for i, _ in e)))
    return out


def grouped():
    it = iter(T)
    t = 0
    for a, b in zip(it, it):
        t += a * b
    for r in range(60):
        it = iter([1, 2, 3, 4, 5, 6]) if r % 2 else iter([1])
        for a, b, c in zip(it, it if r % 4 == 1 else iter([7, 8]), it):
            t += a + b * c
    return t


def strict(n):
    t = 0
    for a, b in zip(range(n), T, strict=True):
        t += a + b
    return t


def growing():
    l = [1]
    t = 0
    for i, x in enumerate(l):
        if i < 500:
            l.append(i)
        t += x
    for a, b in zip(l, l):
        if a == 499:
            del l[10:]
        t += a - b + 1
    return t, len(l)


def mixed():
    t = 0
    seqs = [L, T, range(50), "abc" * 20, {1: 2, 3: 4}, [1, 2]]
    for r in range(120):
        for i, x in enumerate(seqs[r % 6]):
            t += i + (x if not isinstance(x, str) else 1)
        for a, b in zip(seqs[r % 6], seqs[(r + 1) % 6]):
            t += 1
    return t


def big_start():
    t = 0
    for i, x in enumerate(L, sys.maxsize - 200):
        t += i
    return t


class D:
    gone = 0

    def __init__(self, v):
        self.v = v

    def __del__(self):
        D.gone += 1


def keeps():
    l = [D(i) for i in range(400)]
    pairs = []
    t = 0
    for p in zip(l, range(400)):
        if p[1] % 100 == 7:
            pairs.append(p)
        t += p[0].v
    for p in enumerate(l):
        if p[0] % 100 == 9:
            pairs.append(p)
    p = None
    del l[:]
    gone = D.gone
    return t, gone, [(q[0].v, q[1]) if isinstance(q[0], D) else (q[0], q[1].v) for q in pairs]


def pair(i):
    return i, i + 1


def swap(t):
    a, b = t
    return b, a


def tuples():
    t = 0
    seen = {}
    keep = []
    for i in range(500):
        a, b = pair(i)
        c, d = swap((a, b))
        t += a * d - b * c
        k = (i % 7, i % 3)
        seen[k] = seen.get(k, 0) + 1
        w = (i, k, (b,))
        t += w[0] + w[1][1] + w[-1][0] + len(w)
        if w == (250, (5, 1), (251,)) or k in ((1, 2), (3, 0)):
            keep.append(w)
        x, *y = w
        t += len(y) + (w is not k)
    return t, sorted(seen.items())[:3], keep[:3], len(keep)


def bad_unpack(n):
    t = 0
    for i in range(n):
        a, b = (i, i) if i < n - 1 else (i, i, i)
        t += a
    return t


def returned(n):
    def f(i):
        return i, 100 // (n - 5 - i)

    t = 0
    for i in range(n):
        a, b = f(i)
        t += b
    return t


for f in plain, short, ends, grouped, growing, mixed, big_start, keeps, tuples:
    run(f.__name__, f)
run("strict", strict, 400)
run("strict", strict, 300)
run("strict", strict, 500)
run("bad_unpack", bad_unpack, 300)
run("returned", returned, 300)
