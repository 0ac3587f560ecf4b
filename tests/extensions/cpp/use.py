"""Static initialisers, foreign threads, pending calls, C++ exceptions that pass our frames, cycles through C++ containers."""
import functools
import gc
import threading
import weakref

import cpp_sample

print(cpp_sample.made_at_load())


def work(i, j):
    s = 0
    for x in range(30):
        s += x * j
    if j == 7:
        raise ValueError
    return s + i


print(cpp_sample.threads(work, 4, 200))

local = threading.local()


def counted():
    local.x = getattr(local, "x", 0) + 1
    return local.x, threading.current_thread().name.startswith("Dummy"), sum(i for i in range(2000))


print([cpp_sample.own_state(counted) for _ in range(5)])
print(cpp_sample.own_state(lambda: int("x")))

seen = []
for i in range(40):
    cpp_sample.pending(lambda: seen.append(i))
    for k in range(300):
        pass
print(len(seen))
try:
    cpp_sample.pending(lambda: {}["pending"])
    for k in range(100000):
        pass
except KeyError as e:
    print(repr(e))

# Not through Python functions: python3.11 loses its way then. Bound, partial, mapped: C all the way.
for f, args in [
    (cpp_sample.throws, ()),
    (cpp_sample.throws, (1, 2)),
    (functools.partial(cpp_sample.throws, 1), (2,)),
    (cpp_sample.catches, (cpp_sample.throws, ())),
    (sorted, ([2, 1],)),
]:
    for _ in range(3):
        try:
            print(cpp_sample.catches(f, args))
        except RuntimeError as e:
            print(e)


def often():
    n = 0
    for _ in range(100):
        try:
            cpp_sample.catches(cpp_sample.throws, ())
        except RuntimeError:
            n += 1
    return n


print(often())


class Sub(cpp_sample.Node):
    def __init__(self):
        self.log = []


died = 0
for i in range(2000):
    n = Sub()
    n.self, n.x, n.other = n, i, cpp_sample.Node()
    n.other.back = n
    n.log.append(n)
    weakref.finalize(n, lambda: globals().update(died=died + 1))
    if i % 50 == 0:
        gc.collect()
    assert n.x == i
    if i % 3 == 0:
        del n.self
del n
gc.collect()
print(died, [type(o).__name__ for o in gc.get_objects() if isinstance(o, cpp_sample.Node)])
try:
    del cpp_sample.Node().q
except AttributeError as e:
    print(repr(e))

for base in (cpp_sample.Bag, cpp_sample.Managed):
    class Derived(base):
        pass

    for cls in (base, Derived):
        o = cls()
        o.a, o.me = 1, o
        print(cls.__name__, o.a, sorted(o.__dict__), sorted(vars(o)))
        o.__dict__ = {"b": 2, "me": o}
        print(hasattr(o, "a"), o.b, o.me is o)
        for wrong in ([], None, 5):
            try:
                o.__dict__ = wrong
            except TypeError as e:
                print(e)
        try:
            del o.__dict__
            print(o.__dict__)
        except TypeError as e:
            print(e)
        for i in range(300):
            o = cls()
            o.me, o.n = o, i
            o.__dict__ = dict(o.__dict__, i=i)
            assert o.i == o.n == i
        del o
        gc.collect()
        # python3.11 visits the dictionary of a class derived from Managed twice, and never finds the cycle.
        if (base, cls) != (cpp_sample.Managed, Derived):
            print(len([x for x in gc.get_objects() if type(x) is cls]))
