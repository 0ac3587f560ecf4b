# Corners of the library's built-in parts: each line was wrong once.
import collections
import collections.abc
import datetime
import functools
import re
import socket
import time


class Empty:
    pass


class Full:
    def __init__(self):
        self.a = 1


class Slotted:
    __slots__ = ("x", "__dict__")


print(object.__getstate__(Empty()), object.__getstate__(Full()), Empty().__reduce_ex__(2)[2])
s = Slotted()
print(s.__getstate__())
s.x = 1
print(s.__getstate__())
s.y = 2
print(s.__getstate__())


class Part(functools.partial):
    pass


print(repr(Part(1 .__add__, 2)).split("(")[0], repr(functools.partial(int, base=2)))

# Times that are equal hash alike, whatever their zones.
tz = lambda h: datetime.timezone(datetime.timedelta(hours=h))
a, b, c = datetime.time(7, 47, tzinfo=tz(-5)), datetime.time(12, 47, tzinfo=tz(0)), datetime.time(13, 47, tzinfo=tz(1))
print(a == b == c, len({a, b, c}), len({datetime.time(1, tzinfo=tz(5)), datetime.time(2, tzinfo=tz(6))}))


class Zone(datetime.tzinfo):
    def tzname(self, dt):
        return Name("x")

    def utcoffset(self, dt):
        return None

    dst = utcoffset


class Name(str):
    def replace(self, *a):
        return None


class Ratio(float):
    def as_integer_ratio(self):
        return (1, 2, 3)


for f in (
    lambda: datetime.datetime(2000, 1, 1, tzinfo=Zone()).strftime("%Z"),
    lambda: datetime.timedelta(1) * Ratio(1.5),
    lambda: "{[{}]} {0[{]}".format({"{}": 5}),
    lambda: "{[{}]}".format({"{}": 5}),
    lambda: "{a{}b}".format(1),
):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)


class MapFirst(collections.UserDict, list):
    pass


class SeqFirst(collections.UserList, dict):
    pass


def kind(x):
    match x:
        case {}:
            return "mapping"
        case [*_]:
            return "sequence"


print(kind(MapFirst()), kind(SeqFirst()))


class Bound:
    @classmethod
    def make(cls, *args):
        return cls.__name__, [getattr(a, "__name__", a) for a in args]


class Chained:
    make = classmethod(Bound.make)
    inner = classmethod(classmethod(lambda cls: cls.__name__))


print(Chained.make(), Chained().make(1), Chained.inner())

# An anchored pattern is tried once.
text = "abcdef" * 100000
t = time.perf_counter()
for _ in range(20):
    assert re.search(r"^zz|^yy", "a") is None and re.search(r"^zz", text) is None and re.search(r"\Azz", text) is None
print(time.perf_counter() - t < 1.0, re.search(r"(?m)^c", "ab\nc").start(), re.findall(r"^a", "aaa"), re.compile("^b").search("ab", 1))

with socket.socketpair()[0] as left:
    for bad in ([b"x"], [1], 5):
        try:
            left.recvmsg_into(bad)
        except TypeError as e:
            print(e)

print("== shapes of memory views, constants")
for shape in ([2**64], [-1], [0], ["x"], [2, 3], [4]):
    try:
        print(memoryview(b"abcd").cast("B", shape=shape).shape)
    except Exception as e:
        print(type(e).__name__, e)
import ast
for const in (None, ..., b"", "", frozenset(), ()):
    tree = ast.parse("x = None")
    tree.body[0].value = ast.copy_location(ast.Constant(value=const), tree.body[0].value)
    names = {}
    exec(compile(tree, "", "exec"), names)
    print(names["x"] is const)
