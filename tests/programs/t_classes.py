# Classes: inheritance, descriptors, properties, metaclasses, slots, operators, attribute hooks.
class Base:
    count = 0
    def __init__(self, x): self.x = x; Base.count += 1
    def __repr__(self): return f"{type(self).__name__}({self.x!r})"
    def __eq__(self, o): return isinstance(o, Base) and self.x == o.x
    def __hash__(self): return hash(self.x)
    def __lt__(self, o): return self.x < o.x
    def __add__(self, o): return type(self)(self.x + getattr(o, "x", o))
    __radd__ = __add__
    def __getitem__(self, i): return (self.x, i)
    def __len__(self): return 3
    def __call__(self, *a, **k): return a, k
    def __contains__(self, v): return v == self.x
    def __bool__(self): return self.x != 0
    def __enter__(self): print("enter"); return self
    def __exit__(self, *exc): print("exit", exc[0] and exc[0].__name__); return True
    @property
    def double(self): return self.x * 2
    @double.setter
    def double(self, v): self.x = v // 2
    @classmethod
    def make(cls, v): return cls(v)
    @staticmethod
    def helper(a, b=2): return a + b
class Derived(Base):
    def __init__(self, x, y=1): super().__init__(x); self.y = y
    def __getattr__(self, n):
        if n.startswith("dyn_"): return n[4:]
        raise AttributeError(n)
a, b = Base(1), Derived(2)
print(a, b, a + b, 5 + a, a == Base(1), a != b, a < b, a[1], a[1:2], len(a), a(1, k=2), 1 in a, bool(Base(0)), a.double, Base.make(3), Derived.make(4), Base.helper(1), b.dyn_hi, Base.count)
a.double = 10; print(a.x, a.__dict__, vars(b), Derived.__mro__, Derived.__bases__, isinstance(b, Base), issubclass(Derived, Base), type(b).__name__)
with Base(1) as w:
    raise ValueError("swallowed")
for f in (lambda: b.nope, lambda: Base(), lambda: Base(1, 2), lambda: Derived(x=1, z=2), lambda: setattr(Base(1), "double", "x"), lambda: Base.make(), lambda: a.helper(), lambda: object().x, lambda: a < 5):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
class Meta(type):
    def __new__(m, name, bases, ns, **kw):
        c = super().__new__(m, name, bases, ns); c.tag = kw.get("tag"); return c
    def __init__(c, name, bases, ns, **kw): super().__init__(name, bases, ns)
    def __call__(c, *a): print("making", c.__name__); return super().__call__(*a)
    @classmethod
    def __prepare__(m, name, bases, **kw): return {"prepared": True}
    def __iter__(c): return iter([1, 2])
class M(metaclass=Meta, tag="t"):
    pass
print(M(), M.tag, M.prepared, list(M)) if False else (M().__class__.__name__, M.tag, M.prepared, list(M))
print(M.tag, type(M).__name__)
class Desc:
    def __set_name__(self, owner, name): self.name = name; print("set_name", owner.__name__, name)
    def __get__(self, o, t): return self if o is None else o.__dict__.get(self.name, "unset")
    def __set__(self, o, v): o.__dict__[self.name] = v * 10
    def __delete__(self, o): del o.__dict__[self.name]
class D:
    f = Desc()
    def __init_subclass__(cls, **kw): super().__init_subclass__(); print("sub", cls.__name__, kw)
d = D(); print(d.f); d.f = 4; print(d.f, d.__dict__); del d.f; print(d.f)
class D2(D): pass
class Slots:
    __slots__ = ("a", "b")
    def __init__(self): self.a = 1
s = Slots(); print(s.a)
for f in (lambda: s.b, lambda: setattr(s, "c", 1), lambda: s.__dict__):
    try:
        print(f())
    except AttributeError as e:
        print(e)
class A:
    def who(self): return "A"
class B(A):
    def who(self): return "B" + super().who()
class C(A):
    def who(self): return "C" + super().who()
class E(B, C):
    def who(self): return "E" + super().who()
print(E().who(), [c.__name__ for c in E.mro()])
try:
    class Bad(A, B): pass
except TypeError as e:
    print(e)
import abc, enum, dataclasses, functools
class Abs(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
try:
    Abs()
except TypeError as e:
    print(e)
class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
class Fl(enum.Flag):
    X = 1; Y = 2
print(Color.RED, Color(2), list(Color), Color["RED"].value, Fl.X | Fl.Y, Color.RED in Color)
@dataclasses.dataclass(order=True, frozen=True)
class Pt:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)
print(Pt(1), Pt(1, 2) < Pt(2), dataclasses.asdict(Pt(3, 4)), dataclasses.replace(Pt(1), y=9), hash(Pt(1)) == hash(Pt(1)))
try:
    Pt(1).x = 2
except dataclasses.FrozenInstanceError as e:
    print(e)
@functools.total_ordering
class T:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return self.v == o.v
    def __lt__(self, o): return self.v < o.v
print(T(1) <= T(1), T(2) > T(1), functools.reduce(lambda x, y: x * y, range(1, 6)), functools.partial(int, base=2)("101"))
class X: pass
x = X(); x.a = 1; x.__class__ = type("Y", (X,), {"hello": lambda self: "hi"}); print(x.hello(), x.a, type(x).__name__)
print(int.__add__(1, 2), list.__len__([1]), str.upper("a"), X.__doc__, Base.__init__.__qualname__, type(a.__init__).__name__, a.make.__self__ is Base)
class Del:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
v = Del(1); v = Del(2); del v; [Del(i) for i in range(2)]; print("end")
