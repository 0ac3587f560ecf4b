# Modules that count as frozen, contexts' variables and other corners of the import system.
import _imp
import contextvars
import importlib.util
import os
import runpy
import subprocess
import sys
import tempfile
import zipimport

print(_imp._frozen_module_names())
for m in (os, os.path, runpy, zipimport, importlib.util, sys.modules["codecs"], sys.modules["_frozen_importlib"]):
    print(m, m.__spec__, getattr(m, "__file__", None) == os.path.join(sys._stdlib_dir, *m.__name__.split(".")) + ".py")
print(os.getenv.__code__.co_filename, os.path.join.__code__.co_filename)
for name in ("nope", "os", "__phello__", ""):
    for f in (_imp.is_frozen, _imp.is_frozen_package, _imp.find_frozen, _imp.get_frozen_object):
        try:
            print(f.__name__, name, str(f(name)).split(" at 0x")[0])
        except ImportError as e:
            print(f.__name__, type(e).__name__, e, e.name)
import __hello__, __phello__.spam, __hello_only__
print(__hello__, __phello__, __phello__.__path__ == [os.path.join(sys._stdlib_dir, "__phello__")], __hello_only__.__spec__)
with tempfile.TemporaryDirectory() as d:
    with open(os.path.join(d, "boom.py"), "w") as f:
        f.write("def f(): 1/0\nf()\n")
    for extra in ([], ["-X", "frozen_modules=off"]):
        p = subprocess.run([sys.executable, *extra, "-m", "boom"], cwd=d, capture_output=True, text=True)
        print(p.stderr.replace(d, "D").replace(sys._stdlib_dir, "LIB"))

a, b = contextvars.ContextVar("a", default=1), contextvars.ContextVar("b")
ctx = contextvars.copy_context()


def change():
    t = a.set(2)
    b.set(3)
    snap = contextvars.copy_context()
    a.reset(t)
    return len(contextvars.copy_context()), len(snap), dict(snap.items()) == {a: 2, b: 3}, a.get()


print(ctx.run(change), len(ctx), a in ctx, ctx.get(b), sorted(ctx.values()), len(ctx.items()), a.get(), list(contextvars.Context()))
many = [contextvars.ContextVar("v%d" % i) for i in range(200)]


def fill():
    for i, v in enumerate(many):
        v.set(i)
    c = contextvars.copy_context()
    return [c[v] for v in many] == list(range(200)), len(c), sorted(c.values())[:3], c == contextvars.copy_context()


print(contextvars.Context().run(fill))
