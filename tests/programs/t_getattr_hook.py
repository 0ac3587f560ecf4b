"""Attributes of instances whose class has a `__getattr__`: what exists is found without it, compiled or not."""


class Lazy:
    kind = "class"

    def __init__(self, n):
        self.n = n

    def __getattr__(self, name):
        if name.startswith("made"):
            value = len(name)
            setattr(self, name, value)
            return value
        raise AttributeError(name)

    def method(self, k):
        return self.n + k

    @property
    def fails(self):
        raise AttributeError("inside")

    @property
    def works(self):
        return self.n * 2


class Sub(Lazy):
    pass


def run(o, n):
    s = 0
    for i in range(n):
        s += o.n + o.method(i) + o.works + len(o.kind) + o.made_it
        if i % 100 == 0:
            try:
                o.fails
            except AttributeError as e:
                s += len(str(e))
            try:
                o.missing
            except AttributeError as e:
                s += len(str(e))
        if i % 500 == 499:
            del o.made_it
    return s


print(run(Lazy(3), 3000), run(Sub(4), 3000))


def change(n):
    o, s = Sub(1), 0
    for i in range(n):
        s += o.n + len(o.kind)
        if i == n // 2:
            Sub.__getattribute__ = lambda self, name: 1000 if name == "n" else object.__getattribute__(self, name)
        if i == n * 3 // 4:
            del Sub.__getattribute__
    return s


print(change(4000))


def unset(n):
    o, s = Lazy(1), 0
    Lazy.__getattr__ = lambda self, name: 5
    for i in range(n):
        s += o.n
        if i % 1000 == 999:
            del o.n
            s += o.n
            o.n = i
    del Lazy.__getattr__
    try:
        o.gone
    except AttributeError as e:
        print(e)
    return s


print(unset(4000))
