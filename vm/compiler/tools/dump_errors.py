"""Compiles wrong snippets with CPython and writes down its errors (helper of compare-code -e).

usage: python3.11 dump_errors.py OUTDIR < snippets, one Python string literal per line
Writes OUTDIR/N.src and OUTDIR/N.txt (class, message, line, offset, end line, end offset; one per line).
"""
import ast
import os
import sys
import warnings

warnings.simplefilter("ignore")
out = sys.argv[1]
for n, line in enumerate(sys.stdin.read().splitlines()):
    source = ast.literal_eval(line)
    try:
        compile(source, "f", "exec", dont_inherit=True)
        answer = ["ok"]
    except SyntaxError as e:
        answer = [type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset]
    with open(os.path.join(out, f"{n}.src"), "w", encoding="utf-8", newline="") as f:
        f.write(source)
    with open(os.path.join(out, f"{n}.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(map(str, answer)))
