"""Drives nb_sample."""
import array
import gc
import weakref

import nb_sample as n


def show(f, /, *args, **kw):
    try:
        print("->", f(*args, **kw))
    except BaseException as e:
        print("!!", type(e).__name__, str(e).splitlines()[0], type(e).__mro__[1].__name__)


b = n.Base("abc")
b.more = 3
print(b.value(), b.value(x=2), b.twice(5), b.name, b.upper, n.Base.make(3), b.__dict__)
b.name = "q"
print(b.upper)
show(setattr, b, "upper", 1)
show(setattr, b, "name", 5)
show(n.Base)
show(n.Base, 1)


class Sub(n.Base):
    def value(self, x):
        return x * 10


class Broken(n.Base):
    def value(self, x):
        raise KeyError("k")


s = Sub("s")
print(s.twice(2), s.value(1), isinstance(s, n.Base))
show(Broken("b").twice, 1)
w = weakref.ref(s)
s.me = s
del s
gc.collect()
print(w())
print(n.Num(1) + n.Num(2), n.Num(3) == n.Num(3), n.Num(3) != n.Num(4), n.Num(5).v)
show(lambda: n.Num(1) + 1)
print(n.Mode.On, n.Mode(3), n.Mode.Off.value, list(n.Mode), n.Mode.Off.__doc__)
show(n.Mode, 9)
print(n.over(1), n.over("x"), n.total([1, 2]), n.pairs({"a": 1, "b": 2}), n.maybe(5), n.maybe(None), n.apply(lambda x: x * 2, 3), n.X)
show(n.over, [])
show(n.total, ["a"])
show(n.apply, lambda x: 1 / 0, 1)
for k in range(4):
    show(n.fail, k)
print(n.args(1, 2, z=3), n.named(1), n.named(1, "b", c=False), n.array_sum(array.array("d", [1, 2, 3])))
show(n.named, 1, 2, 3)
show(n.named)
show(n.array_sum, array.array("i", [1]))
print(type(n.over).__name__, n.over.__doc__, n.Base.value.__doc__, type(n.Base).__name__, n.__name__)
