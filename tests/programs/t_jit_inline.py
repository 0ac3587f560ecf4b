# Compiled loops that call Python functions: tracebacks, frames, recursion, classes and closures at the edge.
import sys, traceback, gc, weakref

def boom(x):
    if x == 777:
        raise ValueError(x)
    return x + 1

def middle(x):
    y = boom(x)
    return y * 2

def catches(n):
    total = 0
    for i in range(n):
        try:
            total += middle(i)
        except ValueError as e:
            traceback.print_exc(file=sys.stdout)
            total += e.args[0]
    return total
print(catches(1000))

def leaves(n):
    for i in range(n):
        middle(i)
try:
    leaves(1000)
except ValueError:
    print(traceback.format_exc())

class Noisy:
    live = 0
    def __init__(self, k):
        self.k = k
        Noisy.live += 1
    def __del__(self):
        Noisy.live -= 1
        if self.k % 400 == 0:
            f = sys._getframe(1)
            print("gone", self.k, f.f_code.co_name)

def use(o):
    return o.k

def destructors(n):
    t = 0
    for i in range(n):
        o = Noisy(i)
        t += use(o)
        use(Noisy(-i))
    return t
print(destructors(900), Noisy.live)

def who(k):
    if k % 500 == 499:
        f = sys._getframe()
        return [g.f_code.co_name for g in (f, f.f_back, f.f_back.f_back)] + [f.f_locals["k"], f.f_lineno]
    return None

def caller(k):
    return who(k)

def frames(n):
    out = []
    for i in range(n):
        r = caller(i)
        if r:
            out.append(r)
    return out
print(frames(1500))

kept = []
def keeps(k):
    z = k * 2
    if k % 300 == 299:
        kept.append(sys._getframe())
    return z

def frame_objects(n):
    s = 0
    for i in range(n):
        s += keeps(i)
    return s
print(frame_objects(1000), [(f.f_locals, f.f_lineno, f.f_back is None) for f in kept])
kept.clear()

def loc(a, b=2):
    c = a + b
    if a % 350 == 349:
        return sorted(locals().items())
    return c

def local_dicts(n):
    last = None
    for i in range(n):
        r = loc(i)
        if type(r) is list:
            last = r
    return last
print(local_dicts(1100))

def deep(n):
    if n == 0:
        return 0
    return 1 + deep(n - 1)

def recursion(n):
    t = 0
    for i in range(n):
        t += deep(i % 20)
    return t
print(recursion(600))

def endless(n):
    return endless(n + 1) + 1
for _ in range(3):
    try:
        endless(0)
    except RecursionError as e:
        print(type(e).__name__, str(e)[:40])

def keywords(a, b=10, *, c=3):
    return a * 100 + b * 10 + c
def positional(a, b, c=5): return a - b * c
def calls(n):
    t = 0
    for i in range(n):
        t += positional(i, c=2, b=3) + positional(b=i, a=1) + keywords(i, c=1) + keywords(1, b=i)
    return t
print(calls(800))

def wrong(n):
    for i in range(n):
        if i == 500:
            positional(1)
        positional(i, 1)
try:
    wrong(1000)
except TypeError as e:
    print(e)

def closures(n):
    k = 0
    def add(x):
        nonlocal k
        k += x
        return k
    for i in range(n):
        add(i)
    return k, add(0)
print(closures(700))

def makers(n):
    t = 0
    for i in range(n):
        f = lambda x, i=i: x + i
        g = lambda x: x * i
        t += f(1) + g(2)
    return t
print(makers(700))

class A:
    def __init__(self, x): self.x = x
    def get(self): return self.x
    def twice(self): return self.get() + self.get()
class B(A):
    def get(self): return -self.x
def polymorphic(n):
    t = 0
    objects = [A(1), B(2), A(3)]
    for i in range(n):
        t += objects[i % 3].twice()
    return t
print(polymorphic(900))

def changes_class(n):
    o, t = A(5), 0
    for i in range(n):
        if i == 600:
            o.__class__ = B
        if i == 800:
            A.get = lambda self: 1000
        if i == 900:
            o.__class__ = A
        if i == 950:
            o.get = lambda: 7
        t += o.twice()
    return t
print(changes_class(1000))
del A.get
A.get = lambda self: self.x

def rebinds(n):
    global helper
    def first(x): return x + 1
    def second(x): return x + 2
    helper = first
    t = 0
    for i in range(n):
        if i == 500:
            helper = second
        if i == 700:
            helper.__defaults__ = (1,)
        if i == 800:
            second.__code__ = first.__code__
        t += helper(i)
    return t
print(rebinds(1000))

class BadInit:
    def __init__(self, i):
        if i == 600:
            return 5
def bad_init(n):
    for i in range(n):
        BadInit(i)
try:
    bad_init(700)
except TypeError as e:
    print(e)

class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a):
        self.a = a
        self.b = None
    def bump(self):
        self.a += 1
        self.b = self
        return self
def slots(n):
    s = Slots(0)
    for i in range(n):
        s.bump()
        if i % 100 == 50:
            s = Slots(s.a)
    return s.a
print(slots(1000))
gc.collect()

class Attrs:
    def __init__(self, i):
        self.one = i
        self.two = i * 2
        if i % 2:
            self.three = 3
def attribute_order(n):
    for i in range(n):
        a = Attrs(i)
        if i % 300 == 299:
            a.four = 4
            del a.one
            a.one = 1
            print(a.__dict__)
attribute_order(900)

def exits_with_frames(n):
    def inner(i, v):
        w = v + 1
        return w * 2 if i % 2 else w
    def outer(i):
        v = i if i % 3 else float(i)
        return inner(i, v)
    t = 0
    for i in range(n):
        t += outer(i)
    return t
print(exits_with_frames(2000))

def dead_objects(n):
    refs = []
    for i in range(n):
        a = A(i)
        if i % 250 == 0:
            refs.append(weakref.ref(a))
    return [r() is None for r in refs]
print(dead_objects(800))
