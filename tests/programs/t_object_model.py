"""Classes and names where the machinery shows: restricted builtins, layouts, metaclasses' `mro`, slots, descriptors that fail."""
import atexit
import datetime
import io
import json
import pickle
import re
import struct
import sys
import types
import unicodedata


def show(name, f):
    try:
        r = f()
        print(name, "->", repr(r)[:160])
    except BaseException as e:
        print(name, "!!", type(e).__name__, str(e)[:200])


# A `__builtins__` that is no dictionary is asked by `[]`.
class Mapping:
    def __getitem__(self, k):
        if k == "zz":
            return 42
        raise KeyError(k)


for b in (None, 5, [1], {}, Mapping(), {"len": abs}):
    for code in ("len(-3)", "zz", "(lambda: zz)()", "[zz for i in 'a']"):
        show((type(b).__name__, code), lambda: eval(code, {"__builtins__": b}))
for code in ("class A: pass", "print(1)", "assert 0", "def f(): return len\nf()"):
    show(code, lambda: exec(code, {"__builtins__": None}))
f = eval("lambda: zz", {"__builtins__": {"zz": 1}})
for _ in range(3000):
    f()
g = types.FunctionType(f.__code__, {"__builtins__": None})
show("same code, no builtins", g)
show("and again", f)


# __class__ and __bases__.
class H: __slots__ = ["b", "a"]
class I: __slots__ = ["a", "b"]
class L(H): __slots__ = ["e"]
class M(I): __slots__ = ["e"]
class P: pass
class Q: pass
class R(P): pass
class S(P): __slots__ = ()
class T(Exception): pass
class U(Exception): pass
def set_class(o, c):
    o.__class__ = c
    return type(o).__name__
def set_bases(c, *b):
    old = c.__bases__
    c.__bases__ = b
    r = [x.__name__ for x in c.__mro__]
    c.__bases__ = old
    return r
for a in (H, I, L, M, P, Q, R, S, T, U, int, object):
    for b in (H, I, L, M, P, Q, R, S, T, U, int, object):
        show((a.__name__, b.__name__), lambda: set_class(a(), b))
for c, bs in ((R, (Q,)), (R, (object,)), (R, (Q, P)), (L, (I,)), (L, (P,)), (T, (U,)), (T, (ValueError,)), (T, (OSError,)), (R, (H,))):
    show(("bases", c.__name__, [x.__name__ for x in bs]), lambda: set_bases(c, *bs))


class Base: pass
class Meta(type, Base): pass
class D(metaclass=Meta): pass
descr = Base.__dict__["__dict__"]
show("dict of a class", lambda: "__module__" in descr.__get__(D))
show("set it", lambda: descr.__set__(D, {}))
show("delete it", lambda: descr.__delete__(D))
def unset(c): del c.__doc__
show("del __doc__", lambda: unset(D))


class A2(type):
    def __setattr__(cls, k, v): type.__setattr__(cls, k, v)
class C2(Base, A2): pass
c = C2("c", (), {})
c.test = True
print(c.test)


class Reversed(type):
    def mro(cls): return super().mro()[::-1]
class X(metaclass=Reversed): pass
print([k.__name__ for k in X.__mro__])
class Other(type):
    def mro(cls): return (Base,)
show("mro without the class", lambda: Other("n", (), {}))
class Incomplete(type):
    def mro(cls):
        if cls.__name__ != "inner":
            show("extend an unfinished class", lambda: Incomplete("inner", (cls,), {}))
        return type.mro(cls)
Incomplete("outer", (), {})


class Cell:
    __slots__ = ["__classcell__"]
    def __init__(self): super().__init__()
print(type(Cell.__dict__["__classcell__"]).__name__)
def fail(self): raise ZeroDivisionError
class E: __eq__ = property(fail)
print(E() == E(), E() != 3)

# Odds and ends.
print(complex(-0.0), complex(complex(1, -0.0)), complex(type("c", (complex,), {})(-1, -0.0)))
d = datetime.date(2021, 3, 4).isocalendar()
print(all(pickle.loads(pickle.dumps(d, p)) == tuple(d) for p in range(6)), type(pickle.loads(pickle.dumps(d))).__name__, d)
class Bad(io.RawIOBase):
    def readable(self): return True
    def readinto(self, b): return b"x"
def chain():
    try:
        io.BufferedReader(Bad()).readline()
    except OSError as e:
        return str(e), type(e.__cause__).__name__
show("readinto", chain)
items = [object()] * 10
print(json.dumps(items, default=lambda o: items.pop() and None))
buf = bytearray(b"xx")
it = re.finditer(b"a", buf)
show("resize", lambda: buf.extend(b"y" * 400))
list(it)
del it
show("resize later", lambda: buf.extend(b"y" * 400))
class Releasing:
    def __init__(self, v): self.v = v
    def __index__(self):
        self.v.release()
        return 4
v = memoryview(bytearray(b"abcdefgh"))
show("slice of a view that goes", lambda: bytes(v[: Releasing(v)]))
show("old names", lambda: unicodedata.ucd_3_2_0.lookup("LATIN SMALL LETTER GHA"))
show("new names", lambda: unicodedata.lookup("LATIN SMALL LETTER GHA"))
show("repeat", lambda: "ab" * sys.maxsize)
for text in ("match 1:\n case f'': pass", "match 1:\n case f'{x}': pass"):
    show(text, lambda: compile(text, "s", "exec"))
show("enumerate", lambda: enumerate())
show("enumerate", lambda: enumerate([], 1, 2))
class Len(list):
    def __len__(self): raise RuntimeError("len")
show("extend", lambda: bytearray().extend(map(int, Len([1]))))
class LenHint:
    def __iter__(self): return iter([1])
    def __len__(self): raise RuntimeError("hint")
show("extend", lambda: bytearray().extend(LenHint()))
del sys.modules["atexit"]
atexit.register(print, "still registered")
