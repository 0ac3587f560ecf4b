# An uncaught exception after output: the exit status and the last line of the traceback must agree.
import sys
print("before", flush=True)
def inner(x): return [1, 2, 3][x]
inner(10)
