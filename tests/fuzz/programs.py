#!/usr/bin/env python3.11
"""Random programs for the JIT: each is run by python3.11 and by Lancehead in several modes; the outputs must be equal.

    programs.py LANCEHEAD [--count N] [--from SEED] [--modes on,stress] [--keep DIR] [--show SEED]

A program is made of small functions, classes and loops over numbers, strings, lists, dicts, closures and generators, hot enough to be
compiled, in which types change, names are rebound, attributes come and go and exceptions fly now and then. A seed always makes the same
program, so a failure is reproduced by `--from SEED --count 1`.
"""
import argparse
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

from small import Small

REFERENCE = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"

PRELUDE = '''
import sys
LOG = []
class Dying:
    def __init__(self, n): self.n = n
    def __del__(self): LOG.append(self.n)
class Point:
    kind = 3
    def __init__(self, x, y=1):
        self.x = x
        self.y = y
    def norm(self): return self.x * self.x + self.y
    def move(self, dx): 
        self.x += dx
        return self
    @property
    def twice(self): return self.x * 2
    @staticmethod
    def stat(a, b=2): return a + b
    @classmethod
    def make(cls, x): return cls(x, cls.kind)
    def __add__(self, o): return Point(self.x + (o.x if isinstance(o, Point) else o), self.y)
    def __lt__(self, o): return self.x < o.x
    def __bool__(self): return self.x != 5
class Sub(Point):
    kind = 4
    def norm(self): return super().norm() + 1
class Slots:
    __slots__ = ("x", "y")
    def __init__(self, x): self.x = x; self.y = 0
    def norm(self): return self.x - self.y
class Context:
    def __init__(self): self.depth = 0
    def __enter__(self): self.depth += 1; return self
    def __exit__(self, t, v, tb): self.depth -= 1; return t is KeyError
CTX = Context()
def gen(n):
    i = 0
    while i < n:
        got = yield i
        i += 1 if got is None else got
def counter(start):
    n = start
    def step(k=1):
        nonlocal n
        n += k
        return n
    return step
def vary(*args, **kw): return len(args) * 10 + len(kw)
def show(v):
    t = type(v)
    if t is float: return "%.12g" % v if abs(v) < 1e300 else "big"
    if t is int: return v if -10**30 < v < 10**30 else "huge%d" % (v % 1000007)
    if t is str: return v if len(v) < 40 else "str%d%s" % (len(v), v[-3:])
    if t in (list, tuple): return [show(x) for x in v[:6]] + [len(v)]
    if t is dict: return [(show(k), show(x)) for k, x in list(v.items())[:6]] + [len(v)]
    if v is None or t is bool: return v
    if isinstance(v, (Point, Slots)): return (t.__name__, show(v.x), show(v.y))
    return t.__name__
'''


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []
        self.depth = 0
        self.loops = 0
        self.funcs = []
        self.scope = []
        self.fresh = 0
        self.budget = 0

    def pick(self, *xs):
        return self.r.choice(xs)

    def chance(self, p):
        return self.r.random() < p

    def emit(self, text):
        self.lines.append("    " * self.depth + text)

    def name(self, prefix="t"):
        self.fresh += 1
        return "%s%d" % (prefix, self.fresh)

    # ---- Expressions, by the kind they are meant to have ----

    def var(self, kind):
        have = [v for v, k in self.scope if k == kind]
        if not have or self.chance(0.005):
            have = [v for v, k in self.scope]
        return self.r.choice(have)

    def num(self, d=0):
        r = self.r
        if d > 2 or self.chance(0.3):
            return self.pick(self.var("int"), self.var("int"), str(r.choice([0, 1, 2, 3, 7, -1, -5, 255, 1000, 2**31, 2**62])), self.var("float"))
        k = r.randrange(22)
        a, b = self.num(d + 1), self.num(d + 1)
        if k < 6:
            return "(%s %s %s)" % (a, self.pick("+", "-", "*"), b)
        if k < 8:
            return "(%s %s (%s or 3))" % (a, self.pick("//", "%", "/"), b)
        if k == 8:
            return "(int(%s) %s (int(%s) & 15))" % (a, self.pick("<<", ">>"), b)
        if k == 9:
            return "(int(%s) %s int(%s))" % (a, self.pick("&", "|", "^"), b)
        if k == 10:
            return "(%s if %s else %s)" % (a, self.cond(d + 1), b)
        if k == 11:
            return "len(%s)" % self.pick(self.var("list"), self.var("str"), self.var("dict"))
        if k == 12:
            return "%s(%s, %s)" % (self.pick("min", "max"), a, b)
        if k == 13:
            return "abs(%s)" % a
        if k == 14:
            return "%s[int(%s) %% 7 - 3]" % (self.var("list"), a)
        if k == 15:
            return "%s.get(int(%s) %% 9, %s)" % (self.var("dict"), a, b)
        if k == 16:
            o = self.var("obj")
            return self.pick(o + ".x", o + ".norm()", o + ".y", o + ".kind", o + ".twice", o + ".stat(%s)" % a, "Point.make(%s).norm()" % a)
        if k == 17 and self.funcs:
            f, n = r.choice(self.funcs)
            return "%s(%s)" % (f, ", ".join(self.num(d + 1) for _ in range(n)))
        if k == 18:
            return self.pick("-%s" % a, "+%s" % a, "int(%s)" % a, "float(%s)" % a, "round(%s)" % a, "(not %s)" % a, "~int(%s)" % a)
        if k == 19:
            return "%s(%s)" % (self.var("fn"), self.pick("", "2", "k=3"))
        if k == 20:
            return self.pick("vary(%s, %s)" % (a, b), "vary(%s, z=%s)" % (a, b), "vary(*%s)" % self.var("list"), "sum(%s)" % self.var("list"), "vary(*(%s, 1), **{'q': 2})" % a)
        return self.pick("int(isinstance(%s, %s))" % (self.var("obj"), self.pick("Point", "Sub", "int")), "ord(%s[0])" % self.var("str"), "hash(%s) %% 97" % self.var("int"),
                         "(lambda q: q + %s)(%s)" % (a, b))

    def cond(self, d=0):
        k = self.r.randrange(9)
        if k < 4:
            return "%s %s %s" % (self.num(d + 1), self.pick("<", "<=", ">", ">=", "==", "!="), self.num(d + 1))
        if k == 4:
            return "(%s) %s (%s)" % (self.cond(d + 1), self.pick("and", "or"), self.cond(d + 1)) if d < 2 else "True"
        if k == 5:
            return "not %s" % self.num(d + 1)
        if k == 6:
            return "%s %s %s" % (self.num(d + 1), self.pick("in", "not in"), self.pick(self.var("list"), self.var("dict"), "(1, 2, 3)"))
        if k == 7:
            return "%s is %s" % (self.var("any"), self.pick("None", "not None", "True"))
        return self.pick(self.var("obj"), self.var("str"), self.var("list"), "0 < %s < 50" % self.num(d + 1))

    def text(self, d=0):
        k = self.r.randrange(7)
        if k == 0 or d > 1:
            return self.pick(self.var("str"), "'ab'", "'x'")
        if k == 1:
            return "(%s + %s)[-20:]" % (self.text(d + 1), self.text(d + 1))
        if k == 2:
            return "f'{%s}-{%s!r:>4}'[:12]" % (self.num(2), self.text(d + 1).replace("'", '"') if self.chance(0.4) else self.var("int"))
        if k == 3:
            return "%s.%s()" % (self.text(d + 1), self.pick("upper", "lower", "strip", "title"))
        if k == 4:
            return "str(%s)[:9]" % self.num(1)
        if k == 5:
            return "%s[%s %% 3]" % ("'pqr'", "int(%s)" % self.num(2))
        return "'%s' %% (%s,)" % (self.pick("%s", "<%5s>"), self.num(2))

    def listx(self):
        v = self.var("list")
        k = self.r.randrange(6)
        if k == 0:
            return "[%s, %s, %s, %s, 5, 6, 7]" % tuple(self.num(1) for _ in range(4))
        if k == 1:
            n = self.name("c")
            return "[%s %s 2 for %s in %s] or [1, 2, 3]" % (n, self.pick("+", "*"), n, v)
        if k == 2:
            return "%s[::-1]" % v
        if k == 3:
            return "(%s + [%s])[-9:]" % (v, self.num(1))
        if k == 4:
            return "list(%s)" % self.pick("range(7)", v, "gen(8)", "map(abs, [1, -2, 3, 4, 5, 6, 7])")
        return "sorted([1.5, %s, 2, 8, 9, 4, 5])" % self.var("int")

    # ---- Statements ----

    def statement(self):
        self.budget -= 1
        k = self.r.randrange(40)
        if k < 8:
            self.emit("%s = %s" % (self.var("int"), self.num()))
        elif k < 11:
            self.emit("%s %s= %s" % (self.var("int"), self.pick("+", "-", "*", "^", "//") , self.pick("1", "3", self.num(1))))
        elif k < 13:
            self.emit("%s = float(%s)" % (self.var("float"), self.num()))
        elif k == 13:
            self.emit("%s %s= %s" % (self.var("float"), self.pick("+", "*", "-"), self.pick("0.5", "1.25", self.num(2))))
        elif k == 14:
            self.emit("%s = %s" % (self.var("str"), self.text()))
        elif k == 15:
            self.emit("%s = %s" % (self.var("list"), self.listx()))
        elif k == 16:
            v = self.var("list")
            self.emit(self.pick("%s[int(%s) %% 5] = %s" % (v, self.num(2), self.num(1)), "%s.append(%s)" % (v, self.num(1)),
                                "if len(%s) > 8: %s.pop()" % (v, v), "%s[2] += %s" % (v, self.num(2)), "del %s[7:]" % v, "%s[1:3] = [%s, 2]" % (v, self.num(1))))
        elif k == 17:
            v = self.var("dict")
            self.emit(self.pick("%s[int(%s) %% 9] = %s" % (v, self.num(1), self.num(1)), "%s.pop(%s, None)" % (v, self.num(2)), "%s['k'] = %s" % (v, self.text()),
                                "%s[3] = %s.get(3, 0) + 1" % (v, v)))
        elif k == 18:
            o = self.var("obj")
            self.emit(self.pick("%s.x = %s" % (o, self.num(1)), "%s.y += 1" % o, "%s.move(%s)" % (o, self.num(1)), "%s.extra = %s" % (o, self.num(1)), "%s.y = %s" % (o, self.pick("1.5", "'s'", "2")), ))
        elif k == 19:
            self.emit("%s = %s(%s)" % (self.var("obj"), self.pick("Point", "Sub", "Slots", "Point.make"), self.num(1)))
        elif k == 20:
            self.emit("%s, %s = %s, %s" % (self.var("int"), self.var("int"), self.num(1), self.num(1)))
        elif k == 21:
            self.emit("%s = %s" % (self.var("any"), self.pick("None", "True", self.num(1), self.text(), "(1, %s)" % self.num(2), self.var("obj"), "Dying(%d)" % self.r.randrange(9))))
        elif k < 26 and self.depth < 6:
            self.emit("if %s:" % self.cond())
            self.block(self.r.randrange(1, 4))
            if self.chance(0.4):
                self.emit("else:")
                self.block(self.r.randrange(1, 3))
        elif k < 30 and self.depth < 5 and self.loops < 3:
            self.loop()
        elif k < 32 and self.depth < 5:
            self.emit("try:")
            self.block(self.r.randrange(1, 4), extra=self.pick("raise KeyError(1)", "1 // int(%s)" % self.num(2), "%s[99]" % self.var("list"), "%s.nothing" % self.var("obj"), "pass")
                       if self.chance(0.5) else None)
            self.emit(self.pick("except (ZeroDivisionError, IndexError, TypeError, AttributeError, ValueError, OverflowError, KeyError) as e:", "except Exception as e:"))
            self.block(1, extra="err += len(type(e).__name__)")
            if self.chance(0.2):
                self.emit("finally:")
                self.block(1)
        elif k == 32 and self.depth < 5:
            self.emit("with CTX:")
            self.block(self.r.randrange(1, 3), extra="if %s: raise KeyError(2)" % self.cond(2) if self.chance(0.4) else None)
        elif k == 33:
            self.emit("%s = %s" % (self.var("fn"), self.pick("counter(int(%s))" % self.num(2), "(lambda k=1: k)")))
        elif k == 34 and self.loops:
            self.emit("if %s: %s" % (self.cond(1), self.pick("break", "continue")))
        elif k == 35:
            self.emit("bump(%s)" % self.num(2))
        elif k == 36:
            a = self.name("u")
            self.emit("%s, *_ = %s" % (a, self.var("list")))
            self.emit("err += %s == 3" % a)
        elif k == 37:
            self.emit("acc.append(show(%s))" % self.pick(self.var("int"), self.var("float"), self.var("str"), self.var("list"), self.var("any"), self.var("obj")))
            self.emit("del acc[:-40]")
        elif k == 38:
            self.emit("if i_ == %d: %s" % (self.r.randrange(40, 140), self.pick("Point.kind = %d" % self.r.randrange(9), "Point.norm = lambda self: self.y", "Sub.extra = 1", "globals()['bump'] = lambda k: None",
                                                                                "%s.__class__ = Sub" % self.var("obj"), "Point.stat = staticmethod(lambda a, b=3: b)", "%s = 2.5" % self.var("int"), "%s = 'txt'" % self.var("any"))))
        else:
            self.emit("err += %s" % self.pick("1", "int(%s)" % self.cond(1), "sys._getframe().f_lineno & 1" if self.chance(0.3) else "2"))

    def block(self, n, extra=None):
        self.depth += 1
        start = len(self.lines)
        for _ in range(n):
            if self.budget > 0:
                self.statement()
        if extra:
            self.lines.insert(self.r.choice([start, len(self.lines)]) if not self.lines[start:] or all(not x.startswith("    " * (self.depth + 1)) for x in self.lines[start:]) else len(self.lines),
                              "    " * self.depth + extra)
        if len(self.lines) == start:
            self.emit("pass")
        self.depth -= 1

    def loop(self):
        n = self.pick(3, 4, 9, 30) if self.loops else self.pick(150, 220)
        v = self.var("int")
        outer = self.loops
        self.loops += 1
        k = self.r.randrange(10)
        if k < 4:
            self.emit("for %s in range(%s):" % (v, self.pick(str(n), "0, %d, 2" % (2 * n), "%d, 0, -1" % n)))
        elif k == 4:
            self.emit("for %s in %s:" % (self.var("any"), self.pick("list(%s)" % self.var("list"), "(1, 2.0, 'x')", "[*range(%d)]" % n)))
        elif k == 5:
            self.emit("for %s, %s in %s:" % (v, self.var("any"), self.pick("enumerate('abcdef')", "zip(range(%d), range(5, 5 + %d))" % (n, n), "[(1, 2), (3, 4.0)]")))
        elif k == 6:
            self.emit("for %s in gen(%d):" % (v, n))
        elif k == 7:
            self.emit("for %s in %s:" % (self.var("any"), self.pick("list(%s.values())" % self.var("dict"), "'hello'", "sorted(%s, key=str)" % self.var("list"), "{1, 2, 3}")))
        else:
            w = self.name("w")
            self.emit("%s = 0" % w)
            self.emit("while %s < %d:" % (w, n))
            self.depth += 1
            self.emit("%s += 1" % w)
            self.depth -= 1
        self.block(self.r.randrange(2, 6))
        if self.chance(0.1):
            self.emit("else:")
            self.block(1)
        self.loops = outer

    def function(self, name, nargs):
        args = ["p%d" % i for i in range(nargs)]
        self.scope = [(a, "int") for a in args] + [("a", "int"), ("b", "int"), ("x", "float"), ("s", "str"), ("l", "list"), ("d", "dict"), ("o", "obj"), ("f", "fn"), ("z", "any")]
        self.emit("def %s(%s):" % (name, ", ".join(args[:-1] + [args[-1] + "=4"] if nargs else args)))
        self.depth += 1
        self.emit("a, b, x, s, l, d, o, f, z, err, acc, i_ = 1, 2, 0.5, 'st', [1, 2, 3, 4, 5, 6, 7], {1: 2, 3: 4}, Point(2), counter(1), None, 0, [], 0")
        if name == "main":
            self.emit("for i_ in range(200):")
            self.depth += 1
            self.loops = 1
            for _ in range(3):
                self.budget = 13
                self.emit("try:")
                self.block(5)
                self.emit("except (ZeroDivisionError, IndexError, TypeError, AttributeError, ValueError, OverflowError, KeyError, UnboundLocalError) as e:")
                self.depth += 1
                self.emit("err += 1; bad = (type(e).__name__, str(e), e.__traceback__.tb_lineno)")
                self.emit("if err < 9: print(i_, bad)")
                self.depth -= 1
            self.emit("if type(a) is not float and not -2**80 < a < 2**80: a = 1")
            self.emit("if type(b) is not float and not -2**80 < b < 2**80: b = 1")
            self.emit("if len(l) < 7 or len(l) > 30: l = [1, 2, 3, 4, 5, 6, 7]")
            self.emit("if i_ % 40 == 0: print(i_, show(a), show(b), show(x), show(s), show(l), show(d), show(o), show(z), err)")
            self.depth -= 1
            self.loops = 0
            self.emit("print(show(a), show(b), show(x), show(s), show(l), show(d), show(o), show(z), err, acc[-9:])")
        else:
            self.budget = 7
            for _ in range(self.r.randrange(1, 5)):
                self.statement()
            self.emit("return %s" % self.num(1))
        self.depth -= 1

    def program(self):
        self.lines = [PRELUDE, "G = 0", "def bump(k):", "    global G", "    G += 1 if k else 2"]
        self.loops = 2
        for i in range(self.r.randrange(1, 4)):
            n = self.r.randrange(0, 3)
            self.function("f%d" % i, n)
            self.funcs.append(("f%d" % i, n))
        self.function("main", 0)
        self.lines += ["for turn in range(2):", "    try:", "        main()", "    except Exception as e:",
                       "        print(type(e).__name__, e, [n for n in iter(lambda t=[e.__traceback__]: t.pop().tb_lineno if t else 0, 0)])",
                       "print(G, len(LOG), sum(LOG), CTX.depth)"]
        return "\n".join(self.lines) + "\n"


def program(seed):
    return (Maker(seed) if seed % 2 else Small(seed)).program()


def run(command, path):
    env = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    try:
        p = subprocess.run(command + [path], env=env, capture_output=True, text=True, errors="replace", timeout=60)
    except subprocess.TimeoutExpired:
        return "time-out", "", ""
    return p.returncode, p.stdout, p.stderr[-600:]


def one(job):
    seed, lancehead, modes, keep = job
    source = program(seed)
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "fuzz%d.py" % seed)
        with open(path, "w") as f:
            f.write(source)
        want = run([REFERENCE], path)
        if want[0] == "time-out" or want[0] < 0:
            return seed, "skipped"
        for mode in modes:
            got = run([lancehead, "-X", "jit=" + mode], path)
            if got[:2] != want[:2]:
                if keep:
                    os.makedirs(keep, exist_ok=True)
                    with open(os.path.join(keep, "fuzz%d.py" % seed), "w") as f:
                        f.write(source)
                a, b = want[1].splitlines() + ["<end>"], got[1].splitlines() + ["<end>"]
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)) - 1)
                return seed, "jit=%s: status %s, %s; line %d:\n    python3.11: %s\n    lancehead:  %s\n    %s" % (
                    mode, want[0], got[0], at + 1, a[at][:300], b[at][:300], got[2].strip()[-300:])
    return seed, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead", nargs="?")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--modes", default="off,on,stress")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep")
    parser.add_argument("--show", type=int)
    args = parser.parse_args()
    if args.show is not None:
        print(program(args.show), end="")
        return 0
    jobs = [(s, os.path.abspath(args.lancehead), args.modes.split(","), args.keep) for s in range(args.first, args.first + args.count)]
    failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for seed, what in pool.map(one, jobs):
            if what == "skipped":
                skipped += 1
            elif what:
                failed += 1
                print("FAILED seed %d %s" % (seed, what), flush=True)
    print("%d passed, %d failed, %d skipped" % (len(jobs) - failed - skipped, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
