"""Formats: what arguments they take, what they refuse, and what is built by them."""
import c_args


class Named:
    def __repr__(self):
        return type(self).__name__


class Index(Named):
    def __index__(self):
        return 41


class Float(Named):
    def __float__(self):
        return 1.5


class Int(int):
    pass


class Broken(Named):
    def __index__(self):
        raise KeyError("index")


def attempt(f, *args):
    try:
        result = f(*args)
    except BaseException as e:
        result = f"{type(e).__name__}: {e}"
    print(f.__name__, *args, "->", result)


VALUES = [0, -1, 200, 256, 65536, 2**31, -2**31 - 1, 2**32, 2**63, -2**63, 2**64, True, Int(9), Index(), Broken(), 2.5, Float(), "s", "", "ä", "a\0b",
          b"by", b"", b"n\0n", bytearray(b"x"), None, (), (1, 2), [3], object]
for c in "bBhHiIlLkKnfdpcCsyzSYUO":
    for v in VALUES:
        try:
            print(c, type(v).__name__, c_args.tuple(c + ":name", (v,)))
        except BaseException as e:
            print(c, type(v).__name__, type(e).__name__, e)
for f in ("", "i", "i|i", "|i", "ii", "|", "i:f", "ii:f", "|ii:f", ":f", "i;message", "ii;message", "(ii)", "(ii)i", "i(i(ii))", "i|(ii)", "i$i", "?", "s?"):
    for args in ((), (1,), (1, 2), (1, 2, 3), ((1, 2),), ((1, 2), 3), (1, (2, (3, 4))), ([1, 2],), ("ab",), ((1, "x"), 2), ("x",)):
        attempt(c_args.tuple, f, args)
        if not args or len(args) > 1:
            attempt(c_args.object, f, args)
for f in ("i", "s", "(ii)", "O", "O:f", "i:f"):
    for v in (1, "x", (1, 2), [1, 2], None):
        attempt(c_args.object, f, v)
for f, names in (("ii", ("a", "b")), ("i|i:f", ("a", "b")), ("|ii:f", ("a", "b")), ("|i$i:f", ("a", "b")), ("i$i:f", ("a", "b")), ("$ii:f", ("a", "b")), ("i|i:f", ("", "b")),
                 ("ii|i:f", ("", "", "c")), ("i|i;message", ("a", "b")), ("|iii$iii:f", tuple("abcdef"))):
    for args in ((), (1,), (1, 2), (1, 2, 3), ("x",)):
        for kw in (None, {}, {"a": 5}, {"b": 6}, {"a": 5, "b": 6}, {"c": 7}, {"zz": 8}, {"a": "x"}, {"": 9}, {1: 2}, {"b\0": 1}, {"ä": 1}):
            attempt(c_args.keywords, f, names, args, kw)
for args in ((), (1,), (1, 2), (1, 2, 3), [1]):
    attempt(c_args.unpack, args, 1, 2)
    attempt(c_args.unpack, args, 2, 2)
for f in (c_args.build, c_args.build_many, c_args.build_null, c_args.build_bad, c_args.build_open, c_args.build_one, c_args.build_none, c_args.build_utf8):
    attempt(f)
print(c_args.calls(lambda *a: a))


class A:
    def method(self, *args):
        return args


class B:
    method = staticmethod(lambda *a: a)


class C:
    def __init__(self):
        self.method = lambda *a: ("own", a)


class D:
    def __getattr__(self, name):
        if name == "method":
            return lambda *a: (name, a)
        raise AttributeError(name)


for cls in (A, B, C, D):
    print(c_args.method_calls(cls()))
    attempt(lambda o: c_args.no_method(o), cls)
for name in ("one", "two", "three", "one", "ä", "longer_than_the_others", ""):
    print(c_args.attribute(A(), name))
attempt(lambda: c_args.undecodable(A()))
print(c_args.formats(("ä", 1)))

# Who passes a tuple on passes that very one.
pair, names, none = (1, 2), {"a": 1}, ()
for _ in range(300):
    seen = [c_args.given(*pair)[0] is pair, c_args.given(*pair, a=1)[0] is pair, c_args.given(*pair, **names)[0] is pair, c_args.given(*pair, **{})[0] is pair,
            c_args.given(*pair, **names)[1] is names, c_args.given_tuple(*pair) is pair, c_args.given_tuple(*pair, **{}) is pair,
            c_args.given_tuple(*[1, 2]), c_args.given_tuple(0, *pair), c_args.given(*none), c_args.given(1, **names), c_args.given(1, b=2)]
print(seen)
try:
    c_args.given_tuple(*pair, a=1)
except TypeError as e:
    print(e)
slot = c_args.slot_call
print(slot(c_args.given_tuple, pair) is pair, slot(c_args.given, pair)[0] is pair, slot(c_args.given, pair, names)[0] is pair,
      slot(c_args.given, pair, names)[1] is names, slot(c_args.given_tuple, pair, {}) is pair)


class Errors(Named):
    here = 5

    @property
    def attribute(self):
        raise AttributeError("inside")

    @property
    def other(self):
        return 1 // 0


for name in ("here", "absent", "attribute", "other"):
    attempt(c_args.generic, Errors(), name)
