"""C memory in compiled loops: fields, items, values and pointers of every kind, objects for parts of other objects' memory that
never escape or do, and everything that makes a loop leave its trace."""
import ctypes
import gc
import weakref
from ctypes import *


class Point(Structure):
    _fields_ = [("x", c_int), ("y", c_double)]


class Kinds(Structure):
    _fields_ = [("b", c_byte), ("B", c_ubyte), ("h", c_short), ("H", c_ushort), ("i", c_int), ("I", c_uint), ("q", c_longlong),
                ("Q", c_ulonglong), ("f", c_float), ("d", c_double), ("t", c_bool), ("p", c_void_p), ("c", c_char), ("z", c_char_p)]


class Inner(Structure):
    _fields_ = [("at", Point), ("row", c_short * 5), ("next", POINTER(Point))]


class Bits(Structure):
    _fields_ = [("lo", c_uint, 5), ("hi", c_int, 7)]


class Either(Union):
    _fields_ = [("i", c_uint), ("f", c_float), ("b", c_ubyte * 4)]


class Big(BigEndianStructure):
    _fields_ = [("v", c_ushort), ("w", c_int)]


class Packed(Structure):
    _pack_ = 1
    _fields_ = [("a", c_ubyte), ("b", c_double), ("c", c_int)]


N = 3000


def show(name, *what):
    print(name, *what)


def fields():
    p, s = Point(), 0.0
    for i in range(N):
        p.x = i * 3 - 7
        p.y = p.x * 0.5
        s += p.y + p.x
    show("fields", s, p.x, p.y)


def kinds():
    k, s = Kinds(), 0
    values = dict(b=-100, B=300, h=-40000, H=70000, i=2**31 + 5, I=2**32 - 1, q=-2**62 + 5, Q=2**62 - 1, f=1.1, d=-2.5e300, p=2**40)
    for i in range(N):
        for name in values:
            setattr(k, name, values[name])
        k.b = i
        k.B = i - 5
        k.h = i * 31
        k.H = -i
        k.i = i << 25
        k.I = i << 25
        k.q = -i
        k.Q = i
        k.f = i
        k.d = i / 3
        k.t = i % 2 == 0
        k.p = i
        s += k.b + k.B + k.h + k.H + k.i + k.I + k.q + k.Q + (k.p or -1) + int(k.f) + int(k.t)
    show("kinds", s, [getattr(k, n) for n in values], k.t, type(k.t), k.c, k.z)


def edges():
    k = Kinds()
    got = []
    for i in range(N):
        k.Q = 2**64 - 1 if i % 1000 == 999 else i
        k.p = 0 if i % 500 == 499 else 2**63 + i if i % 700 == 3 else i
        k.q = 2**64 + i
        if i % 250 > 247 or i % 700 == 3:
            got.append((k.Q, k.p, k.q))
    show("edges", got)


def errors():
    k, a = Kinds(), (c_int * 10)()
    seen = {}
    for i in range(N):
        try:
            if i % 400 == 11:
                k.i = "no"
            elif i % 400 == 12:
                k.d = None
            elif i % 400 == 13:
                a[10] = 1
            elif i % 400 == 14:
                a[-11]
            elif i % 400 == 15:
                a["x"]
            elif i % 400 == 16:
                k.missing
            elif i % 400 == 17:
                del k.i
            elif i % 400 == 18:
                a[1.5] = 3
            elif i % 400 == 19:
                POINTER(c_int)()[0]
            elif i % 400 == 20:
                POINTER(Point)().contents
            elif i % 400 == 21:
                a[3] = 1.5
            else:
                a[i % 10] = i
                k.i = a[-1 - i % 10]
        except Exception as e:
            key = type(e).__name__ + ": " + str(e)
            seen[key] = seen.get(key, 0) + 1
    show("errors", seen, list(a), k.i)


def index_moves():
    a, got = (c_int * 8)(*range(8)), []
    for n in (8, 9):
        try:
            for j in range(600):
                for i in range(n):
                    a[i] += 1
        except IndexError as e:
            got.append((i, str(e)))
    s = 0
    for i in range(-8, 8):
        for _ in range(200):
            s += a[i]
    show("index_moves", got, s, list(a))


def arrays():
    d, f, t, u = (c_double * 7)(), (c_float * 7)(), (c_bool * 7)(), (c_ulonglong * 7)()
    s = 0
    for i in range(N):
        d[i % 7] = i
        f[i % 7] = d[(i + 3) % 7] / 3
        t[i % 7] = i % 3 == 1
        u[i % 7] = -i
        s += d[i % 7] + f[(i + 1) % 7] + t[(i + 2) % 7]
    show("arrays", s, list(d), list(f), list(t), list(u))


def pointers():
    a = (c_double * 50)(*[i / 7 for i in range(50)])
    p = cast(a, POINTER(c_double))
    q = cast(byref(a, 8 * 20), POINTER(c_double))
    s = 0.0
    for i in range(N):
        p[i % 50] += 1
        s += q[-(i % 20)] + p.contents.value
    show("pointers", s, a[49])


def chains():
    rows = (Inner * 4)()
    points = [Point(i, i / 2) for i in range(4)]
    for i in range(4):
        rows[i].next = pointer(points[i])
    s = 0
    for i in range(N):
        r = rows[i % 4]
        r.at.x = i
        r.row[i % 5] = i
        rows[(i + 1) % 4].next.contents.x += 1
        s += rows[i % 4].at.x + r.row[(i + 2) % 5] + r.next[0].x
    show("chains", s, [p.x for p in points], [list(r.row) for r in rows], [r.at.x for r in rows])


def list_walk():
    class Node(Structure):
        pass

    Node._fields_ = [("value", c_int), ("next", POINTER(Node))]
    nodes = (Node * 100)()
    for i in range(100):
        nodes[i].value = i
        if i < 99:
            nodes[i].next = pointer(nodes[i + 1])
    s = 0
    for _ in range(60):
        p = pointer(nodes[0])
        while p:
            s += p.contents.value
            p = p.contents.next
    show("list_walk", s)


def escaping():
    a = (Point * 5)()
    kept, same = [], 0
    for i in range(N):
        p = a[i % 5]
        p.x = i
        if i % 700 == 0:
            kept.append(p)
        same += a[0] is a[0]
        q = p
        if i % 900 == 1:
            kept.append((q, p, q is p))
    del a
    gc.collect()
    show("escaping", same, [k.x if isinstance(k, Point) else (k[0].x, k[2]) for k in kept], kept[0]._b_base_ is kept[2]._b_base_,
         type(kept[0]._b_base_).__name__, kept[1][0]._b_needsfree_)


def watched():
    class Loud(Structure):
        _fields_ = [("x", c_int)]
        deaths = 0

        def __del__(self):
            Loud.deaths += 1

    a, s = (Loud * 3)(), 0
    for i in range(N):
        a[i % 3].x += i
        s += a[i % 3].x
    show("watched", s, Loud.deaths)
    b, dead = (Point * 2)(), []
    for i in range(1200):
        p = b[i % 2]
        if i > 1150:
            r = weakref.ref(p, lambda _: dead.append(1))
        p.x = i
    del p
    show("weak", len(dead))


def class_changes():
    class P(Structure):
        _fields_ = [("x", c_int), ("y", c_int)]

    p, s = P(1, 2), 0
    for i in range(N):
        if i == 1500:
            P.x = property(lambda self: self.y * 100)
        s += p.x
        p.y = i
    show("class_changes", s)

    class Sub(P):
        def __getattribute__(self, name):
            return 7 if name == "y" else super().__getattribute__(name)

    s = 0
    for i in range(N):
        q = Sub() if i > 2000 else p
        s += q.y
    show("subclass", s)

    class Items(c_int * 4):
        def __getitem__(self, i):
            return i * 1000

    s = 0
    for i in range(N):
        t = Items() if i % 500 == 7 else (c_int * 4)(1, 2, 3, 4)
        s += t[i % 4]
    show("items", s)


def others():
    b, e, g, k = Bits(), Either(), Big(), Packed()
    s = 0
    for i in range(N):
        b.lo = i
        b.hi = i
        e.f = i / 16
        g.v = i
        g.w = -i
        k.a = i
        k.b = i / 3
        k.c = k.a + int(k.b)
        s += b.lo + b.hi + e.i + e.b[2] + g.v + g.w + k.c + int(k.b)
        e.i = i
    show("others", s, bytes(e.b), bytes(g), bytes(k))


def values():
    v, s, d = c_int(), 0, c_double(0.5)
    wide = c_ulonglong(2**63 - 500)
    for i in range(N):
        v.value = i
        s += v.value
        d.value += v.value
        wide.value += 1
        if wide.value > 2**63:
            s += 1
    show("values", s, d.value, wide.value)


def resized():
    a = (c_int * 2)(1, 2)
    s = 0
    for i in range(N):
        if i == 1000:
            resize(a, 64)
        a[1] += 1
        s += a[0] + a[1]
    show("resized", s, sizeof(a))


def overlap():
    raw = (c_ubyte * 16)()
    words = (c_uint * 4).from_buffer(raw)
    s = 0
    for i in range(N):
        words[i % 4] = i * 0x01010101
        raw[i % 16] = 255
        s += words[(i % 16) // 4] & 0xFFFF
    show("overlap", s, list(words))


def buffers():
    ba = bytearray(64)
    view = (c_short * 32).from_buffer(ba)
    s = 0
    for i in range(N):
        view[i % 32] = i
        s += ba[i % 64] + view[i % 7]
    show("buffers", s, bytes(ba[:8]))


for f in (fields, kinds, edges, errors, index_moves, arrays, pointers, chains, list_walk, escaping, watched, class_changes, others,
          values, resized, overlap, buffers):
    f()


# A bytearray put into itself.
b = bytearray(b"abc")
b.extend(b)
b.extend(memoryview(b"xyz")[1:])
try:
    b.extend(memoryview(b"xyz")[::2])
except TypeError as e:
    print(e)
b[1:3] = b
print(b)
