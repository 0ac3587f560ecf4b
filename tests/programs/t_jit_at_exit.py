"""At the end of a program everything goes, what compiled code refers to as well."""
import atexit
import weakref


class Loud:
    def __init__(self, name):
        self.name, self.n = name, 0

    def add(self, k):
        self.n += k
        return self

    def __del__(self):
        print("gone:", self.name, self.n)


class Meta(type):
    def __del__(cls):
        print("class gone:", cls.__name__)


def scope():
    class Local(metaclass=Meta):
        def __init__(self, v):
            self.v = v

    total = 0
    for i in range(3000):
        total += Local(i).v
    return Local, total


held = Loud("held")
Local, total = scope()
weakref.finalize(Local, print, "finalized")
atexit.register(print, "exit function")


def use(n):
    for i in range(n):
        held.add(i)
    return held.n


print(total, use(5000), use(10))
