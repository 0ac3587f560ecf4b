"""Drives the two SWIG modules."""
import importlib
import sys


def show(f, /, *args):
    try:
        r = f(*args)
        print("->", r if not hasattr(r, "this") else type(r).__name__)
    except BaseException as e:
        print("!!", type(e).__name__, str(e).replace(sys.argv[-1], "M").splitlines()[0])


for name in ("shapes_plain", "shapes_builtin"):
    m = importlib.import_module(name)
    print(name)
    p = m.Point(1, 2) + m.Point(3, 4)
    print(p.__str__(), p.x, p == m.Point(4, 6), p == m.Point(4, 5))
    p.x = 9
    print(p.x, m.Point().y)
    show(setattr, p, "x", "text")

    class Circle(m.Shape):
        def __init__(self, r):
            super().__init__("circle")
            self.r = r

        def area(self):
            return 3.0 * self.r * self.r

    class Broken(m.Shape):
        def __init__(self):
            super().__init__("broken")

        def area(self):
            raise KeyError("no area")

    c, s = Circle(2), m.Square(3)
    print(c.area(), c.doubled(), c.describe(), m.area_of(c), s.describe(), m.area_of(s), m.Shape("plain").doubled(), m.cvar.alive if hasattr(m.cvar, "alive") else "")
    show(m.area_of, Broken())
    show(Broken().doubled)
    show(m.area_of, 5)
    print(isinstance(s, m.Shape), issubclass(m.Square, m.Shape), s.name)
    s.name = "renamed"
    print(s.describe())
    print(m.over(1), m.over("x"), m.over(m.Point(7)))
    show(m.over, [])
    v = m.firsts(5)
    print(list(v), len(v), v[2], list(v[1:3]), m.total(v), m.total([1, 2, 3]), m.total((4, 5)))
    w = m.IntVector([3, 1, 2])
    w.append(9)
    w[0] = 7
    del w[1]
    print(list(w), w.size(), 9 in list(w), bool(w), sorted(w))
    show(m.at, w, 10)
    show(w.__getitem__, 99)
    show(m.total, ["x"])
    show(m.fail, "because")
    print(dict(m.names()), m.hello("you"), m.GREEN, m.LIMIT, m.cvar.counter)
    m.cvar.counter = 8
    print(m.cvar.counter)
    show(m.hello, 5)
    show(m.over)
    del c, s, v, w, p
    print(m.Point.__mro__[-1], hasattr(m.Point, "__swig_destroy__"))
