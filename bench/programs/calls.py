"""Calls of functions: recursion, defaults, keywords, star arguments."""


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def scaled(x, factor=3, *, offset=0):
    return x * factor + offset


def total(*values, **options):
    s = sum(values)
    return -s if options.get("negative") else s


def run():
    acc = fib(21)
    for i in range(8000):
        acc += scaled(i) + scaled(i, 2) + scaled(i, offset=5) + total(i, 1, 2) + total(i, negative=True)
    return acc
