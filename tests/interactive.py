#!/usr/bin/env python3.11
"""Sessions at a terminal, typed into python3.11 and into Lancehead and compared: editing, history, completion, blocks, errors, help, pdb, -i.

    interactive.py LANCEHEAD [--only basic,edit] [--show]

Each session runs in a pseudo-terminal of 40 lines by 100 columns with a home directory of its own. What the terminal shows must be equal
(addresses apart), and so must the exit status.
"""

import argparse
import difflib
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import sys
import tempfile
import termios
import time

PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
UP, DOWN, HOME, END, LEFT, TAB, INTERRUPT, EOF = "\x1b[A", "\x1b[B", "\x01", "\x05", "\x02", "\t", "\x03", "\x04"

PROGRAM = '''\
def inner(n):
    values = [n, n + 1]
    return sum(values) / n


def outer(n):
    total = 0
    for i in range(3):
        total += inner(n - i)
    return total


print("started")
print(outer(4))
'''

# Name: (arguments, what is typed)
SESSIONS = {
    "basic": (["-q"], ["1+1\n", "x = 5\n", "_\n", "def f(a):\n", "    return a*2\n", "\n", "f(x)\n", "for i in range(2):\n", "  print(i)\n", "\n",
                       "class A:\n", "  y=1\n", "\n", "A.y\n", "'abc'\n", "(1,\n", "2)\n", "'''m\n", "n'''\n", "None\n", "import sys; sys.ps1\n",
                       "sys.ps1 = 'new> '\n", "1\n", "if x: 1\n", "\n", "@staticmethod\n", "def g(): pass\n", "\n", "try: 1\n", "except: 2\n", "\n",
                       "# comment\n", "\n", "x; x\n", "with open('/dev/null') as f:\n", "  f\n", "  # c\n", "\n", "exit()\n"]),
    "errors": (["-q"], ["1/0\n", "if 1:\n", "x\n", "x y\n", "print('a\n", "x = = 1\n", "  x\n", "def g():\n", "  return h()\n", "\n",
                        "def h(): return [1][2]\n", "\n", "g()\n", "import nope\n", "[].foo\n", "{}['a']\n", "printt\n", "exec('1/0')\n",
                        "compile('a b','f','exec')\n", "raise ValueError('v')\n", INTERRUPT, "ff(" + INTERRUPT, "try: 1/0\n",
                        "except Exception as e: raise KeyError('k') from e\n", "\n", "raise ExceptionGroup('g',[ValueError(1),TypeError(2)])\n",
                        "f'{a b}'\n", "1 +\n", "import sys; sys.last_type\n", "exit(3)\n"]),
    "edit": (["-q"], ["abc\x7f\x7fd\n", "1 + " + HOME + "(" + END + " 2)\n", UP + UP + "\n", "'x'" + LEFT + LEFT + "y\n", "foo_bar = 42\n",
                      "foo_" + TAB + "\n", "'abc'.upp" + TAB + ")\n", "import o" + TAB + TAB + "\x15\n", TAB + "1\n", "\x12foo_b\n", UP + DOWN + "2\n", EOF]),
    "history": (["-q"], [UP + UP + "\n", "exit()\n"]),
    "help": (["-q"], ["import textwrap\n", "help(textwrap.dedent)\n", "help()\n", "textwrap.indent\n", "quit\n", "help\n", "exit\n", "exit()\n"]),
    "banner": ([], ["print(1)\n", EOF]),
    "input": (["-q"], ["input('name? ')\n", "wo" + LEFT + "x\n", "input()\n", EOF, "input('\u00e9>')\n", "\u00fc\n", "exit()\n"]),
    "inspect": (["-i", "program.py"], ["outer(5)\n", "outer(1)\n", "outer.__name__\n", "import sys; sys.exit(7)\n"]),
    "inspect-error": (["-i", "-c", "x = 1; 1/0"], ["x\n", "exit()\n"]),
    "pdb": (["-m", "pdb", "program.py"], ["l\n", "b inner\n", "c\n", "w\n", "p n, values\n", "n\n", "pp values\n", "u\n", "l\n", "a\n", "!total = 10\n", "p total\n",
                                         "s\n", "r\n", "tbreak 9\n", "c\n", "b\n", "cl 1\n", "whatis outer\n", "display total\n", "n\n", "h w\n", "foo\n", "c\n",
                                         "q\n"]),
    "breakpoint": (["-q"], ["def f(x):\n", "  breakpoint()\n", "  return x\n", "\n", "f(3)\n", "p x\n", "x = 4\n", "c\n", "import pdb\n", "1/0\n", "pdb.pm()\n",
                            "q\n", "exit()\n"]),
    "code": (["-q"], ["import code\n", "code.interact('hello', exitmsg='bye')\n", "1+1\n", "if 1:\n", "  2\n", "\n", "x = = y\n", "1/0\n", EOF, "exit()\n"]),
}


def session(command, typed, home):
    env = dict(os.environ, TERM="xterm", HOME=home, COLUMNS="100", LINES="40", PAGER="cat", LC_ALL="C.UTF-8", PYTHONHASHSEED="0")
    env.pop("PYTHONSTARTUP", None)
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execvpe(command[0], command, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    out = b""

    def drain(quiet, most):
        """Reads until nothing has come for a while; false at the end."""
        nonlocal out
        last = time.monotonic()
        stop = last + most
        while time.monotonic() < min(last + quiet, stop):
            if select.select([fd], [], [], 0.02)[0]:
                try:
                    more = os.read(fd, 65536)
                except OSError:
                    more = b""
                if not more:
                    return False
                out += more
                last = time.monotonic()
        return True

    drain(0.6, 20)
    for keys in typed:
        os.write(fd, keys.encode())
        if not drain(0.12 if keys != typed[-1] else 1.5, 10):
            break
    status = None
    for _ in range(100):
        done, state = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(state)
            break
        time.sleep(0.05)
    else:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    os.close(fd)
    text = out.decode("utf-8", "replace").replace("\r", "")
    # First: a folder's random name may look like an address.
    text = text.replace(home, "HOME")
    text = re.sub(r"0x[0-9a-f]+", "0xADDR", text)
    text = re.sub(r"^Python 3\.11.*(\n.*on linux|\n\[.*\].*)?$", "BANNER", text, flags=re.M)
    return text + "\n--- status %s" % status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lancehead")
    parser.add_argument("--only")
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    ours = shlex.split(args.lancehead)
    ours[0] = os.path.abspath(ours[0])
    failed = 0
    names = args.only.split(",") if args.only else list(SESSIONS)
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        for home in (a, b):
            with open(os.path.join(home, "program.py"), "w") as f:
                f.write(PROGRAM)
        for name in names:
            options, typed = SESSIONS[name]
            texts = [session([*command, *options], typed, home) for command, home in (([PYTHON], a), (ours, b))]
            same = texts[0] == texts[1]
            failed += not same
            print("%-14s %s" % (name, "equal" if same else "DIFFERS"), flush=True)
            if not same:
                diff = difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), "python3.11", "lancehead", lineterm="", n=1)
                for line in list(diff)[: 100 if args.show else 10]:
                    print("    " + repr(line)[1:-1][:180])
    print("%d sessions, %d differ" % (len(names), failed))
    sys.exit(failed != 0)


main()
