"""The command line: options, bad program files, exit statuses, what goes to standard error."""
import os
import struct
import subprocess
import sys
import tempfile
from importlib.util import MAGIC_NUMBER


def run(*args, stdin=None, env=None):
    p = subprocess.run([sys.executable, *args], input=stdin, capture_output=True, env=dict(os.environ, **(env or {})))
    err = p.stderr.decode("utf-8", "replace").replace(os.getcwd(), "<cwd>").replace(sys.executable, "<exe>")
    print(args, p.returncode, p.stdout.decode("utf-8", "replace").replace(sys.executable, "<exe>"), err.splitlines()[-1:])


def program(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


os.chdir(tempfile.mkdtemp())
for code in ("str(b'x')", "b'x' == 'x'", "b'x' == 1", "bytearray(b'x') != 'x'", "{b'x': 1, 'x': 2}"):
    run("-bb", "-c", code)
run("-b", "-c", "print(b'x' == 'x')")
run(program("undecodable.py", b"x = 1\ny = '\xff\xfe'\n"))
run(program("declared.py", b"# coding: utf-8\ny = '\xff\xfe'\n"))
run(program("unknown.py", b"# coding: nosuch\n"))
run(program("latin.py", b"# coding: latin-1\nprint(ascii('\xe9'))\n"))
run(program("bom.py", b"\xef\xbb\xbfprint('bom')\n"))
run(program("syntax.py", b"def f(:\n  pass\n"))
run(program("alien.pyc", b"this is no pyc file at all"))
run(program("short.pyc", MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + b"\xe3\x00\x00"))
run(program("nocode.pyc", MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + b"i\x01\x00\x00\x00"))
run("nosuchfile.py")
run("-m", "nosuchmodule")
run("-c", "import sys; sys.exit('message')")
run("-c", "import sys; sys.exit(300)")
run("-c", "raise KeyboardInterrupt")
run("-O", "-c", "assert False; print(__debug__)")
run("-OO", "-c", "def f():\n 'doc'\nprint(f.__doc__)")
run("-W", "error", "-c", "import warnings; warnings.warn('w')")
run("-W", "ignore", "-c", "import warnings; warnings.warn('w'); print('quiet')")
run("-X", "key=value", "-X", "flag", "-c", "import sys; print(sys._xoptions['key'], sys._xoptions['flag'])")
run("-I", "-c", "import sys; print(sys.flags.isolated, sys.flags.ignore_environment, sys.flags.no_user_site)",
    env={"PYTHONOPTIMIZE": "1"})
run("-E", "-c", "import sys; print(sys.flags.optimize)", env={"PYTHONOPTIMIZE": "1"})
run("-c", "import sys; print(sys.flags.optimize, sys.flags.dont_write_bytecode)",
    env={"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"})
run("-S", "-c", "import sys; print('site' in sys.modules)")
run("-", "a", "b", stdin=b"import sys\nprint(sys.argv, __name__)\n")
run("-i", "-c", "x = 5", stdin=b"print(x + 1)\n")
run("-q", "-i", stdin=b"def f():\n  return 7\n\nf()\n1/0\n'still here'\n")
run("-u", "-c", "import sys; sys.stdout.write('a'); sys.stderr.write('b')")
run("-P", "-c", "import sys; print(sys.path[0] == '')")
run("-c", "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('not reached')")
run("-c", "import posix; posix.kill(posix.getpid(), 2)\nwhile True: pass")
run("-c", "import _thread\n_thread.start_new_thread(_thread.interrupt_main, ())\nwhile True: pass")
run("-c", "import sys; print(sys.argv, sys.orig_argv[1:])", "x", "-y")
run("--check-hash-based-pycs", "never", "-c", "print(1)")
