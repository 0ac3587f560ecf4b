# Lists, tuples, dicts, sets, ranges, slices, sorting, comprehensions.
l = [5, 3, 8, 1]
l.append(9); l.insert(1, 7); l.extend((2, 2)); l += [0]
print(l, l.pop(), l.pop(0), l.index(8), l.count(2), l[1:4], l[::-1], l[-2:], sorted(l), sorted(l, reverse=True), list(reversed(l)))
l[1:3] = ["a", "b", "c"]; del l[0]; l[::2] = [None] * len(l[::2])
print(l, [1, 2] + [3], [0] * 3, [1, 2] < [1, 3], [1, [2, [3]]], (1,), (), (1, 2) * 2, tuple("abc"), 2 in (1, 2))
words = "the quick brown fox jumps over the lazy dog".split()
print(sorted(words, key=len), sorted(words, key=str.lower, reverse=True), sorted({3: 1, 1: 2}), min(words, key=len), {w: len(w) for w in words})
d = {"a": 1, "b": 2}
d["c"] = 3; d.update(b=20, e=5); d |= {"z": 26}
print(d, d.get("x"), d.get("x", 0), d.pop("a"), d.setdefault("q", []), list(d), list(d.items()), list(d.values()), "b" in d, len(d), d.popitem(), d)
print({**d, "k": 1}, dict([(1, 2)]), dict(a=1), {1: "a"} == {1: "a"}, d.keys() & {"b", "zz"}, list(reversed(d)), dict.fromkeys("ab", 0), d.copy() is d)
s = {3, 1, 2}
s.add(4); s.discard(99); s |= {5}
print(sorted(s), sorted(s & {1, 2, 9}), sorted(s - {1}), sorted(s ^ {1, 100}), s >= {1}, frozenset([1]) == {1}, s.isdisjoint({7}), sorted({x % 3 for x in range(9)}))
print(range(5), list(range(10, 0, -3)), range(10)[2:5], len(range(0, 100, 7)), 50 in range(0, 100, 5), range(3) == range(0, 3, 1), list(range(10**20, 10**20 + 2)))
print([(x, y) for x in range(3) for y in range(3) if x != y], {k: v for k, v in zip("ab", (1, 2))}, list(map(lambda a, b: a + b, [1, 2], [3, 4])),
      list(filter(None, [0, 1, "", "x"])), list(enumerate("ab", 1)), list(zip("abc", [1, 2])), any([0, 1]), all([]), [*range(3), *"xy"], (*[1], 2))
a, *b, c = range(6); (x, y), z = (1, 2), 3
print(a, b, c, x, y, z, [i for i in [1, 2, 3] if i % 2], [[j for j in range(i)] for i in range(4)], slice(1, 2, 3), slice(None).indices(5))
for f in (lambda: [][0], lambda: {}["k"], lambda: [].pop(), lambda: {[]: 1}, lambda: (1).x, lambda: [1, 2].index(3), lambda: [3, "a"].sort(), lambda: set([[]]),
          lambda: [1, 2, 3]["a"], lambda: (1, 2)[5], lambda: dict([1]), lambda: list(5), lambda: tuple(None), lambda: range(1, 2, 0), lambda: next(iter([])),
          lambda: {}.popitem(), lambda: set().pop(), lambda: [].remove(1), lambda: zip([1], [2, 3], strict=True).__next__() and list(zip([1], [2, 3], strict=True))):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
def changing():
    d = {1: 1}
    for k in d:
        d[k + 1] = 1
try:
    changing()
except RuntimeError as e:
    print(e)
r = [1]; r.append(r); print(r); t = {}; t["t"] = t; print(t)
import random
data = random.Random(1).sample(range(10000), 500)
print(sorted(data)[:10], sorted(data, key=lambda v: (v % 10, -v))[:10], sum(data), data == sorted(data))
from collections import OrderedDict, Counter, defaultdict, deque, namedtuple, ChainMap
P = namedtuple("P", "x y"); p = P(1, y=2)
print(p, p._replace(x=5), p._asdict(), Counter("abracadabra").most_common(2), defaultdict(list, a=[1])["b"], deque([1, 2, 3], maxlen=2), ChainMap({"a": 1}, {"b": 2})["b"])
od = OrderedDict(a=1, b=2); od.move_to_end("a"); print(od, list(od))
for o in (True, 3, "s", (1,), object(), 2.5, None, b"x", range(3)):
    for k in (0, "a", slice(1)):
        try: del o[k]
        except TypeError as e: print(type(o).__name__, k, e)
        try: o[k]=1
        except TypeError as e: print(type(o).__name__, k, e)
