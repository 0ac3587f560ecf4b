"""Calls of built-in functions in loops long enough for their quick forms, and what may change under them: the names, the arguments'
last references, errors, recursion."""
import builtins
import math
import sys

N = 60


def each(f, *args):
    """What `f` answers or raises every time, if that is always the same."""
    seen = []
    for _ in range(N):
        try:
            r = f(*args)
        except Exception as e:
            r = type(e).__name__, str(e)
        if not seen or seen[-1] != r:
            seen.append(r)
    return seen


class Slots:
    def __len__(self): return 3
    def __hash__(self): return 1 << 70
    def __iter__(self): return iter(())
    def __next__(self): return "next"


class Bad:
    __hash__ = None
    def __len__(self): return -1
    def __iter__(self): return 5


class Raises:
    def __len__(self): raise KeyError("len")
    def __hash__(self): raise KeyError("hash")
    def __iter__(self): raise KeyError("iter")
    def __next__(self): raise KeyError("next")


class Sequence:
    def __getitem__(self, i): return i


def length(o): return len(o)
def hashed(o): return hash(o)
def iterated(o): return type(iter(o)).__name__
def stepped(o): return next(o)
def defaulted(o): return next(o, "default")


for f in length, hashed, iterated, stepped, defaulted:
    for o in Slots(), Bad(), Raises(), Sequence(), "text\xe9", 5, [], {}, -1, 2.5, iter(()), type:
        name = type(o).__name__
        if f is hashed and name in ("str", "type", "Sequence", "tuple_iterator"):
            continue
        print(f.__name__, name, each(f, o))

# The sites above have met all of these; a mixed one.
print(each(lambda: [len(o) for o in ([], "ab", {1}, range(5), Slots())]))


# Names that change.
value = 1
def read(): return value
def count():
    global value
    value += 1
    return value
print(each(read))
print([count() for _ in range(N)][-3:], read())
value = "other"
print(read(), each(read))
del value
print(each(read))
value = 3
print(each(read))

def absolute(x): return abs(x)
print(each(absolute, -2))
real = builtins.abs
builtins.abs = lambda x: "replaced"
print(each(absolute, -2))
builtins.abs = real
print(each(absolute, -2))
abs = lambda x: "global"
print(each(absolute, -2))
del abs
print(each(absolute, -2))
del builtins.abs
print(each(absolute, -2))
builtins.abs = real
print(each(absolute, -2))

def root(x): return math.sqrt(x), math.floor(x)
print(each(root, 4))
real = math.sqrt
math.sqrt = lambda x: "replaced"
print(each(root, 4))
math.sqrt = real
print(each(root, 4))
del math.sqrt
print(each(root, 4))
math.sqrt = real
print(each(root, 4))

# The same code with other globals and builtins.
code = compile("def f(x):\n    return size(x), len(x)\n", "<made>", "exec")
for size in len, sum:
    for own in {}, {"len": lambda x: "own"}:
        scope = {"size": size, "__builtins__": {**vars(builtins), **own}}
        exec(code, scope)
        print(each(scope["f"], (1, 2)))


# Operands that die in the call, in their order.
class Dies:
    def __init__(self, name): self.name = name
    def __del__(self): gone.append(self.name)
    def __len__(self): return len(self.name)
    def __hash__(self): return 7
    def __iter__(self): return iter(self.name)
    def __call__(self, *a): return a and a[0]


def dying():
    len(Dies("a")); hash(Dies("b")); iter(Dies("c")); print("", end="", file=None, flush=Dies("d"))
    max(Dies("e"), Dies("f"), key=len); isinstance(Dies("g"), Dies); [].append(Dies("h")); "".join(Dies("i"))
    {}.get(Dies("j"), Dies("k")); sum([], Dies("l")); Dies("m")(Dies("n")); getattr(Dies("o"), "name", Dies("p"))
    try:
        len(Dies("q"), Dies("r"))
    except TypeError as e:
        gone.append(str(e))
    try:
        math.floor(Dies("s"))
    except TypeError as e:
        gone.append(str(e))

for i in range(N):
    gone = []
    dying()
    if i in (0, N - 1):
        print(gone)

# A function that is its own only argument.
def own():
    l = [[].append]
    return [l.pop() is not None or 0 for _ in range(1)], callable(callable), (lambda f: f(f))(id) == id(id)
print(each(own))


# Recursion through C functions is counted, and the count comes back.
class Deep:
    def __len__(self): return len(self)
    def __hash__(self): return hash(self)
    def __iter__(self): return iter(self)
    def __next__(self): return next(self)

for f in len, hash, iter, next:
    try:
        f(Deep())
    except RecursionError as e:
        print(f.__name__, type(e).__name__)

def depth(n=0):
    try:
        return depth(n + 1)
    except RecursionError:
        return n
a = depth()
for _ in range(200):
    each(length, Raises())
print(abs(depth() - a) < 3)


# Calls that are traced see the same.
events = []
def profile(frame, event, arg):
    if event.startswith("c_") and arg.__name__ in ("len", "hash", "iter", "next"):
        events.append((event, arg.__name__))
def traced(o):
    for i in range(10):
        if i == 5:
            sys.setprofile(profile)
        len(o); hash(o); iter(o); next(o)
        if i == 6:
            sys.setprofile(None)
traced(Slots())
print(events)


# Operators whose slots answer, refuse, raise, and operands that die there.
import array
import collections
import datetime

def plus(a, b): return a + b
def ored(a, b):
    a |= b
    return a
def added(a, b):
    a += b
    return a
def less(a, b): return a < b
def equal(a, b): return a == b
def item(a, b): return a[b]
def within(a, b): return a in b

day, hour = datetime.date(2000, 1, 1), datetime.timedelta(days=1)
for f, pairs in (
    (plus, [(day, hour), (hour, day), (day, 1), (1.5, day), ((1,), (2,)), ((1,), [2]), (b"a", bytearray(b"b"))]),
    (ored, [({1}, {2}), ({1}, 5), ({1: 2}, {3: 4}), ({1: 2}, 5), (frozenset({1}), {2}), (True, False)]),
    (added, [((1,), (2,)), (day, hour), (5, hour), ("a", "b"), ("a", 5), (collections.Counter("a"), 5)]),
    (less, [(day, day), (day, hour), ({1}, {1, 2}), ((1, 2), (1, 3)), (b"a", "b"), (1j, 2j)]),
    (equal, [(day, day), (day, hour), ({1}, frozenset({1})), ((1, 2), (1, 2)), (b"a", "a"), (1j, 1)]),
    (item, [(b"abc", 1), (array.array("i", [1, 2]), 1), (array.array("i", [1, 2]), 5), ("abc", -1), ("abc", 3), (day, 1), (range(5), slice(2)),
            (list, int), ([1, 2], 1 << 70), ([1, 2], True), ([1, 2], -2)]),
    (within, [(1, array.array("i", [1])), (1, {1}), ("a", "abc"), (1, "abc"), ([], {1}), (1, 5), (2, iter([1]))]),
):
    for a, b in pairs:
        print(f.__name__, each(f, a, b))

class Operand(Dies):
    def __add__(self, other): return "added"
    def __lt__(self, other): return "less"
    def __getitem__(self, i): return "item"
    def __contains__(self, i): return True
for i in range(N):
    gone = []
    Operand("a") + Operand("b"); Operand("c") < Operand("d"); Operand("e")[Operand("f")]; Operand("g") in Operand("h")
    {}.get(1) == Operand("i"); Operand("j") + (Operand("k"),)
print(sorted(gone))
