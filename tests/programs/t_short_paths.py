"""Built-in types where a short way serves the commonest values: the results are those of the long one."""
import array
import collections
import copy
import datetime
import functools
import itertools
import json
import math

# ---- Views of memory ----
b = bytearray(range(20))
m = memoryview(b)
for view in (m, m[3:9], m[::-1], m[10:2:-3], m[5:5], m[:1], m.cast("H"), m[4:12].cast("I"), m.cast("B", (4, 5)), memoryview(array.array("d", [1.5, 2.5])),
             memoryview(b"abc")[1:], m[::2][::2], m[::-1][2:5]):
    print(view.shape, view.strides, view.nbytes, view.format, view.itemsize, view.readonly, view.c_contiguous, view.f_contiguous, view.contiguous,
          view.tolist(), view.tobytes(), len(view))
    if view.ndim == 1:
        print(list(view), [view[i] for i in range(-len(view), len(view))])
        for i in (len(view), -len(view) - 1):
            try:
                view[i]
            except IndexError as e:
                print(e)
m[2:4] = b"xy"
m[::5] = b"\0\1\2\3"
print(b, m[2:] == b[2:], m == memoryview(bytes(b)))
held = m[3:7]
m.release()
for f in (lambda: m[0], lambda: m[1:2], lambda: list(m)):
    try:
        f()
    except ValueError as e:
        print(e)
print(held.tolist())
del held, view
b.append(1)

# ---- Text and bytes ----
for s in ("", "plain", 'a"b\\c/\n\r\t\b\f\x00\x1f\x7f', "é", "日本語 ", "\U0001f600x", "\ud800", "mixé\u20ac\U00010000\"end"):
    print(json.dumps(s), ascii(json.dumps(s, ensure_ascii=False)), json.loads(json.dumps(s)) == s)
    try:
        print(s.encode(), s.encode("utf-8", "replace"), s.encode("utf-8", "surrogatepass"))
    except UnicodeEncodeError as e:
        print(e)
    print(ascii(s[::-1]), ascii(s[1:3]), ascii(s[3:1:-1]), ascii(s[-2::-1]), ascii(s[5:0:-2]))
print("x\u20ac\u07ff\u0800\ud7ff\ue000\uffff".encode(), "\u07ff\U0010ffff\U00010000a".encode())
print("abcabc".translate({97: None, 98: "BB", 99: 0x20ac}), "hello".translate(str.maketrans("el", "ip")), ascii("ab\xe9".translate({0xe9: "e"})))
try:
    "a".translate({97: 0x110000})
except ValueError as e:
    print(e)


class Missing(dict):
    def __missing__(self, key):
        return chr(key).upper()


print("abc".translate(Missing({98: None})))
hay = "abcabcabd" * 5
for needle in ("", "a", "ab", "abd", "abcabcabd", "bda", "x", "dabc" * 2, hay, hay + "a"):
    print(hay.find(needle), hay.rfind(needle), hay.find(needle, 30), hay.count(needle), needle in hay, hay[:20].find(needle), hay.encode().find(needle.encode()))
print(b"".join([b"a", bytearray(b"bc"), memoryview(b"d")]), b"-".join([]), b", ".join((b"x", b"y")), b"aXbXc".replace(b"X", b"yy"), b"aXbXc".replace(b"X", b"", 1))
print(bytes(bytearray(b"abc")), bytes(range(5)), bytes(range(255, -1, -51)), bytearray(range(0)), bytes(range(250, 256)))
for bad in (range(250, 260), range(-1, 3), [1, 256], range(10**20, 10**20 + 1)):
    try:
        print(bytes(bad))
    except (ValueError, OverflowError) as e:
        print(type(e).__name__, e)
a = bytearray(b"start")
a += b"!"
a.append(63)
print(a, bytearray(), bytearray(b""), len(bytearray(b"q")))

# ---- Lists and tuples of things ----
print(list(b"\x00\xffa"), list({1: 2, "a": 3}), [*{"k": 1}], list(dict.fromkeys("abc")), (0, *b"ab"))
d = {i: i for i in range(10)}
for i in range(0, 10, 2):
    del d[i]
l = [1]
l.extend(d)
l += b"z"
print(l, list(d))


class Sub(dict):
    def __iter__(self):
        return iter("own")


print(list(Sub(a=1)))
t = tuple(range(20))
print(t[3:7], t[:0], t[-3:], t[15:100], t[::3], t[5:2], hash(t[1:3]) == hash((1, 2)), hash((-1, True, 2**70, "a", 1.0)) == hash((-1.0, 1, 2**70, "a", 1)))
q = collections.deque([1, 2])
q.extend([3, 4])
q.extend((5,))
q.extend(x for x in "ab")
it = iter(q)
next(it)
q.extend([])
print(q, next(it), collections.deque(range(5), 3), collections.deque([1, 2, 3, 4], 2))
q.extend([9])
try:
    next(it)
except RuntimeError as e:
    print(e)
print(list(itertools.zip_longest([1, 2, 3], "a", fillvalue="-")), list(itertools.zip_longest([], [])), list(itertools.zip_longest("ab", "c")))
for code in "bBhHiIlLqQfd":
    x = array.array(code, [0, 1, 2, 100])
    print(code, x.tolist(), list(x), x[-1], sum(x))
print(array.array("b", [-128, 127]).tolist(), array.array("q", [-2**63, 2**63 - 1]).tolist(), array.array("Q", [2**64 - 1]).tolist(), array.array("u", "é€").tolist())

# ---- Numbers ----
for n in (10**18, 10**18 - 1, 2**60, 2**90, 3**200, 10**100, 10**100 - 1, 10**598, 7**720, 10**601, 3**2000, 123456789 * 10**27 + 5):
    s = str(n)
    print(len(s), s[:12], s[-12:], int(s) == n, int("-" + s) == -n, str(-n) == "-" + s, int("000" + s) == n, int("_".join(s)) == n, f"{n:d}" == s)
print(int("0" * 50), int("0" * 40 + "7"), int("9" * 27), int("1" + "0" * 26))
print(math.gcd(12, 18), math.gcd(-12, 18), math.gcd(0, 0), math.gcd(0, -5), math.gcd(2**70, 2**40), math.gcd(2**59, -2**59), math.gcd(True, 3), math.gcd(), math.gcd(4), math.gcd(4, 6, 8))
print(math.dist((1, 2), (4, 6)), math.dist((), ()), math.dist((1,), (3,)), math.dist([1, 2, 3], (1, 2, 3)), math.dist((0,) * 5, (1,) * 5), math.hypot(3, 4), math.hypot(), math.hypot(-2), math.hypot(1, 2, 2),
      math.hypot(float("inf"), float("nan")), math.dist((1, float("nan")), (1, 2)))
for bad in (((1,), (1, 2)), (("a",), (1,)), ((1, 2), 5)):
    try:
        print(math.dist(*bad))
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)
day = datetime.timedelta(days=1)
for delta in (day, -day, datetime.timedelta(microseconds=-1), datetime.timedelta(days=999999999), datetime.timedelta.min, datetime.timedelta(0, 86399, 999999), datetime.timedelta(weeks=-3, hours=5, milliseconds=7)):
    print(repr(delta), delta / 3 if abs(delta.days) < 10**8 else None, delta == -(-delta) if delta != datetime.timedelta.min else None)
    try:
        print(datetime.datetime(2024, 2, 29, 12) + delta, datetime.datetime(2024, 2, 29, 12) - delta)
    except OverflowError as e:
        print(e)
print(datetime.datetime(2024, 3, 1) - datetime.datetime(1, 1, 1), datetime.datetime.max - datetime.datetime.min, datetime.datetime.min + (datetime.datetime.max - datetime.datetime.min))

# ---- Arguments ----


def call(f, *arguments, **named):
    try:
        print(f(*arguments, **named))
    except TypeError as e:
        print(e)


def shown(*arguments, **named):
    return arguments, named


class Own(functools.partial):
    def __call__(self, *arguments):
        return "own", super().__call__(*arguments)


for p in (functools.partial(shown), functools.partial(shown, 1), functools.partial(shown, 1, 2, a=3), functools.partial(functools.partial(shown, 1), 2, b=4),
          functools.partial(shown, *range(12)), functools.partial(len), functools.partial(max, 3), Own(shown, 1), copy.copy(functools.partial(shown, 5, c=6))):
    call(p)
    call(p, [7])
    call(p, [7], [8, 9], a=5)
    call(p, **{"a": 1, "z": 2})
    print(list(map(p, [[1], [2, 3]])) if p.func is not max else list(map(p, [1, 5])))
names = {"a": 1}
call(functools.partial(shown, **names), **{str(i): i for i in range(15)})
call("a,b".split, ",", 1)
call("a,b".split, sep=",")
call("a,b".split, ",", maxsplit=0)
call("a,b".split, 1, 2, 3)
call("a,b".split, nothing=1)
call("a".center)
call("a".center, 3, "*")
call("a".center, 3, "*", 4)
call(divmod, 7, 2)
call(divmod, 7)
call(divmod, 7, 2, 1)
call({}.get)
call({}.get, 1, 2)
call({}.get, 1, 2, 3)
call((5).to_bytes, 2, "big")
call((5).to_bytes)
call((-5).to_bytes, 2, "big", signed=True)
call((5).to_bytes, 2, "big", True)
call(math.comb, 5)
call(math.comb, 5, 2)
call("x".encode, "utf-8", "strict")
call("x".encode, errors="strict", encoding="ascii")

# ---- Lists: slices replaced, the end of what they hold ----
class Dies:
    log = []

    def __init__(self, n):
        self.n = n

    def __del__(self):
        Dies.log.append(self.n)


def ended():
    seen = Dies.log[:]
    Dies.log.clear()
    return seen


l = [Dies(1), 5, Dies(2), "a" * 40, None, Dies(3), 1.5]
del l
print(ended())
l = [1, [2, Dies(4)], (Dies(5), 6), Dies(7), 10 ** 30]
del l
print(ended())
l = [Dies(i) for i in range(6)]
l[1:4] = (7,)
print(len(l), ended())
l[2:3] = []
print(len(l), ended())
l[0:1] = [Dies(9), 8, 7, 6]
print(len(l), ended())
l[3:3] = l[:2]
l[1:2] = l
print([x if isinstance(x, int) else x.n for x in l], ended())
l[:] = []
print(l, ended())
for n, i, j, new in ((5, 1, 3, range(9)), (30, 2, 20, (1, 2)), (30, 2, 10, [1, 2]), (9, 9, 9, [3]), (9, 0, 9, [3]), (0, 0, 0, (1,)), (20, 0, 16, [])):
    l = list(range(n))
    l[i:j] = new
    print(l)
    del l[1:3]
    print(l)
deep = []
for i in range(100000):
    deep = [i, deep, "text"]
del deep


# ---- Calls that defaults make up for ----
def some(a, b=2, c=3):
    return a, b, c


for defaults in ((2, 3), (8,), (), None, (1, 2, 3), (1, 2, 3, 4)):
    some.__defaults__ = defaults
    for args in ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)):
        for kw in ({}, {"c": 5}):
            try:
                print(some(*args, **kw), list(map(some, *([x] for x in args))) if args and not kw else "")
            except TypeError as e:
                print(e)
print(functools.reduce(lambda a, b, c=1, *, d=2: a + b + c + d, range(5)), sorted([3, 1], key=lambda x, y=[]: x))

# ---- Items of views ----
for code in "bBhHiIlLqQfdc?nN":
    m = memoryview(bytearray(range(16))).cast(code)
    print(code, list(m), m[-1], m[0])
m = memoryview(b"abc")[::-2]
print(list(m), m[-2], m[1])
for i in (2, -3):
    try:
        m[i]
    except IndexError as e:
        print(e)
it = iter(m)
next(it)
m.release()
try:
    next(it)
except ValueError as e:
    print(e)
