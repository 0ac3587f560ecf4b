"""Drives cy_sample."""
import asyncio
import array
import gc
import inspect
import pickle
import traceback
import weakref

import cy_sample as c


def show(f, /, *args, **kw):
    try:
        print(getattr(f, "__name__", f), "->", f(*args, **kw))
    except BaseException as e:
        print(getattr(f, "__name__", f), "!!", type(e).__name__, e)


d = c.Dog("Rex", legs=3)
print(d, d.speak(), d.twice(), d.shout, len(d), list(d), "e" in d, d + 1, d(1, 2, key=3, z=4), c.Dog.make("Bo"), c.Animal.stat(4))
d.shout = "MAX"
d.extra = 5
print(d.name, d.extra, d == c.Animal("max"), d != c.Animal("x"), hash(d) == hash("max"))
del d.shout
print(repr(d.name))
show(setattr, d, "legs", 5)
show(setattr, d, "name", 5)
show(lambda: d < d)
show(lambda: c.Animal())


class Puppy(c.Dog):
    def speak(self):
        return "wiff"


p = Puppy("tiny")
print(p.twice(), p.shout, p, isinstance(p, c.Animal), Puppy.__mro__)
w = weakref.ref(p)
p.set_friend(d)
d.set_friend(p)
del p, d
gc.collect()
print(w() is None, c.Animal.log.count(b"gone") >= 4)

print(list(c.Counter(4)), sum(c.Counter(1000)))
b = c.Block(3, 4)
m = memoryview(b)
print(m.shape, m.strides, m.format, m[1, 2], b.exported, c.total(b), c.transpose(b))
m.release()
print(b.exported)
a = array.array("d", [1, 2, 3])
c.scale(a, 2.5)
print(a)
show(c.scale, b"abc", 1.0)
show(c.total, array.array("d", [1]))
show(c.total, 5)
print(c.fused_double(3), c.fused_double(3.5), c.fused_double["double"](3))

g = c.squares(3)
print(next(g), g.send("x"), next(g), next(g))
show(next, g)
show(next, g)
g = c.delegating(3)
print(next(g), g.throw(ValueError("v")), list(g))
g = c.delegating(3)
next(g)
show(g.close)
print(type(g).__name__, g.gi_running, inspect.isgenerator(g))
f = c.adder(10)
print(f(1), f(2, times=3), f.__closure__ is not None if hasattr(f, "__closure__") else None)
show(f)
show(f, 1, 2)


async def five():
    await asyncio.sleep(0)
    return 5


print(asyncio.run(c.answer(five())))
o = c.Plain()
print(o.method(1, 2, z=5, k=6), c.Plain.__doc__, c.Plain.method.__doc__, c.Plain.__init__.__annotations__, c.Plain.__module__, c.Plain.method.__qualname__)
print(inspect.signature(c.Plain.__init__), c.root(2.0), c.pair(1, 2.5), list(c.Shape), c.Shape.CIRCLE)
for args in [(1, 2, 3, 4.5, b"e", "f"), (1, 2, 3, 4, b"e", "f", [1], 1), (2**40, 2, 3, 4, b"", ""), (1, 300, 3, 4, b"", ""),
             (1, -1, 3, 4, b"", ""), (1, 2, 2**70, 4, b"", ""), ("x", 2, 3, 4, b"", ""), (1, 2, 3, "x", b"", ""),
             (1, 2, 3, 4, "e", ""), (1, 2, 3, 4, b"", b""), (1, 2, 3, 4, b"", "", ()), (1,), (1, 2, 3, 4, 5, 6, 7, 8, 9)]:
    show(c.typed, *args)
show(c.typed, 1, 2, 3, d=1, e=b"", f="", h=True)
show(c.typed, 1, 2, 3, q=1)
print(c.containers({"b": 2, "a": 1}, [3, 0], (1, 2, 3), {"s"}))
show(c.containers, [], [], (), set())
for k in range(7):
    try:
        c.raising(k)
        print(k, "fine")
    except Exception as e:
        print(k, type(e).__name__, e, repr(e.__cause__), repr(e.__context__), e.__suppress_context__)
print(c.raising.count)
try:
    c.deep(3)
except ValueError:
    text = traceback.format_exc()
    print([line.strip() for line in text.splitlines() if "cy_sample" in line or "Error" in line])
print(c.strings("grün tee", b"ab\xff"), c.integers(2**80 + 1, 12345), c.integers(5, -3), c.integers(7, 2.5) if False else "")
show(c.integers, 5, 0)
show(c.big, 2**62)
show(c.big, 2**63)
print(c.globals_seen(), c.__doc__, c.__file__.endswith(".so"))
print(pickle.loads(pickle.dumps(c.Plain(9))).x)
print(type(pickle.loads(pickle.dumps(c.Counter(3)))))
