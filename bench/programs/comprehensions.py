"""Lists, tuples, slices, comprehensions, unpacking, zip and enumerate."""


def queens(n):
    count = 0

    def place(row, cols, up, down):
        nonlocal count
        if row == n:
            count += 1
            return
        for c in range(n):
            if c not in cols and row + c not in up and row - c not in down:
                place(row + 1, cols + (c,), up | {row + c}, down | {row - c})
    place(0, (), frozenset(), frozenset())
    return count


def run():
    acc = queens(6)
    rows = [[i * j % 17 for j in range(50)] for i in range(50)]
    acc += sum(sum(r) for r in zip(*rows))
    flat = [x for r in rows for x in r if x & 1]
    acc += len(flat) + sum(a * b for a, b in zip(flat, flat[1:]))
    for i, (a, b, *rest) in enumerate(rows):
        a, b = b, a
        acc += a - b + len(rest) + i
    evens = flat[::2]
    evens.reverse()
    evens.extend(flat[10:500:3])
    evens[5:10] = [1, 2, 3]
    acc += evens.index(3) + evens.count(1) + len(evens)
    d = {(i, j): i - j for i in range(60) for j in range(60)}
    acc += sum(d.values()) + len({v for v in d.values()})
    stack = []
    for i in range(15000):
        stack.append(i)
        if i % 3 == 2:
            acc += stack.pop() + stack[-1]
    return acc + any(x == 16 for x in flat) + all(x < 17 for x in flat)
