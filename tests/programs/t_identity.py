# What is asked for twice is the same object where CPython's is, and small texts of built-in types.
import functools
import itertools


class C:
    "doc"

    def m(self):
        "method doc"


Long = type("Longer", (), {})
print(C.__name__ is C.__name__, Long.__name__ is Long.__name__, Long.__qualname__ is Long.__qualname__, C.__module__ is C.__module__)
print(C.__bases__ is C.__bases__, C.__mro__ is C.__mro__, C.__doc__ is C.__doc__, C.m.__doc__ is C.m.__doc__, C.m.__code__.co_consts is C.m.__code__.co_consts)
Long.__name__ = "Renamed"
print(Long.__name__ is Long.__name__, Long.__name__, Long.__qualname__)
e = OSError(1, "x", "f")
print(e.args is e.args, e.filename is e.filename, e.strerror is e.strerror)
p = functools.partial(int, "3")
print(p.args is p.args, p.keywords is p.keywords, p.func is int)
for cls, names in (complex, ["real", "imag"]), (OSError, ["errno", "strerror", "filename", "filename2"]):
    print([vars(cls)[n].__doc__ for n in names])


class Plain(itertools.islice):
    pass


class Own(itertools.islice):
    def __init__(self, *args, more=None):
        self.more = more


for make in (lambda: itertools.islice([1], 1, more=2), lambda: Plain([1], 1, more=2), lambda: Own([1], 1, more=2).more):
    try:
        print(make())
    except TypeError as e:
        print(e)


def f(**k):
    pass


for call in "f(**{1: 3}, **{1: 5})", "f(**{1: 3})", "f(a=1, **{'a': 2})", "f(**{'a': 1}, **{'a': 2})", "f(**{(): 1}, **{(): 2})":
    try:
        eval(call)
    except TypeError as e:
        print(call, e)
