"""Closures, decorators, lambdas and higher-order functions."""
import functools


def counter():
    n = 0

    def step(k):
        nonlocal n
        n += k
        return n
    return step


def logged(f):
    calls = 0

    @functools.wraps(f)
    def inner(*args):
        nonlocal calls
        calls += 1
        return f(*args) + calls % 2
    return inner


@logged
def add(a, b):
    return a + b


@functools.lru_cache(maxsize=None)
def ways(n):
    return 1 if n < 2 else ways(n - 1) + ways(n - 2)


def run():
    c = counter()
    acc = 0
    for i in range(20000):
        acc += c(i & 3)
        acc ^= add(i, acc & 15)
    acc += sum(map(lambda x: x * x, filter(lambda x: x & 1, range(8000))))
    acc += functools.reduce(lambda a, b: (a + b) % 1009, range(8000))
    for i in range(6000):
        acc += ways(i % 60) & 1
    ways.cache_clear()
    return acc
