"""Many small objects made and dropped: binary trees, linked lists, tuples."""


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right

    def check(self):
        if self.left is None:
            return 1
        return 1 + self.left.check() + self.right.check()


def make(depth):
    if depth == 0:
        return Node(None, None)
    return Node(make(depth - 1), make(depth - 1))


class Link:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next
        self.back = None


def ring(n):
    first = last = Link(0)
    for i in range(n):
        last.next = Link(i)
        last.next.back = last
        last = last.next
    last.next = first
    return sum(1 for _ in range(3))


def tuples(depth):
    return (None, None) if depth == 0 else (tuples(depth - 1), tuples(depth - 1))


def run():
    acc = sum(make(d).check() for d in range(4, 12))
    for _ in range(60):
        acc += ring(60)
    t = tuples(11)
    while t[0]:
        t = t[0]
        acc += 1
    return acc
