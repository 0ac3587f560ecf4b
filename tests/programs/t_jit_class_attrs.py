"""Attributes and methods of classes in hot loops: through metaclasses of all sorts, and things that change meanwhile."""
import abc
import enum


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3

    @classmethod
    def pick(cls, n):
        return list(cls)[n % 3]

    @property
    def next(self):
        return Colour.pick(self.value)


def enums():
    t = 0
    for i in range(600):
        c = Colour.pick(i)
        if c is Colour.RED:
            t += c.value
        elif c == Colour.GREEN:
            t += len(c.name) * 10
        else:
            t += c.next.value * 100
    print(t)
    for i in range(200):
        try:
            t += Colour.PINK if i % 3 == 2 else 1
        except AttributeError as e:
            t += len(str(e))
    print(t)


class Base(metaclass=abc.ABCMeta):
    made = 0
    limit = 7

    @abc.abstractmethod
    def go(self):
        ...

    @classmethod
    def make(cls, *args):
        Base.made += 1
        return cls(*args)

    @staticmethod
    def twice(x):
        return 2 * x


class One(Base):
    limit = 9

    def __init__(self, v=1):
        self.v = v

    def go(self):
        return self.twice(self.v) + self.limit


class Two(One):
    def go(self):
        return One.go(self) + type(self).limit


def abstract():
    t = 0
    for i in range(800):
        k = One if i % 5 else Two
        o = k.make(i)
        t += o.go() + k.limit + o.make(3).go() + k.twice(i)
        if i == 300:
            One.limit = 11
        if i == 500:
            Base.twice = staticmethod(lambda x: 3 * x)
        if i == 600:
            One.make = classmethod(lambda cls, v: cls(v + 1))
        if i == 700:
            del One.limit
    print(t, Base.made)


def shadows():
    class C:
        @staticmethod
        def s(x):
            return x + 1

        @classmethod
        def c(cls, x):
            return (cls.__name__, x)

    t = 0
    o = C()
    for i in range(500):
        p = C() if i % 2 else o
        if i == 200:
            o.s = lambda x: x + 100
            o.c = lambda x: ("own", x)
        r = p.c(i)
        t += p.s(i) + len(r[0])
    print(t)


class Meta(type):
    def __getattr__(cls, name):
        return len(name)


class Plain(metaclass=Meta):
    a = 5

    def f(self=4):
        return self


def metas():
    t = 0
    for i in range(900):
        t += Plain.a + Plain.unknown + Plain.f()
        if i == 300:
            Meta.a = property(lambda cls: 1000)
        if i == 400:
            del Meta.a
        if i == 500:
            Meta.a = 77
        if i == 600:
            Meta.__getattribute__ = lambda cls, name: type.__getattribute__(cls, name) if name != "a" else 3
        if i == 750:
            del Meta.__getattribute__
    print(t)


def other_meta():
    class M1(type):
        pass

    class M2(type):
        @property
        def x(cls):
            return 50

    class C(metaclass=M1):
        x = 1

    t = 0
    for i in range(600):
        t += C.x
        if i == 300:
            C.__class__ = M2
    print(t)


enums()
abstract()
shadows()
metas()
other_meta()
