"""Generators: pipelines, recursion with yield from, send, generator expressions."""


def numbers(n):
    i = 0
    while i < n:
        yield i
        i += 1


def squares(it):
    for x in it:
        yield x * x


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def averager():
    total = count = 0
    mean = 0
    while True:
        total += yield mean
        count += 1
        mean = total // count


def run():
    acc = sum(squares(numbers(15000)))
    acc += sum(tree(10))
    a = averager()
    next(a)
    for i in range(12000):
        acc += a.send(i)
    acc += sum(x for x in range(15000) if x % 3 == 0)
    acc += max(len(w) for w in ("a", "bb", "ccc") * 2000)
    return acc
