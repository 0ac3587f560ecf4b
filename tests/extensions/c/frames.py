"""A frame evaluation function in C: what it is given, what it answers, frames of its own, exceptions, generators, threads, tracing."""

import sys
import threading

import c_frames

seen = []


def path(e):
    tb, names = e.__traceback__, []
    while tb:
        names.append(tb.tb_frame.f_code.co_name)
        tb = tb.tb_next
    return names


def note(name, args):
    seen.append((name, args))


def add(a, b=2, *rest, key=None):
    return a + b


class Thing:
    def __init__(self, v):
        self.v = v

    def __add__(self, other):
        return ("added", self.v, other)

    def __getattr__(self, name):
        return "no " + name

    def __iter__(self):
        yield from (self.v, self.v + 1)


def closure(n):
    def inner(x):
        nonlocal n
        n += x
        return n
    return inner


def fails(n):
    if n == 0:
        raise ValueError("bottom")
    return fails(n - 1)


async def coroutine(x):
    return x * 2


def drive(c):
    try:
        c.send(None)
    except StopIteration as e:
        return e.value


def everything():
    out = [add(1), add(1, 5), add(*[3, 4]), add(**{"a": 6})]
    t = Thing(7)
    out += [t.v, t + 1, t.other, list(t), [i for i in range(3)], sum(x for x in (1, 2))]
    f = closure(10)
    out += [f(1), f(2), drive(coroutine(4)), sorted([3, 1, 2], key=lambda v: -v)]
    try:
        fails(2)
    except ValueError as e:
        out.append(path(e))
    class Local(Thing):
        x = add(2)
    out.append(Local.x)
    out.append(eval("add(9)"))
    return out


expected = everything()
print(c_frames.install(note))
got = everything()
n = c_frames.remove()
print(got == expected, n)
for name, args in seen:
    print(name, [a if isinstance(a, (int, str, tuple, type(None))) else type(a).__name__ for a in args])
count = len(seen)
everything()
print(len(seen) == count)

# Answers instead of evaluation, and errors.
c_frames.install(None, {"add": "answered", "fails": KeyError, "coroutine": 5, "__init__": None})
try:
    print(add(1), add(*[1, 2]), coroutine(1))
    print(Thing(4).v)
    try:
        fails(3)
    except KeyError as e:
        print("KeyError", e, path(e))
finally:
    print(c_frames.remove() > 0)

# Other code in frames that C made.
def other(a, b, key, rest):
    x = [a, b, key, rest]
    return x, sys._getframe().f_code.co_name, sys._getframe(1).f_code.co_name

def other_generator(a, b, key, rest):
    yield a
    yield b

def other_raises(a, b, key, rest):
    raise IndexError(a)

for code in (other.__code__, other_generator.__code__, other_raises.__code__):
    c_frames.install(None, {"add": code})
    try:
        r = add(1, key="k")
        print(r if isinstance(r, tuple) else list(r))
    except IndexError as e:
        print("IndexError", e, path(e))
    finally:
        c_frames.remove()

# Often enough to be compiled, with the function put in and taken away in between.
def work(n):
    s = 0
    for i in range(n):
        s += add(i, 1)
    return s

def switch(n):
    out = []
    for i in range(n):
        if i % 7 == 0:
            c_frames.install()
        out.append(add(i) + work(3))
        if i % 7 == 3:
            out.append(c_frames.remove())
    c_frames.remove()
    return out

print(sum(switch(3000)))
work(20000)
c_frames.install(None, {"add": 1})
print(work(1000))
print(c_frames.remove())
print(work(1000))

# Recursion has its limit, and tracing its events.
def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)

c_frames.install()
print(deep(150))
try:
    deep(100000)
except RecursionError as e:
    print(type(e).__name__)
events = []
sys.settrace(lambda f, what, arg: events.append((what, f.f_code.co_name)))
add(1)
closure(1)(2)
sys.settrace(None)
print(events)
calls = []
sys.setprofile(lambda f, what, arg: calls.append((what, f.f_code.co_name)))
add(1)
len("x")
sys.setprofile(None)
print(calls)

results = []
def in_thread():
    results.append(everything() == expected)

threads = [threading.Thread(target=in_thread) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(results)
c_frames.remove()
print(everything() == expected)
