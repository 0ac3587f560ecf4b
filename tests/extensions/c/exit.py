"""The order of what runs at the end: Python's exit functions, destructors, Py_AtExit's functions, the C library's."""

import atexit
import sys

import c_exit


class Last:
    def __del__(self):
        sys.stdout.write("a destructor\n")
        sys.stdout.flush()


kept = Last()
atexit.register(lambda: print("atexit of Python", flush=True))
print(c_exit.arm(), c_exit.fill(), flush=True)
