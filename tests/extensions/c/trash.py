"""Deallocators with the trashcan: nothing is kept, however often and however deep."""
import gc

from c_trash import Link, Table, counts


class Derived(Link):
    pass


class DerivedTable(Table):
    pass


for kind in Link, Table, Derived, DerivedTable:
    for _ in range(200):
        kind()
    print(kind.__name__, counts())
watched = set()
for _ in range(100):
    [set([frozenset([i])]) for i in range(3)]
before = len(gc.get_objects())
for _ in range(100):
    x = [Link([Link()]), {1: Table(a=[Link()])}]
x = None
print("kept:", len(gc.get_objects()) - before, counts())

chain = None
for _ in range(100_000):
    chain = Link(chain)
chain = None
print("chain", counts())
for _ in range(50_000):
    chain = Table(next=[Derived((chain, {0: frozenset([1])}))])
chain = None
print("mixed chain", counts())
ring = Link(r := [])
r.append(ring)
del ring, r
print("ring", gc.collect() > 0, counts())
