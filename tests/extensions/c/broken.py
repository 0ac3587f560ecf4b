"""Classes in C with broken slots, calls with wrong arguments, modules that cannot be made: the same errors as python3.11.

A slot that reports an error without setting one, or sets one without reporting it, ends in a SystemError; what it names, and at which call
it is noticed, is up to the interpreter, so that these count as one.
"""
import gc
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
import warnings

import c_broken

warnings.simplefilter("ignore")
# A collection would notice an exception that was left behind, too.
gc.disable()
ROWS = {"Repr": ["repr(x)", "str(x)", "f'{x}'", "'%s' % x", "[x].__repr__()", "f'{x!r}'"], "IntRepr": ["repr(x)", "str(x)", "f'{x}'", "'%r' % (x,)", "format(x)"],
 "Hash": ["hash(x)", "{x: 1}", "{x}", "{}.get(x)"], "ErrHash": ["hash(x)", "{x: 1}", "{x}"], "Bool": ["bool(x)", "not x", "1 if x else 2", "x and 1", "all([x])"], "ErrBool": ["bool(x)", "not x", "1 if x else 2"],
 "Len": ["len(x)", "bool(x)", "reversed(x)", "x[0]"], "LenM": ["len(x)", "bool(x)"], "ErrLen": ["len(x)", "bool(x)"], "MLen": ["len(x)", "x[0]", "x['a']", "x[1]"],
 "Num": ["x + 1", "1 + x", "x + x", "x - 1", "1 - x", "-x", "+x", "int(x)", "float(x)", "[1, 2][x]", "range(x)", "x * 2", "hex(x)", "sum([x, x])", "'a' * x", "complex(x)", "round(x)"],
 "Rich": ["x == 1", "x < x", "x != x", "[x] == [c_broken.Rich()]", "x in [1, 2]", "sorted([x, x])", "{x: 1}"], "ErrRich": ["x == 1", "x < x", "[x] == [c_broken.ErrRich()]", "1 in [x]"],
 "NonIter": ["iter(x)", "list(x)", "[y for y in x]", "tuple(x)", "[*x]"], "NullIter": ["iter(x)", "list(x)", "[y for y in x]", "[*x]", "1 in x"], "ErrNext": ["next(x)"],
 "Call": ["x()", "x(1, a=2)", "list(map(x, [1]))", "sorted([1, 2], key=x)"], "ErrCall": ["x()", "x(1, a=2)", "list(map(x, [1]))"], "Attr": ["x.a", "getattr(x, 'a', 5)", "hasattr(x, 'a')", "setattr(x, 'a', 1)", "delattr(x, 'a')", "x.m()"], "ErrAttr": ["x.a", "getattr(x, 'a', 5)", "hasattr(x, 'a')", "x.m()"],
 "Seq": ["1 in x", "x[0]", "x[-1]", "list(x)", "len(x)", "iter(x)", "reversed(x)"], "Buf": ["memoryview(x)", "bytes(x)"], "Lie": ["memoryview(x).format", "bytes(memoryview(x))", "memoryview(x)[0]", "bytes(x)", "memoryview(x).tolist()"], "ErrBuf": ["memoryview(x)", "bytes(x)", "b''.join([x])", "b'a' + x", "int(x)", "bytearray(x)", "b'abc'.find(x)", "b'a' in x", "x in b'a'", "float(x)", "str(x, 'ascii')", "bytearray(b'a').extend(x)", "open('/dev/null', 'wb').write(x)"], "Obj": ["len(memoryview(x))"],
 "Get": ["x.null", "x.err", "getattr(x, 'null', 1)", "setattr(x, 'null', 1)", "setattr(x, 'err', 1)", "x.m_null()", "x.m_o(1)", "x.m_v(1)", "x.m_fast(1)", "x.m_err()", "x.m_err_o(1)", "x.cls()", "x.stat()", "c_broken.Get.cls()", "x.m_null(1)", "x.m_o()", "c_broken.Get.m_null(5)", "c_broken.Get.m_o()"],
 "Desc": ["type('Q', (), {'d': x})().d", "type('Q', (), {'d': x}).d"]}


def told(f):
    try:
        r = f()
        list(map(len, [()]))
    except BaseException as e:
        if isinstance(e, SystemError) and ("exception" in str(e) or "error" in str(e)) or isinstance(e, KeyError):
            return "broken"
        text = re.sub("0x[0-9a-f]+|[^ ']*/", "", str(e))
        return type(e).__name__, "internal" if "internal" in text else text
    if type(r) is type or not isinstance(r, (int, str, float, list, tuple, bytes, type(None))):
        return type(r).__name__
    return r


def repeated(statement, times):
    """The different outcomes of running a statement so often, as part of a loop that may be compiled."""
    scope = {"c_broken": c_broken}
    exec("def f(x, told, out):\n  for i in range(%d):\n    r = told(lambda: %s)\n    if r not in out: out.append(r)" % (times, statement), scope)
    return scope["f"]


def inline(statement):
    scope = {"c_broken": c_broken}
    exec("def f(x):\n  n = 0\n  for i in range(300):\n    try:\n      %s\n      list(map(len, [()]))\n    except BaseException as e:\n      n += 1\n  return n > 0" % statement, scope)
    return scope["f"]


for name, statements in ROWS.items():
    cls = getattr(c_broken, name)
    for s in statements:
        out = []
        repeated(s, 3)(cls(), told, out)
        print(name, s, out)
        if "print" not in s:
            print("  in a loop", inline(s)(cls()))
for name in "New", "Other", "Init", "ErrInit":
    print(name, told(lambda: getattr(c_broken, name)()))
for i in range(15):
    def made(c):
        return c.__qualname__, c.__doc__
    print("spec", i, told(lambda: made(c_broken.spec(i))))
for bases in 1, (1,), (bool,), (int,), (object, int), (c_broken.Repr, c_broken.Hash), (type,), (type(None),):
    print("bases", bases, told(lambda: c_broken.spec_bases(bases).__mro__))
for i in range(70):
    # Some end the process on python3.11, or are not errors at all.
    if i not in (12, 22, 30, 34, 37, 45, 51, 52, 55, 56, 63):
        print("arguments", i, told(lambda: c_broken.bad_args(i)))


def load(name, path=importlib.util.find_spec("c_broken").origin):
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    m = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, path, loader=loader))
    loader.exec_module(m)
    return m


def looked_at(name):
    m = load(name)
    t = getattr(m, "T", None)
    if t is None:
        return type(m).__name__
    return str((t.__basicsize__ if t.__base__ is object else "", t.__mro__, told(t), told(lambda: t().m), told(lambda: type("S", (t,), {}))))


for name in ("noname gcnotrav small zero nobase vcall seqmap nulldealloc clsstat badflag badmember mflag mcls negsize slotcreate twocreate nullcreate intcreate "
             "errcreate execleft intexec negslot oldabi uninit str none raises_and_module \xfcn\xef nosuch").split():
    print(name, told(lambda: looked_at(name)))
with open(importlib.util.find_spec("c_broken").origin, "rb") as f:
    content = f.read()
with tempfile.TemporaryDirectory() as folder:
    def changed(at, byte):
        b = bytearray(content)
        b[at] = byte
        return bytes(b)
    files = {}
    # On python3.11 a file that was cut off ends the process.
    if "Lancehead" in sys.version:
        files["cut"] = content[:3000]
    else:
        print("cut ('ImportError', 'cut.so: file too short')")
    files |= {"header": content[:20], "empty": b"", "text": b"this is no library", "machine": changed(18, 0xb7), "bits": changed(4, 1)}
    for name, data in files.items():
        path = os.path.join(folder, name + ".so")
        with open(path, "wb") as f:
            f.write(data)
        print(name, told(lambda: load(name, path)))
