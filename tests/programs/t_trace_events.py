"""Trace and profile functions: which events come, in which order, for code of many shapes; switching them on, off and over in the middle."""
import contextvars
import sys

log = []


def tracer(frame, event, arg):
    shown = arg[0].__name__ if event == "exception" else arg if isinstance(arg, (int, str, type(None))) else type(arg).__name__
    log.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, shown))
    return tracer


def profiler(frame, event, arg):
    log.append((event, frame.f_code.co_name, getattr(arg, "__name__", arg) if event.startswith("c_") else type(arg).__name__))


def report(title, f, *args, trace=tracer, profile=None):
    log.clear()
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        res = f(*args)
    except Exception as e:
        res = type(e).__name__ + ": " + str(e)
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    print(title, res)
    for entry in log:
        if entry[1] != "report":
            print("   ", *entry)


def loops(n):
    s = 0
    for i in range(n):
        if i > 1:
            s += i
        else: s -= 1
    while s > 0: s -= 2
    return s


def wide(a, b):
    if (a
            < b
            and a <
            10):
        return (a +
                b)
    return [
        a,
        b]


def values():
    yield 1
    x = yield 2
    return x


def delegating():
    got = yield from values()
    yield from [7, 8]
    return got


class Counter:
    def __init__(self):
        self.n = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n > 2:
            raise StopIteration
        return self.n

    def __getitem__(self, i): return i


def iterate():
    total = 0
    for x in Counter():
        total += x
    for x in values():
        total += x
    return total + Counter()[3]


def handlers():
    try:
        try:
            {}["a"]
        finally:
            x = 1
    except KeyError:
        x = 2
    with Manager() as m:
        return m


class Manager:
    def __enter__(self): return 5

    def __exit__(self, *args): return False


def comprehensions(n):
    f = lambda v: v + 1
    return sum([f(x) for x in range(n) if x]) + len({x: x for x in range(n)})


def class_body():
    class C:
        a = 1

        def b(self): pass
    C().b()
    return C.a


def natives():
    a = sorted([3, 1, 2], key=abs)
    a.append(len(a))
    "x".join(["a", "b"])
    dict(a=1)
    max(*a)
    try:
        int("x")
    except ValueError:
        pass
    return isinstance(a, list)


for title, f, args in [("loops", loops, (4,)), ("wide", wide, (1, 2)), ("wide", wide, (20, 30)), ("wide", wide, (3, 2)),
                       ("iterate", iterate, ()), ("list", lambda: list(delegating()), ()), ("handlers", handlers, ()),
                       ("comprehensions", comprehensions, (3,)), ("class body", class_body, ()), ("natives", natives, ())]:
    report(title + " traced", f, *args)
    report(title + " profiled", f, *args, trace=None, profile=profiler)
    report(title + " both", f, *args, profile=profiler)


# A frame's own function decides: None first, another later.
def first_only(frame, event, arg):
    log.append((event, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))


def callers():
    x = 1
    y = loops(2)
    return x + y


report("calls only", callers, trace=first_only)


def by_opcode(frame, event, arg):
    frame.f_trace_opcodes = True
    frame.f_trace_lines = False
    if event != "opcode":
        log.append((event, frame.f_code.co_name))
    else:
        log.append((event, frame.f_code.co_name, frame.f_lasti))
    return by_opcode


def small(a):
    b = a + 1
    return b


report("opcodes", small, 1, trace=by_opcode)


# Variables: seen, changed, and not looked at.
def changes(frame, event, arg):
    if frame.f_code.co_name == "variables" and event == "line":
        if "b" in frame.f_locals and frame.f_locals["b"] == 1:
            frame.f_locals["b"] = 50
        log.append((sorted(frame.f_locals),))
    return changes


def variables():
    a = 0
    b = 1
    c = b + 1
    del a
    return b, c


log.clear()
sys.settrace(changes)
res = variables()
sys.settrace(None)
print("variables", res, log)


# Switching in the middle of a frame.
def switching():
    sys.settrace(tracer)
    sys._getframe().f_trace = tracer
    a = 1
    sys.setprofile(profiler)
    b = len("ab")
    sys.settrace(None)
    c = len("abc")
    sys.setprofile(None)
    d = len("abcd")
    return a + b + c + d


log.clear()
print("switching", switching())
for entry in log:
    print("   ", *entry)


def failing(frame, event, arg):
    if event == "line" and frame.f_lineno - frame.f_code.co_firstlineno == 3:
        raise LookupError("tracer")
    return failing


log.clear()
sys.settrace(failing)
try:
    loops(3)
except LookupError as e:
    print("failing tracer:", e, sys.gettrace())


def failing_return(frame, event, arg):
    if event == "return" and frame.f_code.co_name == "small":
        raise LookupError("at return")


sys.setprofile(failing_return)
try:
    small(1)
except LookupError as e:
    print("failing profiler:", e, sys.getprofile())


# A long function: more units than a frame has room to count.
source = "def long(x):\n" + "".join(f"    x = x + {i}\n" for i in range(9000)) + "    return x\n"
space = {}
exec(source, space)
count = [0]


def counting(frame, event, arg):
    count[0] += 1
    return counting


sys.settrace(counting)
space["long"](0)
sys.settrace(None)
print("long", count)



# Nothing is installed while the one before goes.
class Leaving:
    def __init__(self, install): self.install = install

    def __call__(self, *args): pass

    def __del__(self):
        try:
            self.install(tracer)
        except RuntimeError as e:
            print(e)


sys.settrace(Leaving(sys.settrace))
sys.settrace(None)
sys.setprofile(Leaving(sys.setprofile))
sys.setprofile(None)
print(sys.gettrace(), sys.getprofile())

# Context variables remember where they were found.
v = contextvars.ContextVar("v", default="none")
w = contextvars.ContextVar("w")
print(v.get(), v.get("other"))
token = v.set("one")
print(v.get(), v.get("other"))
context = contextvars.copy_context()


def inside():
    before = v.get()
    v.set("two")
    w.set(1)
    return before, v.get(), w.get()


print(context.run(inside), v.get(), context[v], w.get("unset"))
v.reset(token)
print(v.get(), context.run(v.get), context.run(w.get), w.get(None))
