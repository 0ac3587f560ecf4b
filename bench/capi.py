"""What calls into C extensions and the C API cost: ns each, Lancehead with the JIT off and on, python3.11, and the ratios.

    python3.11 bench/capi.py LANCEHEAD [--rounds N] [--only WORD]

The extensions (programs/capi.c, programs/capi_wide.c) are compiled with `cc` against python3.11's headers (python3.11-dev). A loop repeats each
statement ten times, and the cost of the empty loop is taken off. The rows "in C, widely" are whatever capi_wide.c defines.
"""
import argparse
import functools
import math
import os
import subprocess
import sys
import sysconfig
import tempfile
import time

HERE = os.path.abspath(__file__)
SUFFIX = sysconfig.get_config_var("SHLIB_SUFFIX") or ".so"
# From Python: the statement that is repeated. `c` is the module, `t` a Thing, `u` another, `s` one of a subclass in Python, `v` a Callable, `w` has a
# descriptor, `x` is an int.
CALLS = {
    "noargs": "noargs()", "o": "o(x)", "varargs": "varargs(x, x)", "keywords": "keywords(x)", "keywords b=": "keywords(x, b=x)",
    "fast": "fast(x, x)", "fast_keywords": "fast_keywords(x, x)", "fast_keywords b=": "fast_keywords(x, b=x)",
    "module.o": "c.o(x)", "t.noargs": "t.noargs()", "t.o": "t.o(x)", "t.varargs": "t.varargs(x, x)", "t.keywords": "t.keywords(x)",
    "t.fast": "t.fast(x, x)", "t.fast_keywords": "t.fast_keywords(x, x)", "t.method": "t.method(x)",
    "Thing()": "Thing(x)", "t + u": "t + u", "not t": "not t", "len(t)": "len(t)", "t[x]": "t[x]", "t[x] = x": "t[x] = x",
    "x in t": "x in t", "hash(t)": "hash(t)", "t == u": "t == u", "t < u": "t < u", "t()": "t()", "iter(t)": "iter(t)", "next(t)": "next(t)",
    "t.of_class": "t.of_class(x)", "Thing.of_class": "Thing.of_class(x)", "Thing.of_none": "Thing.of_none(x)", "v()": "v(x)",
    "t += u": "t += u", "-t": "-t", "int(t)": "int(t)", "float(t)": "float(t)", "l[t]": "l[t]", "t['k']": "t['k']", "str(t)": "str(t)",
    "repr(t)": "repr(t)", "memoryview(t)": "memoryview(t)", "f'{t}'": "f'{t}'", "if t": "0 if t else 1",
    "bool(t)": "bool(t)", "t.__len__()": "t.__len__()", "isinstance(t)": "isinstance(t, Thing)", "type(t)": "type(t)", "v.any": "v.any",
    "w.descr": "w.descr", "getattr(t)": "getattr(t, 'v')", "*args": "fast(*pair)", "**kwargs": "fast_keywords(x, **named)",
    "t.v (long)": "t.v", "t.v = x": "t.v = x", "t.obj": "t.obj", "t.obj = x": "t.obj = x", "t.prop": "t.prop", "t.prop = x": "t.prop = x",
    "fast none": "fast()", "fast three": "fast(x, x, x)", "fast six": "fast(x, x, x, x, x, x)", "bound": "bound(x)", "partial": "partial(x)",
    "Sub()": "Sub(x)", "s.o": "s.o(x)", "s + s": "s + s", "len(s)": "len(s)", "s[x]": "s[x]", "s()": "s()", "s.python": "s.python(x)", "s.extra": "s.extra",
    "t == x": "t == x", "x + t": "x + t", "with t": "with t: pass", "map": "list(map(o, l))", "filter": "list(filter(o, l))",
    "passed on": "pass_on(x, x)", "varargs *args": "varargs(*pair)", "t.fast *args": "t.fast(*pair)",
}
# In C: the function and its further arguments.
LOOPS = {
    "build_list": "", "build_tuple": "", "pack_tuple": "", "build_dict": "", "dict_strings": "", "walk_dict": "", "build_string": "",
    "format_string": "", "concat_string": "", "utf8": "", "build_bytes": "", "numbers": "", "get_attribute": "a", "get_attribute_object": "a",
    "set_attribute": "a", "call_object": "f", "call_one_argument": "f", "call_function": "f", "call_method": "a", "iterate": "l",
    "sequence_items": "l", "raise_and_clear": "", "gil": "", "call_vectorcall": "f", "call_objects": "f", "call_method_name": "a",
    "call_builtin": "l", "call_class": "a", "fill_list": "", "fill_tuple": "", "fill_set": "", "list_items": "l", "fast_sequence": "l",
    "get_item": "l", "set_item": "l", "questions": "l", "parse_tuple": "", "parse_strings": "", "unpack_tuple": "", "parse_keywords": "",
    "build_number": "", "build_dict_format": "", "compare": "", "compare_strings": "", "is_instance": "l", "errors": "",
    "raise_and_fetch": "", "missing_attribute": "a", "has_attribute": "a", "longs": "", "join": "", "to_text": "i", "bytes_text": "",
    "buffers": "",
}
PROGRAM = """
def pass_on(*args, **kwargs):
    return module.fast(*args, **kwargs)
def loop(n):
    c, t, u, x, v, w, l, pair, named = module, one, two, 7, callable, owner, [1, 2, 3], (7, 7), {"b": 7}
    bound, partial, s, Sub = t.o, bound_o, sub, type(sub)
    noargs, o, varargs, keywords, fast, fast_keywords, Thing = c.noargs, c.o, c.varargs, c.keywords, c.fast, c.fast_keywords, c.Thing
    start = clock()
    for _ in range(n):
        %s
    return clock() - start
"""


class A:
    def __init__(self):
        self.attribute = 1

    def method(self):
        return None


class Plain:
    attribute = 1

    def __init__(self):
        self.value = 1

    def method(self):
        return None

    def one(self, v):
        return None

    @property
    def prop(self):
        return 1

    def __str__(self):
        return "text"


class Made:
    def __init__(self, v):
        self.v = v


class Equal:
    def __eq__(self, other):
        return False


class Slotted:
    __slots__ = ("one",)

    def __init__(self):
        self.one = 1


class Dynamic:
    def __getattr__(self, name):
        return 1


class Called:
    def __call__(self):
        return None


def raises():
    raise ValueError("no")


def numbers():
    yield from range(10)


def objects(module):
    """What the rows of capi_wide.c work on."""
    import array
    import collections.abc
    import functools
    return {
        "l": list(range(90)), "l3": [1, 2, 3], "t3": (1, 2, 3), "d": {"a": 1, "b": 2, "c": 3}, "s": {1, 2, 3}, "text": "some text",
        "bytes": b"some text", "bytearray": bytearray(b"some text"), "range": range(10), "items": {"a": 1, "b": 2}.items(),
        "values": {"a": 1, "b": 2}.values(), "view": memoryview(b"some text"), "deque": collections.deque(range(10)), "make": numbers,
        "a": Plain(), "b": Equal(), "A": Plain, "B": Made, "module": os, "slotted": Slotted(), "dynamic": Dynamic(), "callable": Called(),
        "Sequence": collections.abc.Sequence, "f0": lambda: None, "f3": lambda a, b, c: None, "fd": lambda a, b=1, c=2: None,
        "fstar": lambda *a: None, "partial": functools.partial(len, ()), "raises": raises, "own": module, "array": array.array("i", range(10))}


# How often a loop repeats its statement.
TIMES = 10


def cost(run):
    n = 1000
    while run(n) < 0.01:
        n *= 2
    # With a JIT, the loop has to be seen often enough. Short runs, so that some are undisturbed.
    return min(run(n) for _ in range(20)) / n * 1e9


def loaded(name, folder):
    import importlib.util
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, name + SUFFIX))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def child(folder, only):
    module = loaded("capi_bench", folder)
    names = {"module": module, "one": module.Thing(1), "two": module.Thing(2), "callable": module.Callable(), "clock": time.process_time,
             "owner": type("Owner", (), {"descr": module.Descriptor()})()}

    class Sub(module.Thing):
        def python(self, x):
            return None
    names |= {"sub": Sub(1), "bound_o": functools.partial(module.o)}
    names["sub"].extra = 1

    def statement(text):
        scope = dict(names)
        exec(PROGRAM % "\n        ".join([text] * TIMES), scope)
        return cost(scope["loop"])
    empty = statement("pass")
    for name, text in CALLS.items():
        if only in name:
            print("from Python", name, max((statement(text) - empty) / TIMES, 0.1), sep="\t", flush=True)
    values = {"a": (A(),), "f": (lambda v: None,), "l": ([1, 2, 3] * 30,), "i": (12345,), "": ()}
    for name, arguments in LOOPS.items():
        if only in name:
            function, more = getattr(module, name), values[arguments]

            def run(n):
                start = time.process_time()
                function(n, *more)
                return time.process_time() - start
            print("in C", name, cost(run), sep="\t", flush=True)
    wide = loaded("capi_wide", folder)
    x = objects(wide)
    for name, function in vars(wide).items():
        if only in name and not name.startswith("_"):
            def run(n):
                start = time.process_time()
                function(n, x)
                return time.process_time() - start
            print("in C, widely", name, cost(run), sep="\t", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    lancehead = os.path.abspath(options.lancehead)
    vms = {"python3.11": [python], "off": [lancehead, "-X", "jit=off"], "on": [lancehead]}
    include = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('include'))"], capture_output=True, text=True).stdout.strip()
    if not os.path.exists(os.path.join(include, "Python.h")):
        sys.exit("python3.11's headers are missing (%s): install python3.11-dev." % include)
    rows = {}
    with tempfile.TemporaryDirectory() as tmp:
        for name, source in ("capi_bench", "capi.c"), ("capi_wide", "capi_wide.c"):
            subprocess.run(["cc", "-O2", "-w", "-shared", "-fPIC", "-I", include, "-o", os.path.join(tmp, name + SUFFIX),
                            os.path.join(os.path.dirname(HERE), "programs", source)], check=True)
        for _ in range(options.rounds):
            for vm, command in vms.items():
                done = subprocess.run(command + [HERE, "--child", tmp, options.only], capture_output=True, text=True, timeout=600)
                if done.returncode:
                    print("%s: %s" % (vm, (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]))
                for line in done.stdout.splitlines():
                    part, name, ns = line.split("\t")
                    rows.setdefault((part, name), {}).setdefault(vm, []).append(float(ns))
    for part in ("from Python", "in C", "in C, widely"):
        print("\n%-24s%12s%12s%8s%12s%8s" % (part + ", ns", "python3.11", "jit=off", "", "jit=on", ""))
        ratios = {"off": [], "on": []}
        for (of, name), row in rows.items():
            if of != part or "python3.11" not in row:
                continue
            base = min(row["python3.11"])
            line = "%-24s%12.1f" % (name, base)
            for vm in ratios:
                if vm in row:
                    ratios[vm].append(min(row[vm]) / base)
                    line += "%12.1f%7.2fx" % (min(row[vm]), ratios[vm][-1])
            print(line)
        print("%-24s%12s" % ("geometric mean", "") + "".join(
            "%12s%7.2fx" % ("", math.exp(sum(map(math.log, r)) / len(r))) for r in ratios.values() if r))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        main()
