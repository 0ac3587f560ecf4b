"""Compiles files with CPython and leaves their marshalled code objects in a directory (helper of compare-code).

usage: python3.11 dump_code.py OPTIMIZE OUTDIR < list of files, one per line
Writes OUTDIR/N.code for the N-th file, or OUTDIR/N.error if it does not compile.
"""
import marshal
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")
optimize, out = int(sys.argv[1]), sys.argv[2]
spent = 0.0
for n, path in enumerate(sys.stdin.read().splitlines()):
    with open(path, "rb") as f:
        source = f.read()
    start = time.perf_counter()
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=optimize)
    except (SyntaxError, ValueError) as e:
        with open(os.path.join(out, f"{n}.error"), "w", encoding="utf-8", errors="replace") as f:
            f.write(f"{type(e).__name__}\n{e.args[0]}\n{getattr(e, 'lineno', None)}\n{getattr(e, 'offset', None)}\n")
        continue
    spent += time.perf_counter() - start
    with open(os.path.join(out, f"{n}.code"), "wb") as f:
        f.write(marshal.dumps(code))
print(f"{spent:.3f}")
