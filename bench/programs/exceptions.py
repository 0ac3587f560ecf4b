"""Exceptions: raised, caught, chained, finally blocks, context managers."""


class Missing(KeyError):
    pass


def find(table, key):
    try:
        return table[key]
    except KeyError as e:
        raise Missing(key) from e


class Guard:
    def __init__(self, log):
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        self.log[0] += 1
        return kind is ValueError


def run():
    table = {i: i * 2 for i in range(0, 100, 2)}
    log = [0]
    acc = 0
    for i in range(6000):
        try:
            acc += find(table, i % 100)
        except Missing:
            acc += 1
        finally:
            acc ^= 1
        with Guard(log):
            if i % 5 == 0:
                raise ValueError(i)
            acc += 2
        try:
            int("x" if i % 3 == 0 else "7")
        except ValueError:
            acc += 3
    return acc + log[0]
