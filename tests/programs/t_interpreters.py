"""Interpreters beside the main one: what each has for itself, what goes from one to another, how they end."""
import _xxsubinterpreters as interpreters
import atexit
import builtins
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from test.support import interpreters as high


def run(i, text, **kw):
    sys.stdout.flush()
    interpreters.run_string(i, textwrap.dedent(text) + "\nimport sys as _s; _s.stdout.flush()\n", **kw)


def outcome(f, *args, **kw):
    try:
        return f(*args, **kw)
    except BaseException as e:
        return f"{type(e).__name__}: {e}"


print("== what each has for itself")
i = interpreters.create(isolated=False)
builtins.only_here = 1
sys.only_here = 2
warnings.simplefilter("error", UserWarning)
run(i, """
    import sys, builtins, os, io, codecs, warnings, threading, collections, json, re
    print(hasattr(builtins, "only_here"), hasattr(sys, "only_here"), __name__, sorted(globals()))
    print(sys.modules["sys"] is sys, sys.modules["__main__"].__dict__ is globals(), "test" in sys.modules)
    print(len.__self__ is builtins, sys.exit.__self__ is sys, os.stat.__self__ is sys.modules["posix"], builtins.open is io.open)
    print(sys.stdout.name, sys.stdout.encoding, sys.flags.optimize, sys.warnoptions, sys.excepthook is sys.__excepthook__)
    print(json.loads('{"a": [1, 2.5, null]}'), re.sub("(a)(b)", r"\\2\\1", "abab"), collections.Counter("abca").most_common(1))
    print(threading.current_thread() is threading.main_thread(), threading.active_count())
    warnings.simplefilter("ignore")
    warnings.warn("quiet")
    codecs.register(lambda name: codecs.lookup("latin-1") if name == "of_one_only" else None)
    codecs.register_error("of_one_only", lambda e: ("?", e.end))
    print("é".encode("of_one_only"), "aé".encode("ascii", "of_one_only"))
    sys.setrecursionlimit(900)
    class C:
        def __del__(self): print("C goes", self.x)
    c = C(); c.x = 7
""")
print(outcome("é".encode, "of_one_only"))
print(outcome("é".encode, "ascii", "of_one_only"))
print(outcome(warnings.warn, "loud"))
run(i, "sys.setrecursionlimit(900); sys.set_int_max_str_digits(1000); print(sys.getrecursionlimit(), sys.get_int_max_str_digits())")
print(sys.getrecursionlimit(), sys.get_int_max_str_digits(), len(str(10**2000)))
warnings.resetwarnings()
run(i, "print(c.x, sorted(n for n in globals() if len(n) == 1))")

print("== errors")
for text in ("1/0", "raise KeyError('k')", "import nowhere", "raise SystemExit(3)", "class E(Exception): pass\nraise E('mine')"):
    print(outcome(run, i, text))
print(outcome(run, i, "print(1)", shared={"a": ()}))
print(outcome(run, 999, "pass"), outcome(interpreters.destroy, 999), outcome(interpreters.destroy, interpreters.get_main()))
print(outcome(run, i, "import _xxsubinterpreters as x; x.run_string(x.get_current(), '1')"))

print("== shared values")
run(i, "print(a, b, c, d, e)", shared={"a": 1, "b": "text é \U0001f600", "c": b"bytes", "d": None, "e": -5})
print(outcome(run, i, "", shared={"a": 2**70}), "|", outcome(run, i, "", shared={"a": 1.5}))
ch = interpreters.channel_create()
for v in (1, "x" * 50, b"y\0z", None):
    interpreters.channel_send(ch, v)
run(i, f"""
    import _xxsubinterpreters as x
    for n in range(4):
        print(repr(x.channel_recv({int(ch)})))
    x.channel_send({int(ch)}, "back")
""")
print(interpreters.channel_recv(ch), outcome(interpreters.channel_recv, ch), outcome(interpreters.channel_send, ch, []))
r, s = high.create_channel()
s.send_nowait(b"spam")
print(r.recv(), outcome(r.recv_nowait), r.recv_nowait("default"))

print("== numbers")
I = interpreters.InterpreterID
x = I(int(i))
print(repr(x) == f"InterpreterID({int(i)})", str(x) == str(int(i)), x == int(i), x != i, x == "1", hash(x) == hash(int(i)), range(10)[x] == int(i))
print(outcome(I, -1), outcome(I, "1"), outcome(I, 999), int(I(999, force=True)), outcome(I), outcome(lambda: x < x), outcome(I, 2**70))
print(I.__doc__, [int(n) for n in interpreters.list_all()] == [0, int(i)], int(interpreters.get_main()), int(interpreters.get_current()))

print("== threads, signals, processes")
run(i, """
    import threading, signal, os, time
    seen = []
    t = [threading.Thread(target=seen.append, args=(n,)) for n in range(5)]
    for x in t: x.start()
    for x in t: x.join()
    print(sorted(seen), threading.active_count())
    for f in (lambda: signal.signal(signal.SIGUSR1, print), lambda: signal.set_wakeup_fd(-1)):
        try: f()
        except Exception as e: print(type(e).__name__, e)
    import subprocess, sys
    print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True).stdout)
    try: subprocess.run(["true"], preexec_fn=print)
    except Exception as e: print(type(e).__name__, e)
""")
iso = interpreters.create(isolated=True)
run(iso, """
    import _thread, os, subprocess
    for f in (lambda: _thread.start_new_thread(print, ()), os.fork, lambda: subprocess.run(["true"])):
        try: f()
        except Exception as e: print(type(e).__name__, e)
""")
got = []
signal.signal(signal.SIGUSR1, lambda n, f: got.append(n))
run(i, "import os, signal; os.kill(os.getpid(), signal.SIGUSR1); print([n for n in range(300)][-1])")
print(got == [signal.SIGUSR1])

print("== from a thread, several at once, one inside another")
done = []


def work(k):
    j = interpreters.create()
    try:
        for n in range(3):
            interpreters.run_string(j, f"x = sum(n * {k} for n in range(2000))")
    finally:
        interpreters.destroy(j)
    done.append(k)


ts = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for t in ts:
    t.start()
for t in ts:
    t.join()
print(sorted(done), len(interpreters.list_all()))
run(i, """
    import _xxsubinterpreters as x
    j = x.create()
    x.run_string(j, "import sys, _xxsubinterpreters as x; print(len(x.list_all())); x.run_string(0, 'pass') if False else None")
    x.destroy(j)
    del j
""")

print("== hot loops in each")
LOOP = """
def f(n):
    t = 0
    for k in range(n):
        t += len(str(k)) + abs(-k) + (k in d)
    return t
d = {{}}
class P:
    def __init__(self, x): self.x = x
    def __add__(self, o): return P(self.x + o.x)
def g(n):
    p = P(0)
    for k in range(n): p = p + P({k})
    return p.x
print(f(3000), g(3000))
"""
for k in range(3):
    j = interpreters.create()
    exec(LOOP.format(k=k), {})
    sys.stdout.flush()
    run(j, LOOP.format(k=k))
    run(j, "import builtins; builtins.len = lambda o: 100; print(f(300), g(300)); del builtins.abs")
    print(outcome(run, j, "f(10)"))
    interpreters.destroy(j)
    del j
exec(LOOP.format(k=5), {})

print("== how they end")
sys.stdout.flush()
j = interpreters.create(isolated=False)
run(j, """
    import atexit, time, sys
    atexit.register(print, "exit function 1")
    atexit.register(print, "exit function 2", end="!\\n")
    class D:
        def __del__(self): print("D goes", time is not None)
    d = D()
    import builtins
    builtins.mine = 1
""")
interpreters.destroy(j)
sys.stdout.flush()
print(atexit._ncallbacks(), hasattr(builtins, "mine"), j in interpreters.list_all(), outcome(run, j, "pass"))
del j
interpreters.destroy(i)
interpreters.destroy(iso)
print(len(interpreters.list_all()))
h = high.create()
h.run("print('high')")
sys.stdout.flush()
h.close()
h = high.create()
del h
gc.collect()
print(len(high.list_all()), high.get_main() == high.get_current())

pid = os.fork()
if pid == 0:
    os._exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

print("== how the process ends")
for text in (
    "import _xxsubinterpreters as x; i = x.create(); x.run_string(i, 'import atexit; atexit.register(print, 1)')",
    "import _testcapi as t; print(t.run_in_subinterp('import sys; print(2); sys.exit(3)')); print(4)",
    "import _testcapi as t; print(t.run_in_subinterp('1/0'))",
    "import _testcapi as t; print(t.run_in_subinterp('import threading, time; threading.Thread(target=lambda: (time.sleep(.05), print(1))).start()'))",
    "import _testcapi as t; print(t.run_in_subinterp('import atexit, sys; atexit.register(lambda: 1/0); sys.stdout = None'))",
    "import _testcapi as t; print(t.run_in_subinterp('import threading, time; threading.Thread(target=time.sleep, args=(100,), daemon=True).start()'))",
    "import _xxsubinterpreters as x, builtins; builtins.i = x.create(); import sys; sys.exit(5)",
):
    p = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    print(p.returncode, p.stdout.split(), p.stderr.strip().splitlines()[-1:] if "daemon" not in text else p.stderr.splitlines()[:1])
