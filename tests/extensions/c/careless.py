"""Careless C code: wrong flags and sizes, dicts without references, buffers that are refused. The same errors as python3.11."""
import collections
import importlib.machinery
import importlib.util
import io
import re
import time

import c_careless as c


def show(label, f):
    try:
        r = f()
    except Exception as e:
        r = f"{type(e).__name__}: {e}"
    print(label, re.sub(r"0x[0-9a-f]+", "0x", str(r)))


for n in range(10):
    show(f"function {n}", lambda: c.function(n))
    show(f"type {n}", lambda: c.type_with(n))
show("called", lambda: c.function(8)(1))
show("called", lambda: c.function(9)())
show("method", lambda: c.type_with(8)().null(1))
show("method", lambda: c.type_with(9)().null_none())
show("module's", lambda: c.null(1))
try:
    c.without_bases()
except SystemError:
    print("no bases: refused")
show("tiny", lambda: type(c.Tiny()) if c.Tiny.__new__ else None)
for n in range(11):
    show(f"call {n}", lambda: c.call(n))



class Listed(list):
    def method(self):
        return "class"


class Slotless:
    def method(self):
        return "class"


for cls in (Listed, Slotless):
    o = cls()
    first = c.by_name(o, "method")
    o.method = lambda: "instance"
    print(first, c.by_name(o, "method"), c.by_name(cls(), "method"))

# A cache of objects that it does not keep alive.
held = [c.keep(i) for i in range(5)]
print(c.kept())
del held[1:3]
print(c.kept())
held.clear()
print(c.kept())


class Plain:
    pass


class Ordered:
    def __lt__(self, other):
        return True


print([c.compares_by_default(x) for x in (Plain(), Plain, object(), Ordered(), Ordered, 1, int, type("Meta", (type,), {})("C", (), {}))])

data = bytearray(8)
for s in (slice(3, 3), slice(2, 6), slice(8, 8), slice(20, 30), slice(5, 1)):
    print(s, c.distance(data, memoryview(data)[s]))

print([c.old_indices(slice(a, b, step), 3) for a in (None, 0, 1, -1, 3, -9, "x") for b in (None, 2, -1, 4, 1 << 70) for step in (None, 2, -1, 0)])

for name, *args in ("gmtime", 5), ("localtime", 5), ("ctime", 5), ("asctime", (1,) * 9), ("strftime", "%Y", (2000,) + (1,) * 8), ("strptime", "2001", "%Y"), ("get_clock_info", "time"):
    show(name, lambda: c.patched(getattr(time, name), *args))
    show(name, lambda: getattr(time, name)(1, 2, 3))
    show(name, lambda: getattr(time, name)(x=1))
for name in "gmtime", "clock_gettime", "clock_getres", "strftime", "get_clock_info", "pthread_getcpuclockid":
    show(name, lambda: getattr(time, name)("x" * (name == "clock_gettime"), 2))
    show(name, lambda: getattr(time, name)() and 1)



def stands(n):
    still = 0
    for _ in range(n):
        still += time.time() is None
    return still


for _ in range(3):
    print(stands(2000))
    c.exchange(time.time)
    print(stands(2000))
    c.exchange(time.time)

r = c.Refuses()
for name, f in {
    "join": lambda: b"".join([r]),
    "add": lambda: b"a" + r,
    "bytearray": lambda: bytearray(b"a") + r,
    "iadd": lambda: bytearray(b"a").__iadd__(r),
    "int": lambda: int(r),
    "float": lambda: float(r),
    "str": lambda: str(r, "ascii"),
    "re": lambda: re.match(b"a", r),
    "memoryview": lambda: memoryview(r),
    "bytes": lambda: bytes(r),
    "find": lambda: b"a".find(r),
    "write": lambda: io.BytesIO().write(r),
    "strided": lambda: b"".join([memoryview(b"abcdef")[::2]]),
}.items():
    show(name, f)
for kind in range(3):
    v = c.Lies(kind)
    show(f"lies {kind}", lambda: (memoryview(v).format, memoryview(v).shape))
    show(f"lies {kind}", lambda: memoryview(v).tolist())
    show(f"lies {kind}", lambda: memoryview(v)[1])


def load(name):
    path = importlib.util.find_spec("c_careless").origin
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    return importlib.util.module_from_spec(spec)


show("in a package", lambda: load("package.part.silent"))
show("absent", lambda: load("package.absent"))
