"""Drives c_types."""
import array
import datetime
import gc
import sys
import weakref

import c_types as c


def show(f, /, *args, **kw):
    try:
        print(getattr(f, "__name__", f), "->", f(*args, **kw))
    except BaseException as e:
        print(getattr(f, "__name__", f), "!!", type(e).__name__, e, repr(e.__cause__))


print(c.__doc__, c.ANSWER, c.NAME, c.Error.__mro__, c.Error.__doc__, c.Error.__module__)
n = c.Node(tag=3)
n.next = n
n.extra = [n]
w = weakref.ref(n)
print(n.count(1, 2), n.count(1, k=2), c.Node.count.__doc__, c.Node.__text_signature__, c.Node.__module__, n.tag)
show(n.count.__call__, x=1)
show(setattr, n, "tag", "x")
show(c.Node, bad=1)
del n
gc.collect()
print(w())


class Sub(c.Node):
    def __del__(self):
        print("del", self.tag)


s = Sub(tag=9)
s.me = s
w = weakref.ref(s)
del s
gc.collect()
print(w(), Sub.__basicsize__ >= c.Node.__basicsize__)

d = c.CountingDict(a=1)
d["b"] = 2
d.update(c=3)
del d["a"]
print(d, d.stores, isinstance(d, dict), len(d), sorted(d))


class DictSub(c.CountingDict):
    def __missing__(self, k):
        return "missing " + k


e = DictSub()
e["x"] = 1
print(e["x"], e["y"], e.stores, e.__dict__)

v = c.Vec(1, 2)
print(v, v + c.Vec(3, 4), v * 3, 2.0 * v, bool(v), bool(c.Vec()), [10, 20, 30][v], list(v), v[-1], len(v), 2 in v, v == c.Vec(1), v < c.Vec(5), hash(v), v.sum)
print(v(1, 2, k=3), v.__class__, sorted({v: 1}))
old = v
v += c.Vec(1, 1)
print(v is old, v, divmod(7, c.Vec(2)) if False else "")
for f in (lambda: v + 1, lambda: "s" + v, lambda: v["x"], lambda: v[5], lambda: "x" in v, lambda: v.missing, lambda: -v, lambda: v @ v):
    show(f)


class VecSub(c.Vec):
    def __add__(self, other):
        return "sub", super().__add__(other)

    def __radd__(self, other):
        return "radd"

    def __repr__(self):
        return "VecSub" + super().__repr__()


print(VecSub(1, 2) + c.Vec(1, 1), c.Vec(1, 1) + VecSub(2, 2), VecSub(5, 6), 3 * VecSub(1, 1), VecSub(1)(7))
print(bool(c.FalseStr("x")), bool("x"), bool(""), c.FalseStr("ab").upper(), len(c.FalseStr("abc")))
print(c.build())
show(c.parse, 1)
show(c.parse, 1, "s", o=[], f=2, flag="yes", buffer=b"12345", pair=(3, 4))
for args, kw in [((), {}), (("x",), {}), ((1, 2), {}), ((1, "a", 3), {}), ((1,), {"s": 3}), ((1,), {"zzz": 3}), ((1, "a"), {"s": "b"}),
                 ((2**40,), {}), ((1,), {"buffer": "text"}), ((1,), {"pair": (1,)}), ((1,), {"pair": 5}), ((1.5,), {}), ((1, "a\0b"), {}), ((1,), {"f": "x"})]:
    show(c.parse, *args, **kw)
show(c.fail, [1, 2])
print(c.api())
show(c.dates, datetime.datetime(2024, 3, 1, 12, 30))
show(c.dates, 5)
x = c.capsule()
print(repr(x).split(" at ")[0], c.open_capsule(x))
del x
show(c.open_capsule, 5)


def f(*args, **kw):
    return args, kw


print(c.call_all(f))
show(c.call_all, len)
waiting = []
print(c.add_pending(waiting))
for _ in range(1000):
    pass
print(waiting)
show(c.thread_calls, lambda: "called")
show(c.thread_calls, lambda: 1 / 0)
show(lambda: c.returns_null())
show(lambda: c.returns_with_error())
for o in (b"abc", bytearray(3), array.array("i", [1, 2]), memoryview(b"xyz")[::2], "text", 5):
    show(c.buffer_info, o)
for t in ("", "abc", "grün", "€", "\U0001f600", "\ud800", b""):
    show(c.text, t)
print(sys.getrefcount(c.Vec) > 0, c.Vec.__flags__ & (1 << 11) != 0, type(c.Vec.__add__), c.Vec.__hash__, c.Vec.__dict__["__add__"])
