"""Calls with argument tuples and dictionaries, class methods of built-in types, conversions by slots: also in loops that are compiled."""
import functools
import warnings

N = 400
nothing, five = None, 5


def show(*args, **kwargs):
    return args, sorted(kwargs.items())


def plain(a, b=2, *rest, c=3, **more):
    return a, b, rest, c, sorted(more.items())


def passing(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper


@passing
def add(a, b=10):
    return a + b


@passing
@passing
def join(*parts, sep="-"):
    return sep.join(parts)


class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y

    @passing
    def moved(self, dx, dy=0):
        return Point(self.x + dx, self.y + dy)

    def __call__(self, *args, **kwargs):
        return plain(*args, **kwargs)


def wrappers():
    total = 0
    p = Point(0)
    text = ""
    for i in range(N):
        total += add(i)
        total += add(i, b=1)
        total += add(*(i, 2))
        p = p.moved(1)
        p = p.moved(1, dy=2)
        text = join("a", str(i % 7)) + join("b", "c", sep="+")
    print(total, p.x, p.y, text)


def native():
    pair, lst, named = (7, 3), [9, 4], {"key": lambda v: -v}
    out = 0
    for i in range(N):
        out += max(*pair) + max(*lst) + min(i, *pair) + divmod(*pair)[0] + pow(*lst)
        out += len(*(pair,)) + sum(*[lst]) + isinstance(*(i, int)) + int(*("12",)) + len(str(*(i,)))
        out += max(*pair, **{}) + max(*lst, **named) + sorted(lst, **named)[0]
        out += int("11", **{}) + len("%s-%s".__mod__(*(pair,)))
        out += "abcabc".find(*("c", 3)) + [1, 2, 1].count(*[1]) + len(dict(**{"a": 1, "b": i}))
        out += len(dict([(1, 2)], **{"a": 1})) + len("{} {a}".format(*[i], **{"a": i}))
    print(out)


def changing():
    """What is unpacked changes its length, its type, its contents."""
    seen = []
    for i in range(N):
        args = (1, 2, 3)[:i % 4] if i > N // 2 else (1, 2)
        if i % 50 == 49:
            args = list(args)
        kwargs = {} if i % 40 else {"c": i}
        if args:
            seen.append(plain(*args, **kwargs))
        seen.append(show(*args, i, **kwargs))
        seen.append(show(*args, *args, z=i, **kwargs))
    print(len(seen), hash(str(seen)) == hash(str(list(seen))), seen[0], seen[-1], seen[len(seen) // 2])
    items = [1, 2, 3]

    def shrink(*args):
        items.clear()
        return args
    for i in range(N):
        items[:] = [i, i + 1]
        got = shrink(*items)
    print(got, items)


def kept():
    """What a callee keeps is its own."""
    keep = []

    def keeper(*args, **kwargs):
        keep.append((args, kwargs))
        kwargs["new"] = 1
    d = {}
    t = (1, 2)
    for i in range(N):
        keeper(*t, **d)
        keeper(*t, a=i, **d)
    print(len(d), keep[0][1] is not keep[2][1], keep[-1], keep[-2])
    made = []
    for i in range(N):
        e = {}
        if i % 2:
            e["i"] = i
        made.append(e)
    print(len({id(e) for e in made}), made[0], made[-1])


def failing():
    class Odd:
        def keys(self):
            return ["a", "a"]

        def __getitem__(self, k):
            return k
    cases = [
        lambda: show(*5), lambda: show(**5), lambda: show(**{1: 2}), lambda: show(a=1, **{"a": 2}), lambda: show(**Odd()),
        lambda: len(*()), lambda: len(*(1, 2)), lambda: len(*("a",), **{"b": 1}), lambda: plain(), lambda: plain(*[], **{}),
        lambda: add(*(1, 2, 3)), lambda: add(1, **{"c": 1}), lambda: max(*()), lambda: int(*("x",)), lambda: nothing(*()),
        lambda: Point(*(1, 2, 3)), lambda: Point(1)(**{"b": 1}), lambda: divmod(*(1, 0)), lambda: dict.fromkeys(), lambda: int.from_bytes(1),
    ]
    for case in cases:
        for _ in range(60):
            try:
                case()
            except Exception as e:
                said = "%s: %s" % (type(e).__name__, e)
        print(said.replace(hex(id(show)), "0x"))


def class_methods():
    class D(dict):
        pass
    out = 0
    d, e = {}, D()
    for i in range(N):
        out += len(dict.fromkeys((1, 2, i))) + int.from_bytes(b"\x01\x02", "big") + len(bytes.fromhex("0aff"))
        out += int(float.fromhex("0x10")) + len(d.fromkeys("ab")) + (type(D.fromkeys("ab")) is D) + (type(e.fromkeys("x")) is D)
        out += (5).from_bytes(b"\x05", "little") + len(str.maketrans("a", "b"))
    bound = dict.fromkeys
    print(out, bound("ab", 1), dict.fromkeys.__self__ is dict, D.fromkeys.__self__ is D, d.fromkeys.__self__ is dict)


class Index:
    def __init__(self, v):
        self.v = v

    def __index__(self):
        return self.v


class Sub(int):
    def __index__(self):
        return 100


class Both(Index):
    def __int__(self):
        return 8

    def __float__(self):
        return 2.5


def conversions():
    one, both, sub, l, t = Index(1), Both(3), Sub(2), [1, 2, 3], (4, 5, 6)
    out = 0
    for i in range(N):
        out += int(one) + int(both) + int(sub) + float(both) + float(one) + l[one] + l[Index(-1)] + t[sub] + l[sub]
        out += l[True] + "abc".find("abc"[one]) + len(range(one, both)) + int(2.5) + int("7") + int(True)
    print(out)
    for make in (lambda: int(Index("x")), lambda: int(Index(Sub(4))), lambda: float(Index("y")), lambda: l[Index(5)], lambda: l[Index(2 ** 70)],
                 lambda: l["a"], lambda: l[1.0], lambda: l[Index(None)], lambda: int(), lambda: float(), lambda: int(Index(2 ** 70)),
                 lambda: int([]), lambda: int(None), lambda: float([]), lambda: l[Index(Sub(1))]):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                r = make()
                print(type(r).__name__, r, [str(w.message) for w in said])
            except Exception as e:
                print(type(e).__name__, e, [str(w.message) for w in said])


def views():
    b = bytearray(b"abcdef")
    out = 0
    for i in range(N):
        m = memoryview(b)
        n = memoryview(m)[1:3]
        out += len(m) + n[0] + len(memoryview(b"")) + memoryview(m.cast("H")).itemsize
    m = memoryview(memoryview(bytes(range(12))).cast("B", (3, 4)))
    print(out, m.shape, m.strides, m.ndim, m.nbytes, m.tolist(), memoryview(b).format)
    for make in (lambda: memoryview(), lambda: memoryview(1), lambda: memoryview(b, 1), lambda: memoryview(object=b)[0], lambda: memoryview(a=b)):
        try:
            print(make())
        except Exception as e:
            print(type(e).__name__, e)


class Caller(functools.partial):
    pass


def callables():
    p, q, point, m = functools.partial(add, 1), Caller(max, 5), Point(1), [].append.__class__
    out = 0
    for i in range(N):
        out += p() + p(2) + p(b=3) + q(i) + q(1, 2) + point(1)[1] + point(1, c=5)[3] + len(point(*(1, 2, 3))[2])
    print(out, m.__name__)
    for make in (lambda: p(1, 2), lambda: q(), lambda: point(), lambda: five()):
        try:
            print(make())
        except Exception as e:
            print(type(e).__name__, e)


for f in (wrappers, native, changing, kept, failing, class_methods, conversions, views, callables):
    print("--", f.__name__)
    f()
