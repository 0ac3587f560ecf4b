"""coverage's C tracer, black and mypy as mypyc compiles them, charset-normalizer, line_profiler, setproctitle, ciso8601."""
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import black
import charset_normalizer
import ciso8601
import coverage
import line_profiler
import setproctitle

work = pathlib.Path(tempfile.mkdtemp())
(work / "prog.py").write_text("def f(x):\n    if x:\n        return 1\n    else:\n        return 2\n\ndef g():\n    yield 1\n    yield 2\n\nf(1)\nnext(g())\n")
os.chdir(work)
sys.path.insert(0, str(work))
c = coverage.Coverage(branch=True, data_file=None)
c.start()
import prog

t = threading.Thread(target=prog.f, args=(1,))
t.start()
t.join()
c.stop()
out = io.StringIO()
c.report(morfs=["prog.py"], show_missing=True, file=out)
print(out.getvalue(), sorted(c.get_data().arcs(str(work / "prog.py"))))
src = "def f(a,b = 3):\n  x = {'a':1,\n   'b':[1,2,3]}\n  return  lambda:( x,a )\nclass  K( object ):pass\n"
print(black.format_str(src, mode=black.Mode()))
try:
    black.format_str("def f(:", mode=black.Mode())
except black.InvalidInput as e:
    print(e)
(work / "typed.py").write_text("from typing import Protocol\nclass P(Protocol):\n    def m(self) -> int: ...\nclass A:\n    def m(self) -> str:\n        return 'x'\ndef f(p: P) -> int:\n    return p.m()\nf(A())\nx: int = 'a'\nreveal_type([i for i in range(3)])\n")
r = subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", str(work / "cache"), "--strict", "typed.py"], capture_output=True, text=True)
print(r.stdout, r.stderr, r.returncode)
text = "Déjà vu, garçon. Où êtes-vous allés cet été, à Orléans ?" * 3
print(charset_normalizer.from_bytes(text.encode("utf-8")).best().encoding, str(charset_normalizer.from_bytes(text.encode("utf_16")).best()) == text)
lp = line_profiler.LineProfiler()
lp.add_function(prog.f)
lp.enable()
for i in range(10):
    prog.f(i % 2)
lp.disable()
print([(a, b) for v in lp.get_stats().timings.values() for a, b, _ in v])
setproctitle.setproctitle("renamed")
print(setproctitle.getproctitle())
print(ciso8601.parse_datetime("2020-01-02T03:04:05.678+01:00"))
try:
    ciso8601.parse_datetime("2020-13-02")
except ValueError as e:
    print(e)
