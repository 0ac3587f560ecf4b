# Calls: defaults, keywords, star arguments, closures, decorators, error messages, match, walrus, globals.
def f(a, b=2, /, c=3, *args, d, e=5, **kw): return a, b, c, args, d, e, kw
print(f(1, d=4), f(1, 2, 3, 4, 5, d=6, z=7), f(*[1, 2], **{"d": 3, "c": 9}))
def g(a, b): return a
calls = ["f()", "f(1)", "f(1, a=2, d=1)", "g()", "g(1)", "g(1, 2, 3)", "g(1, b=2, c=3)", "g(1, a=2)", "g(*5)", "g(**5)", "g(1, **{'b': 1}, **{'b': 2})", "len()", "len(1)", "len([], [])", "int(1, 2, 3)",
         "print(sep=1)", "sorted()", "sorted([1], foo=1)", "None()", "'a'()", "[].append()", "[].append(1, 2)", "dict(1, 2)", "isinstance(1)", "(lambda x: x)()", "max()", "max(1)", "open()", "range()", "str(1, 2, 3, 4)", "ord(1)", "abs('x')", "sum(1)", "chr('a')", "round('x')", "iter(1)", "next(1)", "getattr(1)", "hash([])", "divmod(1)", "pow(1)"]
for c in calls:
    try:
        print(c, eval(c))
    except Exception as e:
        print(c, type(e).__name__, e)
def counter():
    n = 0
    def inc(by=1):
        nonlocal n
        n += by
        return n
    return inc
c = counter(); c(); print(c(5), c.__closure__[0].cell_contents, c.__defaults__, c.__code__.co_freevars)
def deco(arg):
    def wrap(fn):
        def inner(*a, **k): return arg, fn(*a, **k)
        return inner
    return wrap
@deco("x")
@deco("y")
def decorated(v): "doc"; return v
print(decorated(1), decorated.__name__)
fs = [lambda: i for i in range(3)]; print([h() for h in fs], [(lambda i=i: i)() for i in range(3)])
def annotated(x: int, *, y: "str" = "a") -> list[int]: ...
print(annotated.__annotations__, annotated.__kwdefaults__)
def matcher(v):
    match v:
        case 0: return "zero"
        case int(n) if n < 0: return f"negative {n}"
        case [x, y]: return f"pair {x} {y}"
        case [x, *rest]: return f"list {x} {rest}"
        case {"k": k, **rest}: return f"dict {k} {rest}"
        case str() as s: return f"str {s}"
        case 1.5 | 2.5: return "float"
        case complex(real=r): return f"complex {r}"
        case None: return "none"
        case _: return "other"
print([matcher(v) for v in (0, -3, [1, 2], (1, 2, 3), {"k": 1, "z": 2}, "s", 2.5, 1j, None, object, 7)])
if (n := len("abc")) > 2: print(n)
x = 1
def scope():
    global x
    x = 2
    exec("q = 5")
    return [x for x in range(3)], "q" in locals()
print(scope(), x, eval("x + 1", {"x": 10}), (lambda *a, **k: (a, k))(1, z=2))
def varnames(a, *b, c=1, **d):
    e = 1
    return sorted(locals())
print(varnames(1), varnames.__code__.co_varnames, varnames.__code__.co_argcount)
import inspect
print(inspect.signature(f), inspect.signature(annotated), inspect.signature(len), inspect.getdoc(decorated))
for i in range(3):
    if i == 5: break
else:
    print("else")
i = 0
while i < 3: i += 1
else: print("while else")
a = b = [1]; a += [2]; print(b); t = (1, [2]);
try:
    t[1] += [3]
except TypeError as e:
    print(e, t)
print(1 if x else 2, not x, x and 0 or "or", 1 < 2 > 1, *[1, 2], sep="-")
del a, b
assert x == 2
lst = [1, 2, 3, 4]; lst[0], lst[1] = lst[1], lst[0]; print(lst); d = {}; d["a"], d["b"] = 1, 2; print(d)
print([1, 2, 3][-1], "abc"[1:], f"{1}{2!r}", b"a" b"b", ..., __name__, (yield_ := 3))
