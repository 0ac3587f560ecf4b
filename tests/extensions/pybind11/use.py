"""Drives pb_sample."""
import gc
import pickle
import sys

import pb_sample as p


def show(f, /, *args, **kw):
    try:
        print("->", f(*args, **kw))
    except BaseException as e:
        print("!!", type(e).__name__, str(e).splitlines()[0] if str(e) else "", type(e).__mro__[1].__name__)


a = p.Pet("Tom")
a.age = 3
a.extra = 1
print(a, a.speak(), a.speak(times=3), a.call(), a.age, a.__dict__, p.Pet.count, p.Pet.kind, p.Dog.kind, p.Pet.__doc__, p.__doc__, p.Pet.speak.__doc__.splitlines()[0])
show(setattr, a, "age", -1)
show(setattr, a, "age", "x")
show(a.speak, "x")
show(p.Pet)
show(setattr, p.Pet, "count", 5)


class Cat(p.Pet):
    def __init__(self, n):
        super().__init__(n)
        self.calls = 0

    def speak(self, times):
        self.calls += 1
        return "meow" * times


class Bad(p.Pet):
    def __init__(self):
        pass


class Raises(p.Pet):
    def speak(self, times):
        raise OSError("mute")


c = Cat("Kit")
print(c.call(), p.speaker(c), c.calls, p.speaker(p.Dog("Rex")), isinstance(p.Dog("x"), p.Pet), type(c).__mro__[1:3])
show(Bad)
show(Raises("r").call)
b = pickle.loads(pickle.dumps(a))
print(b.name, b.age)
v = p.Vec2(1, 2) + p.Vec2(3, 4) * 2
print(v.x, list(v), v == p.Vec2(7, 10), v != p.Vec2(0, 0))
show(lambda: v + 1)
show(hash, v)
m = memoryview(p.Matrix(2, 3))
print(m.shape, m.format, m.tolist(), p.Matrix(2, 3)[1, 2])
show(lambda: p.Matrix(1, 1)[5, 0])
n = p.Node(1)
n.next = p.Node(2)
print(n.next.v, n.next is n.next, p.Node(3).next)
print(p.Kind.Tabby, int(p.Kind.Poodle), p.Kind(4), p.Kind.Tabby < p.Kind.Poodle, p.Tabby, p.Kind.__members__, repr(p.Kind.Tabby), p.Kind.Tabby == 1)
print(p.over(1), p.over(1.5), p.over("s"), p.sum([1, 2, 3]), p.sum((4, 5)), p.invert({"a": 1, "b": 2}), p.maybe(None), p.maybe(5))
for args in ([], [None], [[]], [2**80]):
    show(p.over, *args)
show(p.sum, ["x"])
show(p.sum, 5)
print(p.apply(lambda x: x * 3, 2), p.adder(5)(6), p.apply(p.adder(1), 1))
show(p.apply, lambda x: 1 / 0, 1)
show(p.apply, lambda x: "text", 1)
for k in range(8):
    show(p.fail, k)
print(p.catching(lambda: 1 / 0).splitlines()[0], p.catching(lambda: None), p.catching(lambda: [].x).splitlines()[0])
print(p.kwargs(1, 2, k=3), p.named(1), p.named(1, "b", c=False), p.named(a=2, b=[]))
show(p.named, 1, 2, 3)
show(p.named, b=1)
seen = []
p.threads(seen.append)
print(sorted(seen))
d = p.build()
print(d["list"], d["set"], d["bytes"], d["nested"], p.CONSTANT, p.sub.f(), p.sub.__name__)
p.print([1])
del a, b, c
gc.collect()
print(p.Pet.count)
print(p.Pet.__init__.__doc__.splitlines()[0], type(p.over).__name__, type(p.Pet).__name__, type(p.Pet.speak).__name__)
