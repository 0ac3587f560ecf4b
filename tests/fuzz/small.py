"""Random programs of many small functions, called often with few arguments: the shape of algorithms in textbooks.

Nested loops whose bounds depend on each other, iterators shared by loops, early exits of every kind, generators that are left half-way,
recursion, and classes whose operators, properties and protocols are written in Python. What a trace assumes in one call is wrong in the
next. Used by programs.py; every second seed is one of these.
"""
import random

PRELUDE = '''
import sys
class Vec:
    made = 0
    def __init__(self, v, w=2):
        self.v = v
        self.w = w
    def __add__(self, o):
        if isinstance(o, Vec): return Vec(self.v + o.v, self.w)
        if o == 3: return NotImplemented
        return Vec(self.v + o, self.w)
    def __radd__(self, o): return Vec(o - self.v)
    def __iadd__(self, o):
        self.v += 1
        return self
    def __mul__(self, o): return self.v * (o.v if type(o) is Vec else o)
    __rmul__ = __mul__
    def __neg__(self): return Vec(-self.v)
    def __eq__(self, o): return isinstance(o, Vec) and self.v == o.v
    def __lt__(self, o): return self.v < (o.v if isinstance(o, Vec) else o)
    def __hash__(self): return self.v & 7
    def __len__(self): return abs(self.w) % 5
    def __bool__(self): return self.v % 3 != 0
    def __getitem__(self, k):
        if k > 6: raise IndexError(k)
        return self.v + k
    def __setitem__(self, k, x): self.w = x - k
    def __contains__(self, k): return k == self.v or k == 2
    def __call__(self, k=1): return self.v - k
    @property
    def double(self): return self.v * 2
    @double.setter
    def double(self, x): self.v = x // 2
    def __getattr__(self, name):
        if name == "ghost": return self.v + 100
        raise AttributeError(name)
    def __enter__(self):
        self.w += 1
        return self.v
    def __exit__(self, t, e, tb):
        self.w -= 2
        return t is KeyError
    def __iter__(self):
        k = 0
        while k < abs(self.v) % 4:
            yield k
            k += 1
    def step(self, k): return self.v + k
    def __repr__(self): return f"{type(self).__name__}({self.v})"
class Low(Vec):
    def __init__(self, v):
        super().__init__(v, 3)
        self.extra = 1
    def __add__(self, o): return Low(super().__add__(1).v) if o != 4 else NotImplemented
    def step(self, k): return super().step(k) + self.extra
    def __lt__(self, o): return NotImplemented if o == 5 else self.v <= getattr(o, "v", 1)
class Count:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        self.n -= 1
        if self.n < 0: raise StopIteration
        return self.n
class Field:
    def __init__(self, at): self.at = at
    def __get__(self, o, t=None): return self if o is None else o.__dict__.get(self.at, 9)
    def __set__(self, o, x): o.__dict__[self.at] = x
class Told:
    first = Field("a")
    second = Field("b")
    __slots__ = ("__dict__",)
def upto(n):
    for i in range(n):
        got = yield i
        if got: return
def both(n):
    yield from upto(n)
    x = yield -1
    yield from (i * 2 for i in range(2))
def fold(n): return n if n < 2 else fold(n - 1) + fold(n - 2)
def deep(n, l): return 0 if not n else len(l) + deep(n - 1, l)
def some(*a, k=1, **kw): return len(a) + k + len(kw)
def show(v):
    t = type(v)
    if t in (list, tuple): return [show(x) for x in v[:7]] + [len(v)]
    if t is dict: return sorted((str(k), show(x)) for k, x in v.items())[:7]
    if isinstance(v, Vec): return (t.__name__, show(v.v), show(v.w))
    if t is int: return v if -10**12 < v < 10**12 else v % 1000003
    if t in (str, float, bool) or v is None: return v
    return t.__name__
'''


class Small:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []
        self.depth = 1
        self.loops = 0
        self.fresh = 0
        self.left = 0
        self.generator = False

    def emit(self, text):
        self.lines.append("    " * self.depth + text)

    def pick(self, *xs):
        return self.r.choice(xs)

    def num(self, d=0):
        if d > 2 or self.r.random() < 0.4:
            return self.pick("i", "j", "k", "n", "r", "a", "i", "j", "0", "1", "2", "3", "4", "-1", "x", "len(l)", "c")
        a, b = self.num(d + 1), self.num(d + 1)
        return self.pick(
            "%s + %s" % (a, b), "%s - %s" % (a, b), "(%s) * %s" % (a, self.pick("2", "n", "3")), "(%s) %% 7" % a, "(%s) // 2" % a, "(%s) & 15" % a,
            "l[(%s) %% len(l)]" % a, "l[%s]" % self.pick("i", "j", "i - 1", "-1", "0", "0", "-1"), "(q or l)[-1]", "d.get(%s, %s)" % (a, b), "d[%s]" % self.pick("0", "1", "i"), "max(%s, %s)" % (a, b), "abs(%s)" % a,
            "p.v", "p.double", "p[%s]" % a, "p(%s)" % self.pick("", "2", a), "len(p)", "p.step(%s)" % a, "p.ghost", "p * %s" % self.pick("2", "p", "w"), "(p + w).v", "(p + %s).v" % self.pick("1", "3", "4", a), "(1 + p).v",
            "(-p).v", "(%s if %s else %s)" % (a, self.cond(d + 1), b), "sum(%s)" % self.source(d + 1), "len([z for z in %s if z != %s])" % (self.source(d + 1), b), "fold(%s)" % self.pick("3", "5", "(%s) %% 6" % a), "deep(%s, l)" % self.pick("3", "r"),
            "some(%s)" % self.pick(a, "%s, %s" % (a, b), "*l", "%s, k=%s" % (a, b), "z=%s" % a, "*q, **{'y': 1}"), "t.first", "t.second", "(lambda z: z + %s)(%s)" % (a, b), "hash(p)", "ord(s[%s])" % self.pick("0", "-1", "i"), "next(it, 7)",
            "sum(map(lambda z: z + %s, %s))" % (self.pick("1", "i"), self.source(d + 1)), "int(any(z == %s for z in %s))" % (b, self.source(d + 1)), "len(sorted(%s, key=lambda z: -z))" % self.source(d + 1), "(w if p else p).v", "inner(%s)" % a)

    def cond(self, d=0):
        a, b = self.num(d + 1), self.num(d + 1)
        return self.pick("%s < %s" % (a, b), "%s == %s" % (a, b), "%s != %s" % (a, b), "%s >= %s" % (a, b), "l[(%s) %% len(l)] > %s" % (a, b), "not %s" % a, "i > j", "j <= i + 1", "p", "p == w", "p < w", "w < p", "p < %s" % self.pick("5", a),
                         "%s in p" % a, "%s in l" % a, "%s in d" % a, "q", "%s and %s" % (a, b), "%s or %s" % (a, b), "i %% %s == 0" % self.pick("2", "3"), "c > %d" % self.r.randrange(3, 30), "isinstance(w, Low)", "x is None", "%s <= %s <= %s" % (a, b, self.num(d + 1)))

    def source(self, d=0):
        a = self.num(d + 2)
        k = "(%s) %% 6" % a
        return self.pick("range(%s)" % self.pick("n", "r", "i", k), "range(%s, %s)" % (self.pick("i + 1", "j", "1", k), self.pick("n", "r", "len(l)", k)), "range(%s, %s, %s)" % (self.pick("n", "r", k), self.pick("0", "-1", "j"), self.pick("-1", "-2", "2")),
                         "reversed(range(%s))" % self.pick("n", "r", "i", k), "l", "l[%s:]" % self.pick("1", "i", "-2"), "list(l)", "q", "reversed(l)", "it", "upto(%s)" % k, "both(%s)" % self.pick("2", k), "Count(%s)" % k, "p", "(1, 2, 5)", "d", "list(d.values())", "map(abs, l)", "filter(None, l)",
                         "(z + %s for z in l)" % self.pick("1", "i"), "[z for z in range(%s)]" % k, "{1, 2, 3}", "iter(l)", "bytes(%s)" % k)

    def block(self, n, last=None):
        self.depth += 1
        before = len(self.lines)
        for _ in range(n):
            if self.left > 0:
                self.statement()
        if last:
            self.emit(last)
        if len(self.lines) == before:
            self.emit("pass")
        self.depth -= 1

    def tail(self):
        if not self.loops or self.r.random() < 0.5:
            return self.pick("return %s" % self.num(1), "raise ValueError(%s)" % self.pick("i", "'no'"), None, None, None)
        return self.pick("break", "continue", "break", None)

    def statement(self):
        self.left -= 1
        r = self.r
        k = r.randrange(31)
        if k < 6 and self.depth < 6 and self.loops < 3:
            v = self.pick("i", "j", "i", "j", "k", "x")
            kind = r.randrange(12)
            if kind < 9:
                self.emit("for %s in %s:" % (v, self.source()))
            elif kind == 9:
                self.emit("for %s, a in %s:" % (v, self.pick("enumerate(l)", "zip(l, %s)" % self.source(1), "enumerate(%s)" % self.source(1), "list(d.items())", "zip(range(n), l)")))
            else:
                self.emit("while %s:" % self.cond())
                self.depth += 1
                self.emit("k += 1")
                self.depth -= 1
            outer, self.loops = self.loops, self.loops + 1
            self.depth += 1
            self.emit("c += 1")
            self.emit("if c > 90: return a")
            self.depth -= 1
            self.block(r.randrange(1, 4), self.tail() if r.random() < 0.15 else None)
            if r.random() < 0.25:
                self.emit("else:")
                self.loops = outer
                self.block(1, self.tail())
            self.loops = outer
        elif k < 11 and self.depth < 7:
            self.emit("if %s:" % self.cond())
            self.block(r.randrange(0, 3), self.tail())
            if r.random() < 0.4:
                self.emit("else:")
                self.block(1, self.tail())
        elif k < 13 and self.depth < 6:
            self.emit("try:")
            self.block(r.randrange(1, 3), self.tail())
            kind = r.randrange(4)
            if kind < 3:
                self.emit("except %s:" % self.pick("Exception as e", "(IndexError, KeyError)", "(ValueError, TypeError, AttributeError) as e"))
                self.block(r.randrange(0, 2), self.pick("c += 1", "a = 3", "raise", None) if kind < 2 else None)
            if kind >= 2:
                self.emit("finally:")
                outer, self.loops = self.loops, 0
                self.block(1, "c += 1")
                self.loops = outer
        elif k == 13 and self.depth < 6:
            self.emit("with %s as x:" % self.pick("p", "w"))
            self.block(r.randrange(1, 3), self.pick(self.tail(), "raise KeyError(%s)" % self.num(1), None))
        elif k == 14 and self.generator:
            self.emit(self.pick("yield %s" % self.num(1), "x = yield %s" % self.num(1), "yield from %s" % self.pick("upto(2)", "l", "range(%s)" % self.pick("2", "n"))))
        else:
            a, b = self.num(), self.num(1)
            self.emit(self.pick(
                "a = %s" % a, "a += %s" % a, "k = %s" % a, "x = %s" % a, "j = %s" % b, "i, j = j, i", "i += 1", "l[i], l[j] = l[j], l[i]", "l[%s] = %s" % (self.pick("i", "j", "0", "(%s) %% len(l)" % b), a), "l[%s] += %s" % (self.pick("i", "j", "-1"), self.pick("1", b)),
                "q.append(%s)" % a, "q.append(l[:])", "if q: q.pop()", "q = %s" % self.pick("[]", "[%s]" % a, "l[::-1]", "list(%s)" % self.source(1)), "l.insert(0, %s)" % b, "if len(l) > 3: l.pop()", "if len(l) > 2: del l[%s]" % self.pick("0", "-1", "i"),
                "d[%s] = %s" % (a, b), "d[i] = d.get(i, 0) + 1", "d.pop(%s, None)" % b, "s = s[1:] + %s" % self.pick("'a'", "s[0]", "str(%s)[:2]" % b), "p = %s" % self.pick("Vec(%s)" % a, "Low(%s)" % b, "w", "p + w", "p + 1", "-p"), "w = Vec(%s)" % b, "p += 1", "p.double = %s" % a, "p.v = %s" % b,
                "p[%s] = %s" % (b, a), "t.first = %s" % a, "t.second = t.first", "it = iter(%s)" % self.source(1), "x = next(it, None)", "x = %s" % self.pick("None", "1.5", "'s'", "True", "2"), "c += 1", "l = [z %s 1 for z in l]" % self.pick("+", "-", "*"), "assert c < 80, c",
                "x = sys._getframe().f_lineno - %d" % len(self.lines) if r.random() < 0.3 else "a = c", "e1, *e2 = %s" % self.source(1), "x = f'{a}{p.v:>3}{%s}'" % self.pick("i", "j")))

    def function(self, name):
        self.generator = self.r.random() < 0.25
        self.lines.append("def %s(n, r, l, s):" % name)
        self.depth = 1
        self.emit("a, c, i, j, k, x, q, d, e1, e2 = 0, 0, 0, 1, n, None, [1], {0: 1, 1: 2, 2: 0}, 0, []")
        self.emit("p, w, t, it = Vec(n), Low(r), Told(), iter(l)")
        self.emit("def inner(z=1):")
        self.emit("    nonlocal %s" % self.pick("a", "c", "k"))
        self.emit("    %s" % self.pick("a = z", "c += 1", "k = 3") if False else "    return z + c")
        if self.generator:
            self.emit("yield r")
        self.loops = 0
        self.left = self.r.randrange(8, 26)
        while self.left > 0:
            self.statement()
        self.emit("return (a, c, i, j, k, x, q, d, l, s, p, w)")
        return self.generator

    def program(self):
        self.lines = []
        kinds = [(name, self.function(name)) for name in ("f%d" % i for i in range(self.r.randrange(3, 7)))]
        head = PRELUDE
        calls = ["def drive(turn):", "    out = []", "    for n in range(%d):" % self.r.randrange(4, 7), "        for r in range(n + 2):"]
        for name, generator in kinds:
            calls.append("            try:")
            text = "%s(n, r, [r, n, 2, 0, 1, 3][:n + 1], 'abcde'[:r + 1])" % name
            if generator:
                calls += ["                g = %s" % text, "                got = []", "                for z in g:", "                    got.append(z)", "                    if len(got) > 4 + r: break",
                          "                if n == 3: got.append(g.throw(ValueError('thrown')))", "                if n == 2: g.close()", "                out.append(show(got))"]
            else:
                calls.append("                out.append(show(%s))" % text)
            calls += ["            except Exception as e:", "                lines = []", "                tb = e.__traceback__", "                while tb:", "                    lines.append(tb.tb_lineno)", "                    tb = tb.tb_next",
                      "                out.append((type(e).__name__, str(e).split(' at 0x')[0], lines[:6], len(lines)))"]
        calls += ["    return out", "first = drive(0)", "for line in first: print(line)", "for turn in range(%d):" % self.r.choice([6, 12, 25]), "    again = drive(turn)", "    if again != first:", "        for a, b in zip(first, again):", "            if a != b: print(turn, a, b)", "        break"]
        return head + "\n".join(self.lines + calls) + "\n"
