"""Operators that work in place on what nobody else has: only on true temporaries, and on all of them."""
from c_elide import Box, counts


def temporaries(n):
    a, b = Box(1), Box(2)
    total = 0
    for i in range(n):
        total += (a + b + a + b).v
        total += (-(a + b)).v
        total += abs(a * b + a).v
        total += ((a + b) * (b + b)).v
    return total, a.v, b.v


print(temporaries(100), counts())
print(temporaries(3000), counts())


class Holder:
    pass


def held(n):
    a, b = Box(1), Box(2)
    bad = 0
    for i in range(n):
        x = a + b
        y = x + a
        z = x * b
        w = -x
        bad += x.v != 3 or y.v != 4 or z.v != 6 or w.v != -3
        t = (a + b,)
        u = t[0] + a
        bad += t[0].v != 3 or u.v != 4
        items = [a + b]
        u = items[0] + a
        bad += items[0].v != 3
        for item in items:
            u = item + a
        bad += items[0].v != 3
        d = {"k": a + b}
        u = d["k"] * b
        bad += d["k"].v != 3
        o = Holder()
        o.f = a + b
        u = o.f + b
        u = getattr(o, "f") + b
        bad += o.f.v != 3
        f = lambda p=a + b: p + a
        f()
        bad += f.__defaults__[0].v != 3

        def inner():
            return x + a
        inner()
        bad += x.v != 3
        p, q = a + b, a + a
        u = p + q
        u = q + p
        bad += p.v != 3 or q.v != 2
        u = v = a + b
        u + a
        bad += v.v != 3
    return bad, a.v, b.v


print(held(50), held(1500))


def passed(x, b):
    y = x + b
    return x.v, y.v


def gives(n):
    a, b = Box(1), Box(2)
    seen = set()
    for i in range(n):
        seen.add(passed(a + b, b))
        for x in (k + b for k in [a + b]):
            seen.add((x + b).v)
        seen.add(sum([a + b, b], a).v)
    return sorted(map(str, seen)), a.v, b.v


print(gives(1000))
print(counts()[1])
