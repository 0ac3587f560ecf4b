# Operators, members and getsets of built-in and Python types in hot loops: the left slot answers, the right one, neither.
import array
import collections
import collections
import datetime
import fractions
import operator


class Left:
    def __init__(self, v):
        self.v = v

    def __add__(self, o):
        return ("add", self.v, o.v) if isinstance(o, Left) else NotImplemented

    def __lt__(self, o):
        return self.v < o.v if isinstance(o, Left) else NotImplemented

    def __neg__(self):
        return Left(-self.v)

    def __bool__(self):
        if self.v > 900:
            raise ValueError("too large")
        return self.v % 3 != 0

    def __len__(self):
        return self.v if self.v < 950 else -1

    def __contains__(self, x):
        return x % 7 == 0

    def __getitem__(self, k):
        return k + self.v

    def __setitem__(self, k, x):
        self.v = k + x


class Right:
    def __init__(self, v):
        self.v = v

    def __radd__(self, o):
        return ("radd", self.v)

    def __gt__(self, o):
        return "gt"


class Sub(Left):
    def __add__(self, o):
        return "sub add"

    def __radd__(self, o):
        return "sub radd"


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return type(e).__name__, str(e)


def add(a, b):
    return a + b


def iadd(a, b):
    a += b
    return a


def less(a, b):
    return a < b


def times(a, b):
    return a * b


def rounds(f, pairs):
    out = []
    for a, b in pairs * 500:
        x = attempt(f, a, b)
        if x not in out[-9:]:
            out.append(x)
    return [repr(x) for x in out[:12]]


day, step = datetime.date(2020, 2, 3), datetime.timedelta(days=2, hours=5)
L, R, S = Left(1), Right(2), Sub(3)
for f in add, iadd, less, times, operator.sub:
    for pairs in ([(1j, 2j)], [(1j, 2j), (1j, 2)], [(day, step)], [(day, step), (day, 5)], [(L, L)], [(L, R)], [(L, 4)], [(L, S)],
                  [({1, 2}, {2, 3})], [(collections.Counter("aab"), collections.Counter("abc"))], [(b"x", b"y")], [(b"x", 3)],
                  [(array.array("i", [1]), array.array("i", [2]))], [("s", 3), (3, "s")], [(fractions.Fraction(1, 3), 2)],
                  [(fractions.Fraction(1, 3), 2), (2, fractions.Fraction(1, 3))], [(None, 1)], [(1, None)], [([1], (2,))]):
        print(f.__name__, rounds(f, pairs))


def members(n):
    total = 0.0
    z, d, s, t = 3 + 4j, datetime.datetime(2021, 5, 6, 7, 8, 9), slice(1, 2, 3), operator.add
    for i in range(n):
        total += z.real + z.imag + d.year + d.minute + s.start
        if t.__name__ != "add":
            total = -1
    return total


def truths(n):
    yes, lengths, inside, items = 0, 0, 0, 0
    o = Left(0)
    try:
        for i in range(n):
            o.v = i % 1000
            lengths += len(o)
            if not o:
                yes += 1
            if o:
                yes += 10
            inside += i in o
            inside += i not in o
            items += o[i]
            o[i] = 1
            o = -o
            o = -o
    except ValueError as e:
        return type(e).__name__, str(e), yes, lengths, inside, items
    return yes, lengths, inside, items


def iterate(n):
    it, total = iter(range(n)), 0
    try:
        while True:
            total += next(it)
    except StopIteration as e:
        return total, e.args, next(it, "end")


def deques(n):
    d = collections.deque(range(5))
    total = 0
    for i in range(n):
        total += d[i % 5] + len(d)
        d[i % 5] = i
        total += (i in d) + bool(d)
    try:
        for i in range(n):
            total += d[i]
    except IndexError as e:
        return total, str(e)


class Wrapped:
    def __init__(self):
        self.x = 5

    value = property(lambda self: self.x, lambda self, x: setattr(self, "x", x))


def properties(n):
    w = Wrapped()
    for i in range(n):
        w.value = w.value + i
    return w.value


print(members(3000), truths(3000), iterate(3000), deques(3000), properties(3000))


# A call whose argument is a call with keywords: leaving at the outer one doesn't go back to the inner one's names.
def same(a):
    return a


class Named:
    def __init__(self, data=None, more=0):
        self.data = [*data, more]

    def __iter__(self):
        return iter(self.data)


def nested(n):
    out = []
    for i in range(n):
        for op in (lambda a: same(a), lambda a: list(a), tuple, same):
            for data in ("ABC", [1, 2], ()):
                out.append(list(op(Named(data=data, more=i))))
                out.append(sorted(op(dict(a=1, b=i))))
                out.append(str(same(a=list(op(Named(data, more=i))))))
    return len(out), sum(len(x) for x in out if isinstance(x, list)), out[-3:], out[5:8]


print(nested(400))


# ---- Slots of the right operand and in place, context managers in C, members that hold objects ----
import collections
import datetime
import decimal
import fractions
import io
import threading


class Right:
    def __init__(self, log):
        self.log = log

    def __radd__(self, other):
        self.log.append(other)
        return NotImplemented if len(self.log) % 50 == 49 else "sum"

    def __rmul__(self, other):
        raise KeyError(other)


def mixed(n):
    day, third, one, log = datetime.timedelta(1), fractions.Fraction(1, 3), decimal.Decimal(1), []
    right, total, seen = Right(log), datetime.timedelta(), collections.Counter()
    for i in range(n):
        x, y = i % 7, i / 4
        total += x * day + y * day
        total -= 1 * day
        seen[x + 1j], seen[y - 2j], seen[x + third], seen[y * third], seen[x - one] = 1, 2, 3, 4, 5
        for f in (lambda: x + right, lambda: y + right, lambda: x * right, lambda: y - one, lambda: x @ right, lambda: y | {1}):
            try:
                seen[f()] += 1
            except (TypeError, KeyError) as e:
                seen[str(e)] += 1
        x *= 3j
        seen[x] += 1
    return total, len(log), len(seen), sorted((str(k), v) for k, v in seen.items() if v > 5)


def in_place(n):
    s, d, q = {1}, {}, collections.deque(maxlen=5)
    for i in range(n):
        s |= {i}
        s ^= {i - 1}
        d |= {i % 5: i}
        q += [i]
        s &= range if i % 90 == 89 else s
    return s, d, q


def in_place_errors(n):
    s, errors = {1}, collections.Counter()
    for i in range(n):
        try:
            s |= [i] if i % 10 == 9 else {i % 3}
        except TypeError as e:
            errors[str(e)] += 1
    return s, errors


class Lock:
    """Its methods are those of a type from C."""
    made = threading.Lock()
    __enter__ = made.__enter__
    __exit__ = made.__exit__


def managers(n):
    lock, again, log = threading.Lock(), threading.RLock(), []
    for i in range(n):
        with lock:
            if i % 100 == 99:
                log.append(lock.locked())
        with again as held, memoryview(b"abc") as view, io.StringIO("text") as f:
            log.append(view[1]) if i % 100 == 98 else None
            if i % 50 == 49:
                try:
                    with lock:
                        raise ValueError(i)
                except ValueError as e:
                    log.append((e.args, lock.locked(), held, f.read(2)))
        with Lock():
            pass
        if f.closed is not True or Lock.made.locked():
            log.append(i)
    try:
        with f:
            print("not here")
    except ValueError as e:
        log.append(str(e))
    return log


class Member:
    __slots__ = ("value", "other")


class Noisy:
    def __init__(self, log, i):
        self.log, self.i = log, i

    def __del__(self):
        self.log.append(self.i)


def members(n):
    m, log, total = Member(), [], 0
    m.value = m.other = None
    for i in range(n):
        m.value = i
        m.other = m.value
        m.value = Noisy(log, i) if i % 40 == 39 else m.other
        m.other = m
        m.other = "text" if i % 3 else m.value
        total += len(log)
    m.value = m.other = None
    return total, log


def kept(n):
    """A value that only the member keeps goes when another comes."""
    m, log = Member(), []
    m.value = Noisy(log, -1)
    for i in range(n):
        m.value = Noisy(log, i)
        assert len(log) == i + 1
    return len(log)


for f, n in ((mixed, 300), (in_place_errors, 300), (managers, 400), (members, 400), (kept, 300)):
    print(f.__name__, f(n))
try:
    print(in_place(300))
except TypeError as e:
    print(e)
print(list(map(str, range(3))), list(filter(None, [0, 1, 2])), list(map(lambda a, b: a + b, [1, 2], [3, 4])))
for f in (lambda: map(str), lambda: map(str, 5), lambda: filter(None), lambda: filter(None, 5), lambda: map(str, x=1), lambda: filter(None, [], x=1)):
    try:
        print(list(f()))
    except TypeError as e:
        print(e)
