# Calls of built-in functions, methods, slots, members and getsets, repeated until they are specialised and compiled.
import array
import collections
import datetime
import itertools
import sys
import types


def repeat(what, *args, n=700):
    seen = []
    for _ in range(n):
        try:
            r = what(*args)
        except Exception as e:
            r = type(e).__name__, str(e)
        if not seen or seen[-1][0] != r:
            seen.append([r, 0])
        seen[-1][1] += 1
    print(what.__name__, seen)


# Kinds of C functions, with and without keywords, and their complaints.
def kinds():
    a = array.array("i", [3, 1, 2])
    return (abs(-3), divmod(7, 2), pow(2, 5, mod=7), round(2.567, ndigits=1), sorted([3, 1, 2], reverse=True), max(3, 9), min([4, 2], key=abs),
            "a,b".split(","), "a b c".split(maxsplit=1), "x".join(["1", "2"]), a.tolist(), a.count(3), int("12", base=3), int.from_bytes(b"\1\2", byteorder="big"),
            b"ab".hex(), "abc".encode(encoding="ascii"), [1].copy(), {}.get(1), {1: 2}.pop(1, None), dict.fromkeys("ab", 0), str.maketrans("a", "b"))


def wrong_count():
    return abs(1, 2)


def wrong_names():
    return abs(x=1)


def wrong_self():
    return str.upper(1)


def no_self():
    return str.upper()


def wrong_keyword():
    return sorted([1], revers=True)


def wrong_method():
    return [].append(1, 2)


def wrong_noargs():
    return [].clear(1)


def classes():
    return (datetime.date(2000, 1, 2).day, datetime.timedelta(days=1).days, collections.deque([1, 2], 1), itertools.count(3).__next__(), array.array("b"),
            complex(1, imag=2), types.SimpleNamespace(a=1), bytearray(2))


def wrong_class():
    return datetime.date(2000)


for f in kinds, wrong_count, wrong_names, wrong_self, no_self, wrong_keyword, wrong_method, wrong_noargs, classes, wrong_class:
    repeat(f)


# Operators whose slots don't know the operands, and those that answer by other ways.
class Left:
    def __add__(self, o):
        return NotImplemented if o == 1 else "left"

    def __eq__(self, o):
        return NotImplemented if o is other else True

    def __contains__(self, x):
        return x

    def __len__(self):
        return -1 if bad else 2

    def __bool__(self):
        return 7 if bad else False


class Right:
    def __radd__(self, o):
        return "right"


class Items:
    def __getitem__(self, i):
        if i > 3:
            raise IndexError(i)
        return i


left, other, bad = Left(), Left(), False
delta, day = datetime.timedelta(1), datetime.date(2000, 1, 1)


def operators(o):
    return (left + o, left == other, left == left, 5 in left, 0 in left, not left, len(left), 2 in Items(), 9 in Items(), delta + day, day + delta, day - day,
            delta < delta, delta == day, [1] + [2], (1,) * 2, 3 * "ab", {1} | {2}, b"a" + b"b", 2 ** 3, {1: 2} | {3: 4})


repeat(operators, 2)
repeat(operators, Right())
repeat(operators, 1)


def unlike():
    return delta + 1


def unordered():
    return delta < day


def not_container():
    return 1 in 5


def in_place():
    l = [1]
    l += (2,)
    l *= 2
    s = {1}
    s |= {2}
    d = collections.deque([1])
    d += [2]
    n = day
    n += delta
    return l, s, d, n


for f in unlike, unordered, not_container, in_place:
    repeat(f)


def length():
    return len(left)


repeat(length)
bad = True
repeat(length)


def truth():
    return not left


repeat(truth)
bad = False


# Getsets and members: values, stores, classes that change, errors with the name and object.
def function():
    pass


class Date(datetime.date):
    pass


def described(o):
    return o.year, o.real if isinstance(o, int) else o.day


def stored(f):
    f.__name__ = "other"
    f.__defaults__ = (1,)
    f.__doc__ = "text"
    return f.__name__, f.__defaults__, f.__doc__, f.__qualname__, f.__code__.co_argcount, f.__closure__


repeat(described, day)
repeat(described, Date(2001, 2, 3))
repeat(stored, function)


def read_only():
    day.year = 3


def wrong_store():
    function.__name__ = 3


def missing():
    return slice(1).nothing


def no_value():
    return types.SimpleNamespace().x


def cell():
    return types.CellType().cell_contents


for f in read_only, wrong_store, missing, no_value, cell:
    repeat(f)


class Hooked(datetime.date):
    def __getattr__(self, name):
        return "hooked " + name


def hooked(o):
    return o.year, o.century


hooked_date = Hooked(2000, 1, 1)
repeat(hooked, hooked_date)


def changing(o):
    return o.year


changed = Date(5, 5, 5)
repeat(changing, changed)
Date.year = property(lambda self: "property")
repeat(changing, changed)
del Date.year
repeat(changing, changed)


def annotated():
    try:
        types.CellType().__class__.cell_contents.__objclass__.zz
    except AttributeError as e:
        return e.name, e.obj.__name__


repeat(annotated)

# What a profiler sees of them.
events = []


def profile(frame, event, arg):
    if event.startswith("c_"):
        events.append((event, arg.__name__))


def profiled():
    abs(-1), [].append(1), "a".split(), "a".split(sep="b"), datetime.date(1, 1, 1), sorted([1], reverse=True), dict.fromkeys("a")
    try:
        abs("x")
    except TypeError:
        pass


for _ in range(20):
    profiled()
sys.setprofile(profile)
profiled()
sys.setprofile(None)
print(events)


# Recursion through C functions ends with an error.
def deep(x):
    return max([x], key=deep)


def deep_slot(x):
    return Deep() in Deep()


class Deep:
    def __contains__(self, x):
        return deep_slot(x)

    def __len__(self):
        return len(self)

    def __lt__(self, o):
        return self < o

    def __str__(self):
        return str(self)


for f in (lambda: deep(1), lambda: deep_slot(1), lambda: len(Deep()), lambda: Deep() < Deep(), lambda: str(Deep())):
    try:
        f()
    except RecursionError as e:
        print(type(e).__name__, str(e).split(" while")[0].split(" in ")[0])

# Counts of what calls pass on.
x = object()
t = (x,)


def counts():
    l = [x]
    l.count(x), x in l, l.index(x), isinstance(x, object), (x,) + (x,), [x].copy(), dict(a=x), max(x, x, key=id)
    return sys.getrefcount(x)


repeat(counts)


def tuples():
    many = [(i, (i, [i])) for i in range(50)]
    nested = None
    for i in range(200):
        nested = (nested, i)
    del nested
    return len(many), many[3]


repeat(tuples, n=50)
nested = None
for i in range(100000):
    nested = (nested,)
del nested
print("done")
