"""Measured by coverage: branches, generators, exceptions, what never runs."""
import contextlib


def classify(n):
    if n < 0:
        return "negative"
    elif n == 0:
        return "zero"
    for d in range(2, n):
        if n % d == 0:
            break
    else:
        return "prime"
    return "composite"


def never():
    x = 1
    return x


def gen(n):
    try:
        for i in range(n):
            if i == 3:
                continue
            yield i
    finally:
        print("done")


class Thing:
    def __init__(self, v):
        self.v = v

    @property
    def twice(self):
        return self.v * 2

    def missing(self):
        raise NotImplementedError


def handler(x):
    try:
        return 10 / x
    except ZeroDivisionError:
        return None
    except TypeError:
        return "type"


def match(x):
    match x:
        case {"a": int(v)}:
            return v
        case [1, *rest] if rest:
            return rest
        case _:
            return "other"


print([classify(n) for n in (0, 5, 6)], list(gen(5)), Thing(3).twice)
print(handler(0), handler(2), match({"a": 1}), match([1, 2]))
with contextlib.suppress(KeyError):
    {}["x"]
print([x for x in range(10) if x % 3], (lambda: 5)(), sum(i for i in range(4)))
