"""A guard that fails after its instruction has already taken operands from the stack: their references go back."""
import sys


class Holder:
    def __init__(self, what):
        self.what = what

    def __getattr__(self, name):
        return OTHER[0]


class Thing:
    pass


OTHER = [None]
THINGS = [Thing(), Thing()]


def compare(holders):
    hits = 0
    for h in holders:
        if h.what is h.missing:
            hits += 1
        elif h.what in (h.missing, THINGS[1]):
            hits += 10
    return hits


holders = [Holder(THINGS[i & 1]) for i in range(300)]
for other in (None, THINGS[0], 5, None, "text", THINGS[1], 2.5, None):
    OTHER[0] = other
    for _ in range(6):
        hits = compare(holders)
    print(hits, [sys.getrefcount(t) for t in THINGS])
