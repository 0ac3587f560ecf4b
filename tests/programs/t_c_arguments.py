"""Arguments of C functions in loops: where they lie, what they count, and slots that convert."""
import decimal, fractions, math, operator, sys, struct


# ---- Arrays of arguments on the frame's stack ----

def many(n):
    total = 0
    a, b, c, d, e, f, g = 12, 18, 24, 30, 36, 42, 48
    for i in range(n):
        total += math.gcd(a, b, c, d, e, f, g) + math.gcd(i, b) + math.gcd() + math.lcm(a, i + 1, c)
        total += len(struct.pack("iiii", a, b, i, d))
    return total


def inner(x, y):
    return math.gcd(x, y, x, y) + max(x, y, 3)


def outer(n):
    total = 0
    for i in range(n):
        total += inner(12, 18) + inner(12, i) + inner(i, 18) + inner(i, i)
    return total


def swapped(n):
    out = 0
    a, b = 100, 7
    for i in range(n):
        out += operator.sub(a, b) + operator.sub(b, a) * 2
        a, b = b, a
    return out


def starred(n):
    pair, triple = (12, 18), (2, 5, 7)
    out = 0
    for i in range(n):
        out += math.gcd(*pair) + pow(*triple) + int.__add__(*pair) + len(str.replace(*("abcabc", "b", "dd")))
    return out


print(many(400), outer(400), swapped(401), starred(400))


# ---- Counts ----

class Probe:
    pass


def counts(n):
    o = Probe()
    seen = set()
    for i in range(n):
        seen.add(sys.getrefcount(o))
        seen.add(sys.getrefcount(o))
        isinstance(o, Probe), hash(o), repr(o)
        seen.add(operator.is_(o, o) and sys.getrefcount(o))
    return seen, sys.getrefcount(o)


def constants(n):
    d = {"k": 1}
    before = sys.getrefcount("k-constant")
    for i in range(n):
        d.get("k-constant", "k-constant")
        operator.contains(("k-constant", 1), "k-constant")
        operator.eq("k-constant", "k-constant")
    return sys.getrefcount("k-constant") - before


class Dies:
    log = []

    def __del__(self):
        self.log.append("gone")


def deaths(n):
    for i in range(n):
        hash(Dies())
        x = Dies()
        operator.is_(x, x)
        operator.is_(x, x)
        del x
    return len(Dies.log)


seen, after = counts(400)
print(sorted(seen), after, constants(400), deaths(300))


# ---- Conversions ----

class Text:
    def __init__(self, what):
        self.what = what

    def __str__(self):
        return self.what

    def __repr__(self):
        return self.what

    def __float__(self):
        return self.what

    def __bool__(self):
        return self.what

    def __index__(self):
        return self.what


class MyFloat(float):
    pass


class MyStr(str):
    pass


class Formats:
    def __format__(self, spec):
        return "<%s>" % spec


class Subclass(Formats):
    def __str__(self):
        return "unused"


def attempt(f, *args):
    try:
        v = f(*args)
        return type(v).__name__, v
    except Exception as e:
        return type(e).__name__, str(e)


def conversions(values):
    out = []
    for v in values:
        for _ in range(2):
            out.append(attempt(lambda: str(v)))
            out.append(attempt(lambda: repr(v)))
            out.append(attempt(lambda: float(v)))
            out.append(attempt(lambda: bool(v)))
            out.append(attempt(lambda: f"{v}|{v!s}|{v!r}|{v!a}"))
            out.append(attempt(lambda: [1, 2, 3][v]))
            out.append(attempt(lambda: (1, 2, 3)[v]))
    return out


values = [1, -3, 2 ** 70, 1.5, float("inf"), True, "text", MyStr("mine"), MyFloat(2.5), decimal.Decimal("1.25"), fractions.Fraction(1, 4),
          None, (), [1], b"x", Formats(), Subclass(), Text("s"), Text(MyStr("t")), Text(1), Text(-1), Text(7), Text(-4), Text(2 ** 70), Text(1.5),
          Text(MyFloat(1.5)), Text(True), Text(None), 3j, Ellipsis, int, len]
import warnings
warnings.simplefilter("ignore")
for line in conversions(values):
    if line[0] != "str" or " at 0x" not in line[1]:
        print(line)
import re


def loops(n):
    """The same, one kind of value in each loop."""
    out = []
    for v in [5, -2, 2 ** 40, 2.5, "s", MyStr("m"), decimal.Decimal("2.50"), fractions.Fraction(3, 2), Text("q"), Formats(), None, [1, "a"], (2.5,)]:
        said = set()
        for i in range(n):
            said.add(str(v))
            said.add(repr(v))
            said.add(f"{v}")
            said.add(f"{v!s}-{i & 1}-{v!r}")
        out.append(sorted(re.sub("0x[0-9a-f]+", "0x", s) for s in said))
    for v in [5, -2, 2.5, decimal.Decimal("2.50"), fractions.Fraction(3, 2), True]:
        total, true = 0.0, 0
        for i in range(n):
            total += float(v)
            true += bool(v)
            true += bool(i)
        out.append((total, true))
    index, items = Text(1), list("abc")
    found = []
    for i in range(n):
        found.append(items[index])
        if i == n - 5:
            index.what = -1
        if i == n - 3:
            del items[2]
    out.append((len(found), sorted(set(found)), found[-6:]))
    return out


for line in loops(300):
    print(line)


class Shrinks:
    """`__index__` changes the list it is for."""

    def __init__(self, items):
        self.items = items

    def __index__(self):
        self.items.clear()
        return 0


def shrinking(n):
    out = []
    for i in range(n):
        items = [1, 2, 3]
        out.append(attempt(lambda: items[Shrinks(items)]))
    return sorted(set(out))


print(shrinking(50))


class Changing:
    pass


def changing(n):
    o = Changing()
    out = []
    for i in range(n):
        if i == n // 2:
            Changing.__str__ = lambda self: "new"
            Changing.__float__ = lambda self: 9.0
            Changing.__bool__ = lambda self: False
            Changing.__format__ = lambda self, spec: "formatted"
        out.append((str(o)[:3], bool(o), attempt(float, o)[0], f"{o}"[:9]))
    return sorted(set(out)), len(out)


print(changing(600))


def raising(n):
    out = 0
    bad = Text(3)
    for i in range(n):
        try:
            str(bad)
        except TypeError as e:
            out += len(str(e))
        try:
            f"{bad}"
        except TypeError as e:
            out += len(str(e))
        try:
            float(bad)
        except TypeError as e:
            out += len(str(e))
    return out


print(raising(300))


# ---- map and filter over functions from C ----

def mapped(n):
    out = 0
    for i in range(n):
        out += sum(map(abs, [i, -i, 3])) + len(list(map(str, (i, 2)))) + len(list(filter(bool, [0, i, ""])))
    return out


print(mapped(300), list(map(math.gcd, [4, 6], [6, 9])), operator.length_hint(map(abs, [1]), 7))
