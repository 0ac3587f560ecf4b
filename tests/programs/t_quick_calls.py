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
