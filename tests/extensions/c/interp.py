"""Interpreters beside the main one from C, modules with state in several of them, strings that are filled in after they were made."""
import sys
import warnings
import c_interp as c

warnings.simplefilter("ignore", DeprecationWarning)


def show(*args):
    print(*args, flush=True)


def outcome(f, *args):
    try:
        return f(*args)
    except BaseException as e:
        return f"{type(e).__name__}: {e}"


show(c.in_new("import sys; print(sorted(sys.modules)[0], 'c_interp' in sys.modules)", "x = 1", "print(x, flush=True)", "print(y)"))
show(c.in_new())
c.turns()
c.threaded("for i in range(2000): total += 1")
show(c.bare())
for o in (5, -1, 2**62, "text", "é\U0001f600", "", b"bytes", b"", None, True, 2**70, 1.5, (), type("S", (str,), {})("s")):
    show(repr(o), outcome(c.to_send, o))

LOAD = """
import sys
sys.path[:] = %r
import importlib.util, importlib.machinery
def load(name):
    spec = importlib.util.spec_from_file_location(name, importlib.util.find_spec("c_interp").origin)
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    sys.modules[name] = m
    return m
sized, once, phases = load("c_interp_sized"), load("c_interp_once"), load("c_interp_phases")
print(sized.count(), sized.number, sized.found(), once.count(), phases.count(), phases.filled, len(once.list))
print(sized.count(), once.count(), phases.count(), sized.__name__, sized.__doc__, flush=True)
once.list.append(1)
""" % (sys.path,)
exec(LOAD)
for _ in range(3):
    show(c.in_new(LOAD))
show(sized.count(), once.count(), phases.count(), len(once.list), sized.found())

# ---- strings ----
for t in ("abc", "é", "\u20ac!", "\U0001f600x", "\0", "a" * 1000):
    s = c.legacy(t)
    show(len(s), s == t, t == s, hash(s) == hash(t), s + "x" == t + "x", "x" + s == "x" + t, s[:1] == t[:1], {t: 1}.get(s), {c.legacy(t): 2}.get(t))
    show(c.legacy(t).encode("utf-8") == t.encode("utf-8"), c.legacy(t).upper() == t.upper(), c.legacy(t) in (t,), ascii(c.legacy(t))[:9], c.legacy(t) < t + "a")
    show(c.ready(t)[:4], c.ready(t)[4] == t, c.wide(t) == t, sys.intern(c.legacy(t)) == t, f"{c.legacy(t)}" == t, c.legacy(t).isascii())
    text = t + "b"
    c.wide(text)
    text += "c"
    show(c.wide(text) == t + "bc")
show(repr(c.legacy("")), getattr(sys, c.legacy("maxsize")) == sys.maxsize, int(c.legacy("12")), outcome(int, c.legacy("1x")))
with warnings.catch_warnings():
    warnings.simplefilter("error")
    show(outcome(c.legacy, "abc"))
