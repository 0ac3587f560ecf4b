# Built-in functions that consume what Python code makes: results, errors, frames and tracebacks are those of native loops.
import sys, traceback, functools, collections

def numbers(n):
    for i in range(n):
        yield i * 3 % 101

def fails(n, at):
    for i in range(n):
        if i == at:
            raise ValueError(i)
        yield i

def lines(e):
    return [(f.name, f.line) for f in traceback.extract_tb(e.__traceback__)]

N = 3000
for _ in range(3):
    print(sum(numbers(N)), sum((x * 0.5 for x in numbers(N)), 1), sum((x for x in numbers(N)), 2.5))
    print(sum([[i] for i in range(3)], []), len(sum(([i] for i in range(200)), [])))
    print(sum(2 ** 40 * x for x in numbers(N)), sum(x + 1j for x in numbers(50)))
    print(any(x > 99 for x in numbers(N)), any(x > 101 for x in numbers(N)), all(x < 101 for x in numbers(N)), all(x < 100 for x in numbers(N)))
    print(len(list(numbers(N))), list(numbers(N))[-5:], tuple(numbers(200))[-3:], sorted(numbers(300))[:9])
    print(len(set(numbers(N))), len(frozenset(x % 7 for x in numbers(N))), len({*numbers(N)}), [*numbers(90)][-2:])
    print(max(numbers(N)), min(numbers(N)), max(numbers(N), key=lambda x: -x), min(range(N), key=lambda x: (x - 50) ** 2))
    print(max((float(x) for x in numbers(N))), min(('%d' % x for x in numbers(N)), key=len), max(numbers(N), default=3))
    print(','.join(str(x) for x in numbers(120))[-30:], len(''.join('ab' for x in numbers(N))))
    print(sum(map(lambda x: x + 1, range(N))), list(map(lambda x: x * x, range(400)))[-3:], list(filter(lambda x: x % 9 == 0, range(400)))[-3:])
    print(sum(filter(None, numbers(N))), sum(map(int, ('%d' % x for x in numbers(N)))), list(filter(bool, numbers(200)))[-2:])
    print(functools.reduce(lambda a, b: (a * 31 + b) % 1000003, numbers(N)), functools.reduce(lambda a, b: a + b, range(400), 7))
    print(sorted(range(400), key=lambda x: -x % 17)[:12], sorted(numbers(300), key=lambda x: x % 5, reverse=True)[:8])
    print(dict((i, x) for i, x in enumerate(numbers(300)))[299], len(dict.fromkeys(x for x in numbers(N))), collections.Counter(x % 3 for x in numbers(N)))
    print(len(collections.deque((x for x in numbers(N)), 40)))
    l = [1]
    l.extend(x for x in numbers(300))
    l += (x for x in numbers(200))
    print(len(l), l[-3:])
    l.sort(key=lambda x: x ^ 5)
    print(l[:5])

class Steps:
    def __init__(self, n):
        self.n = n
    def __next__(self):
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        return self.n
class Whole:
    def __iter__(self):
        return Steps(500)
print(sum(Whole()), list(Whole())[:3], max(Whole()), len(set(Whole())))

# Errors.
for consumer in (sum, any, all, list, tuple, set, max, min, sorted, lambda g: ''.join(map(str, g)), lambda g: dict.fromkeys(g),
                 lambda g: functools.reduce(lambda a, b: a + b, g), lambda g: sum(map(lambda x: x, g)), lambda g: [].extend(g)):
    for at in (3, 300, 500):
        try:
            if consumer is any:
                consumer(x < 0 for x in fails(600, at))
            elif consumer is all:
                consumer(x >= 0 for x in fails(600, at))
            else:
                consumer(x for x in fails(600, at))
        except ValueError as e:
            print(e, [n for n, _ in lines(e)])

def stops(x):
    if x == 300:
        raise StopIteration
    return x
print(sum(map(stops, range(1000))), len(list(map(stops, range(1000)))), len(list(filter(stops, range(1000)))))
try:
    print(sorted(range(1000), key=stops))
except StopIteration as e:
    print('StopIteration', [n for n, _ in lines(e)])
class Odd:
    def __add__(self, x):
        raise StopIteration('add')
    __radd__ = __add__
    def __bool__(self):
        raise TypeError('no truth')
    def __lt__(self, other):
        raise KeyError('order')
    __gt__ = __lt__
def odd(n):
    for i in range(n):
        yield i
    yield Odd()
for f in (sum, lambda g: any(x if type(x) is Odd else False for x in g), max, min, lambda g: all(x or True for x in g), set, sorted):
    try:
        print(type(f(odd(400))))
    except Exception as e:
        print(type(e).__name__, e, [n for n, _ in lines(e)])
for bad in (((i, i, i) if i == 200 else (i, i) for i in range(400)), (5 if i == 200 else (i, i) for i in range(400))):
    try:
        dict(bad)
    except Exception as e:
        print(type(e).__name__, e)
try:
    ','.join(str(i) if i != 222 else i for i in range(300))
except TypeError as e:
    print(e)
try:
    set([] if i == 222 else i for i in range(300))
except TypeError as e:
    print(e)

# Frames.
def callers(n):
    for i in range(n):
        if i == n - 1:
            f = sys._getframe()
            names = []
            while f is not None:
                names.append(f.f_code.co_name)
                f = f.f_back
            print(names, sys._getframe(1).f_code.co_name)
        yield i
def outer():
    a = 5
    sum(callers(400))
    list(callers(400))
    max(map(lambda x: x, callers(400)))
    print(sorted(eval('[locals_ for locals_ in (1, 2)]')), sum(1 for _ in map(lambda i: i, range(400))))
    return sorted(locals())
print(outer(), outer())
print([sum(map(eval, ['a + 1'] * 3)) for a in [4]] if 'a' in globals() else sum(map(eval, ('1 + %d' % i for i in range(400)))))

# Depth: consuming counts no more levels than it did.
def deep(n):
    return 0 if n == 0 else 1 + sum(deep(n - 1) for _ in range(1))
for _ in range(30):
    deep(20)
def limit():
    lo, hi = 1, 2000
    while lo < hi:
        mid = (lo + hi + 1) // 2
        try:
            deep(mid)
            lo = mid
        except RecursionError:
            hi = mid - 1
    return lo
print(limit())

# Tracing begun while one runs.
events = []
def tracer(frame, event, arg):
    if frame.f_code.co_name in ('begins', 'after', '<consumer>', 'consume', 'user'):
        events.append((frame.f_code.co_name, event))
    return tracer
def begins(n):
    for i in range(n):
        if i == n - 3:
            sys.settrace(tracer)
        yield i
def after():
    return 1
def user():
    x = sum(begins(400))
    sys.settrace(None)
    return x
print(user(), user())
print(events)

# What a consumer leaves half done can be gone on with.
g = numbers(1000)
print(any(x == 100 for x in g), next(g), sum(g))
g = (x for x in range(1000))
print(sum(x for x in g if x < 100), next(g, 'none'))
m = map(lambda x: x + 1, iter(range(500)))
print(any(x == 400 for x in m), next(m), sum(m), next(m, 'none'))
print([sum(i * j for j in range(i)) for i in range(200)][-1], sum(any(j == i for j in range(10)) for i in range(300)))


# An item is gone before the next one is made.
class Tracked:
    alive = most = 0

    def __init__(self, n):
        self.n = n
        Tracked.alive += 1
        Tracked.most = max(Tracked.most, Tracked.alive)

    def __del__(self):
        Tracked.alive -= 1

    def __radd__(self, other):
        return other + self.n


def lives(consume):
    Tracked.alive = Tracked.most = 0
    consume()
    return Tracked.most


for consume in (lambda: sum(Tracked(i) for i in range(200)), lambda: any(Tracked(i) is None for i in range(200)),
                lambda: all(Tracked(i) for i in range(200)), lambda: list(map(id, (Tracked(i) for i in range(200)))),
                lambda: list(map(lambda t: t.n, (Tracked(i) for i in range(200)))), lambda: list(filter(lambda t: False, (Tracked(i) for i in range(200)))),
                lambda: max((Tracked(i) for i in range(200)), key=lambda t: -t.n)):
    print([lives(consume) for _ in range(4)])
