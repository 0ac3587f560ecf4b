# Pickling by every protocol, both ways, and the errors of damaged pickles.
import io
import pickle
import collections


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


class Slotted:
    __slots__ = ("a", "b")


class WithState(list):
    def __reduce__(self):
        return WithState, (), {"k": 1}, iter([1, 2, 3])


values = [
    None, True, False, 0, -1, 255, 256, 65535, 65536, -2**31, 2**31, 2**63, -2**63, 10**40, -10**40, 1.5, float("inf"),
    b"", b"abc", b"x" * 300, bytearray(b"q"), "", "text", "\u20ac\U0001f600\n\\", "z" * 300, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4),
    [], [1], list(range(2500)), {}, {"a": 1}, {i: str(i) for i in range(1100)}, {1, 2}, frozenset([3]), range(5), ..., NotImplemented,
    int, collections.OrderedDict(a=1), Point(1, 2), len, "x".join, slice(1, 2), complex(1, 2), Point, collections.deque([1, 2], 5),
]
for proto in range(6):
    for v in values:
        data = pickle.dumps(v, proto)
        back = pickle.loads(data)
        assert type(back) is type(v) and (back == v or v == "x".join), (proto, v)
    loop = [1]
    loop.append(loop)
    back = pickle.loads(pickle.dumps(loop, proto))
    assert back[1] is back
    t = ([],)
    t[0].append(t)
    back = pickle.loads(pickle.dumps(t, proto))
    assert back[0][0] is back
    s = pickle.loads(pickle.dumps(WithState(), proto))
    print(proto, s, s.k, pickle.dumps([1, "a", (2.5, b"c")], proto))
s = Slotted()
s.a = 1
print(pickle.loads(pickle.dumps(s, 2)).a)


class P(pickle.Pickler):
    def persistent_id(self, o):
        return "id" if isinstance(o, Point) else None


class U(pickle.Unpickler):
    def persistent_load(self, i):
        return ("loaded", i)

    def find_class(self, m, n):
        print("find", m, n)
        return super().find_class(m, n)


f = io.BytesIO()
P(f).dump([Point(1, 2), collections.OrderedDict()])
f.seek(0)
print(U(f).load())
buffers = []
data = pickle.dumps(pickle.PickleBuffer(b"out of band"), 5, buffer_callback=buffers.append)
print(data, bytes(pickle.loads(data, buffers=buffers)))
big = pickle.dumps([b"x" * 100000, "y" * 70000], 4)
print(len(big), pickle.loads(big)[1][:3])
bad = [b"", b".", b"N", b"(.", b"0.", b"\x80\x09.", b"\x80", b"K", b"Vabc", b"cstring\nnothere\n.", b"h\x05.", b"I1x\n.", b"}(K\x01u.", b"]K\x01e.",
       b"\x8a\x05\x00.", b"\xff.", b"q\x00.", b"S'abc\n.", b"R.", b"N)R.", b"b.", b"(t1.", b"\x93.", b"P1\n.", b"\x82\x01.", b"p-1\n.", b"B\xff\xff\xff\xff.",
       b"\x8e" + b"\xff" * 8, b"a.", b"(a.", b"(s.", b"G.", b"F1.x\n.", b"\x8b\xff\xff\xff\xff.", b"(d", b"((d.", b"\x97."]
for b in bad:
    try:
        print(b, pickle.loads(b))
    except Exception as e:
        print(b, type(e).__name__, e)
for o in [lambda: 0, Point.__init__, io.StringIO, (i for i in ())]:
    try:
        pickle.dumps(o)
        print("fine")
    except Exception as e:
        print(type(e).__name__, str(e).split(" at 0x")[0])
def outer():
    def inner(): pass
    return inner
for proto in (0, 4):
    try:
        pickle.dumps(outer(), proto)
    except Exception as e:
        print(type(e).__name__, e)
