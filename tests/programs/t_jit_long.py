"""Loops, functions and callees too long for one recording: they become traces in several pieces."""


def build(lines, head, tail):
    return head + "".join("        %s\n" % l for l in lines) + tail


def long_loop():
    lines = []
    for i in range(150):
        lines.append("v%d = x + %d; t += v%d * 2 - v%d" % (i, i, i, i))
    source = build(lines, "def run(n):\n    t = 0\n    for x in range(n):\n", "    return t\n")
    space = {}
    exec(source, space)
    for _ in range(5):
        print(space["run"](60))


def long_with_exits():
    """Exits of every sort in later pieces: a handler, continue, break, an int that turns into a float."""
    lines = []
    for i in range(130):
        lines.append("t = t + x * %d" % i)
        if i == 40:
            lines += ["if x % 7 == 3: continue"]
        if i == 70:
            lines += ["try: t += 10 // (x % 5)", "except ZeroDivisionError as e: s.append(str(e) + str(x))"]
        if i == 90:
            lines += ["if x > stop: s.append('out'); break"]
        if i == 110:
            lines += ["if x % 50 == 49: t = t + 0.5", "elif x % 50 == 0: t = int(t)"]
    source = build(lines, "def run(n, stop):\n    t = 0; s = []\n    for x in range(n):\n", "    return t, s[-3:], len(s)\n")
    space = {}
    exec(source, space)
    print(space["run"](300, 10000))
    print(space["run"](300, 200))
    try:
        space["run"]("x", 1)
    except TypeError as e:
        print(e)


def long_callee():
    """What is called in the loop is long, too, and keeps objects that have to die in time."""
    lines = []
    for i in range(160):
        lines.append("a = Box(b.v + %d, log); b = a" % i)
    source = build(lines, "def f(b, log, Box):\n    while True:\n", "        return b.v\n")
    space = {}
    exec(source, space)
    f = space["f"]

    class Box:
        def __init__(self, v, log):
            self.v = v
            self.log = log

        def __del__(self):
            self.log[0] += 1

    log = [0]
    t = 0
    for k in range(150):
        t += f(Box(k, log), log, Box)
        if log[0] != (k + 1) * 161:
            print("alive", k, log)
    print(t, log)


def long_while():
    lines = ["k += 1"]
    for i in range(140):
        lines.append("d['k%d'] = d.get('k%d', 0) + (k & %d)" % (i % 9, (i + 1) % 9, i))
    source = build(lines, "def run(n):\n    k = 0; d = {}\n    while k < n:\n", "    return sorted(d.items()), lst(locals())\n")
    space = {"lst": sorted}
    exec(source, space)
    r = space["run"](120)
    print([(k, v % 1000003) for k, v in r[0]], r[1])


def long_recursion():
    lines = []
    for i in range(120):
        lines.append("t = t + n %% %d" % (i + 2))
    source = build(lines, "def f(n):\n    t = 0\n    if n > 0:\n", "        t += f(n - 1) + f(n - 3)\n    return t\n")
    space = {}
    exec(source, space)
    print([space["f"](n) for n in (3, 9, 14)])


def long_generator():
    lines = []
    for i in range(100):
        lines.append("t = t + x * %d" % i)
        if i % 40 == 20:
            lines.append("got = yield t")
            lines.append("t += got or 0")
    source = build(lines, "def g(n):\n    t = 0\n    for x in range(n):\n", "    return t\n")
    space = {}
    exec(source, space)
    print(sum(space["g"](90)))
    it, r = space["g"](50), []
    v = next(it)
    try:
        while True:
            v = it.send(v % 3)
            r.append(v % 101)
    except StopIteration as e:
        print(e.value, sum(r))


long_loop()
long_with_exits()
long_callee()
long_while()
long_recursion()
long_generator()
