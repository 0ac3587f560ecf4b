"""Names of files that are no text: surrogates in the name a code object has for its file."""
import os
import subprocess
import sys
import tempfile
import traceback

name = "bad\udc80\u00e9name.py"
code = compile("def g():\n    return (lambda: 1 / 0)()\n\nclass C:\n    def m(self): g()\nC().m()\n", name, "exec")


def files(c):
    yield c.co_name, ascii(c.co_filename), c.co_filename == name
    for k in c.co_consts:
        if hasattr(k, "co_code"):
            yield from files(k)


print(*files(code), sep="\n")
try:
    exec(code, {})
except ZeroDivisionError as e:
    for f in traceback.extract_tb(e.__traceback__)[1:]:
        print(ascii(f.filename), f.lineno, f.name)
    print(ascii("".join(traceback.format_exception(e)[2:])))
try:
    compile("1 +\n", name, "exec")
except SyntaxError as e:
    print(ascii(e.filename), e.lineno, e.msg)
print(ascii(code.replace(co_filename="other\udcff").co_filename))
print(ascii(compile("1", "\ud800", "eval").co_filename), ascii(compile("1", "\U0001f600", "eval").co_filename))

with tempfile.TemporaryDirectory() as d:
    path = os.path.join(os.fsencode(d), b"x\xff.py")
    with open(path, "w") as f:
        f.write("print(ascii(__file__[-6:]))\ndef f(): pass\nprint(ascii(f.__code__.co_filename[-6:]))\n")
    r = subprocess.run([sys.executable, path], capture_output=True)
    print(r.returncode, r.stdout.decode(), r.stderr.decode()[-200:])
