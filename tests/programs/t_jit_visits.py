"""Loops and recursive functions that are entered often and left soon, and later run for long: whether a trace is entered must not be seen."""


def total(items):
    s = 0
    for x in items:
        if x % 3:
            s += x
        else:
            s -= 1
    return s


def depth(tree):
    d = 0
    for t in tree:
        d = max(d, depth(t))
    return d + 1


class Sums:
    def __init__(self):
        self.n = 0

    def take(self, items):
        i = 0
        while i < len(items):
            self.n += items[i]
            i += 1
        return i


def first_above(items, limit):
    for x in items:
        if x > limit:
            return x
    raise LookupError(limit)


def main():
    short, one, long = [1, 2], (5,), list(range(3000))
    sums, acc = Sums(), 0
    for phase in range(3):
        for k in range(9000):
            acc += total(short) + total(one)
            acc += sums.take(one)
            acc += depth([[], [[]]]) if k % 8 == 0 else depth([])
            try:
                acc += first_above(short, k & 3)
            except LookupError as e:
                acc += e.args[0]
        print(phase, acc, sums.n)
        # The same loops, long now, of other types, and short again.
        for _ in range(20):
            acc += total(long) + sums.take(long)
        print(total([1.5, 2.5, True, 9]), total(range(2500)), first_above(long, 2900), depth([[[[]]], []]))
        try:
            total([1, "%s"])
        except TypeError as e:
            print(e)
    print(acc, sums.n)


main()
