"""Events that a C trace function sees: none before a generator's call event."""
import ctypes
F = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.py_object, ctypes.c_int, ctypes.c_void_p)
log = []
def cb(o, f, what, arg):
    c = f.f_code
    if c.co_filename == '<s>' and what != 7: log.append((c.co_name, what, f.f_lineno, f.f_lasti, c.co_code[f.f_lasti]))
    return 0
cb = F(cb)
src = """class A:
    def g(self):
        yield 1
        yield 2
list(A().g())
"""
code = compile(src, '<s>', 'exec')
P = ctypes.pythonapi.PyEval_SetTrace
P.argtypes = [F, ctypes.py_object]
P(cb, None)
exec(code, {})
ctypes.pythonapi.PyEval_SetTrace.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
P(None, None)
for l in log: print(*l)
