# Tracebacks of a dying process, of a signal that asks for one, and after a time: what is written, and how the process ends.
import re
import signal
import subprocess
import sys

DEATHS = {
    "sigsegv": "faulthandler._sigsegv()",
    "sigsegv without the lock": "faulthandler._sigsegv(True)",
    "sigabrt": "faulthandler._sigabrt()",
    "sigfpe": "faulthandler._sigfpe()",
    "null": "faulthandler._read_null()",
    "one thread": "faulthandler.enable(all_threads=False); faulthandler._sigfpe()",
    "stdout": "faulthandler.enable(sys.stdout); faulthandler._sigfpe()",
    "disabled": "print(faulthandler.disable(), faulthandler.disable()); faulthandler._sigfpe()",
    "kill": "import os, signal; os.kill(os.getpid(), signal.SIGBUS)",
    "native": "import ctypes; ctypes.string_at(0)",
    "long names": "exec('def ' + 'f' * 600 + '(): faulthandler._sigfpe()\\n' + 'f' * 600 + '()')",
    "other characters": "exec('def \u00e9\u03b1(): faulthandler._sigfpe()\\n\u00e9\u03b1()')",
    "deep": "r = lambda n: r(n - 1) if n else faulthandler._sigfpe()\nr(150)",
    "threads": "import threading, time\nready = threading.Event()\ndef wait():\n  ready.set()\n  threading.Event().wait()\n"
               "threading.Thread(target=wait, daemon=True).start(); ready.wait(); time.sleep(.2); faulthandler._sigfpe()",
    "dump": "def f(): faulthandler.dump_traceback()\nf(); faulthandler.dump_traceback(1, False)",
    "later": "import time\nfaulthandler.dump_traceback_later(.05)\ndef f(): time.sleep(.5)\nf()",
    "later, exit": "import time\nfaulthandler.dump_traceback_later(.05, exit=True)\ndef f(): time.sleep(5)\nf()",
    "later, cancelled": "import time\nfaulthandler.dump_traceback_later(.2)\nfaulthandler.cancel_dump_traceback_later(); time.sleep(.3)",
    "asked": "import os, signal\nprint(faulthandler.register(signal.SIGUSR1))\ndef f(): os.kill(os.getpid(), signal.SIGUSR1)\n"
             "f(); print(faulthandler.unregister(signal.SIGUSR1), faulthandler.unregister(signal.SIGUSR1))",
    "asked, chained": "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *a: print('handled', a[0]))\n"
                      "faulthandler.register(signal.SIGUSR1, chain=True, all_threads=False)\nfor i in range(2): os.kill(os.getpid(), signal.SIGUSR1)",
}
for name, code in DEATHS.items():
    code = "import faulthandler, sys\nfaulthandler.enable()\n" + code
    p = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    text = (p.stdout + b"|" + p.stderr).decode()
    print(name, p.returncode, re.sub(r"0x[0-9a-f]{16}", "0xID", text))

import faulthandler

for attempt in (lambda: faulthandler.enable(-1), lambda: faulthandler.enable("x"), lambda: faulthandler.register(signal.SIGSEGV),
                lambda: faulthandler.register(1000), lambda: faulthandler.unregister(0), lambda: faulthandler.dump_traceback_later(0),
                lambda: faulthandler.dump_traceback_later(-1), lambda: faulthandler.dump_traceback_later("1"),
                lambda: faulthandler.dump_traceback(object()), lambda: faulthandler.cancel_dump_traceback_later()):
    try:
        print(attempt())
    except Exception as e:
        print(type(e).__name__, e)
sys.stderr = None
for f in (faulthandler.enable, faulthandler.dump_traceback, lambda: faulthandler.dump_traceback_later(1), lambda: faulthandler.register(10)):
    try:
        f()
    except RuntimeError as e:
        print(e)
