"""Functions for embedding, called from an extension."""
import os
import sys
import threading
import warnings

import c_embed as c

path = list(sys.path)
for update in False, True:
    c.arguments(update)
    print(sys.argv, [p for p in sys.path if p not in path] == ([os.path.dirname(os.path.realpath("/usr/bin/env"))] if update else []))
sys._xoptions.pop("jit", None)
print(c.options())
sys.ps1, sys.ps2 = ">", ":"
print(c.typed("x = 1 + \\\n 2\nprint(x)\ndef f(a):\n    return a * 2\n\nprint(f(x))\n"), x)
print(c.lines(b"one\rtwo\r\nthree\nlonger than that\r\rend"))
print(c.wide())
print(c.charmap("\0\u20ac\xe9"))
print(c.tokens(), c.hashing(), c.wrapped([1, 2, 3]), c.lists())
n = c.named()
print(tuple(n), n.a, n.c, n.n_unnamed_fields)
try:
    c.located(__file__)
except SyntaxError as e:
    print(e.filename == __file__, e.lineno, e.offset, e.end_lineno, e.end_offset, e.text)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    c.warned()
print([(w.category, str(w.message), w.filename, w.lineno) for w in seen])
print(c.opened(__file__))
sys.stdout.flush()
c.printer("straight\n")
go, stop = threading.Event(), threading.Event()


def wait():
    go.set()
    stop.wait()


t = threading.Thread(target=wait)
t.start()
go.wait()
print(c.threads())
stop.set()
t.join()
print(c.threads())
