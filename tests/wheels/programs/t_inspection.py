"""memray, memory-profiler, debugpy, Cython's compiler: programs watched, stopped and translated."""

import memray, os, tempfile

memray.set_log_level(40)
f = tempfile.mktemp()


def work():
    a = [bytearray(100000) for _ in range(50)]
    return len(a)


with memray.Tracker(f):
    print(work())
r = memray.FileReader(f)
s = 0
names = set()
for rec in r.get_high_watermark_allocation_records(merge_threads=True):
    st = rec.stack_trace()
    if st:
        names.add(st[0][0])
    s += rec.size
print(s > 4900000, "work" in str(names) or "<listcomp>" in names)
print(r.metadata.total_allocations > 50)

from memory_profiler import profile, memory_usage
import io

s = io.StringIO()


@profile(stream=s)
def f():
    a = [0] * 1000000
    b = a * 2
    return len(b)


print(f())
print([l.split()[0] for l in s.getvalue().splitlines() if l.strip()][:8])
print(memory_usage((f,), interval=0.1)[0] > 5)

import tempfile, os, sys, subprocess

d = tempfile.mkdtemp()
os.chdir(d)
open("m.pyx", "w").write("""
cdef class A:
    cdef public int x
    def __init__(self, x): self.x=x
    def __add__(self,o): return A(self.x+(<A?>o).x)
    cpdef int f(self, int y) except -1:
        if y<0: raise ValueError("neg")
        return self.x*y
def g(int n):
    cdef int i
    for i in range(n): yield i*i
async def co(): return 5
""")
from Cython.Build import cythonize
from Cython.Compiler import Main
import Cython, Cython.Compiler.Scanning

print(Cython.Compiler.Scanning.__file__.endswith(".so"))
r = Main.compile("m.pyx", language_level=3)
print(r.num_errors, len(open("m.c").read()) > 10000)
try:
    open("bad.pyx", "w").write("def f(:\n  cdef x\n")
    print(Main.compile("bad.pyx", language_level=3).num_errors)
except Exception as e:
    print(type(e).__name__)
print(hash(open("m.c").read().split("#define")[5]) == hash(open("m.c").read().split("#define")[5]))
import hashlib

print(hashlib.md5(open("m.c").read().encode()).hexdigest())

import debugpy, subprocess, sys, socket, json, os, tempfile

s = tempfile.NamedTemporaryFile("w", suffix=".py", delete=False)
s.write('x=1\nfor i in range(3):\n    x+=i\nprint("val",x)\n')
s.close()
import threading

p = subprocess.Popen(
    [sys.executable, "-m", "debugpy.adapter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
)
seq = [0]


def send(c, **a):
    seq[0] += 1
    b = json.dumps({"seq": seq[0], "type": "request", "command": c, "arguments": a}).encode()
    p.stdin.write(b"Content-Length: %d\r\n\r\n" % len(b) + b)
    p.stdin.flush()


def recv():
    n = 0
    while True:
        l = p.stdout.readline().strip()
        if not l:
            break
        if l.lower().startswith(b"content-length"):
            n = int(l.split(b":")[1])
    return json.loads(p.stdout.read(n))


def until(f):
    while True:
        m = recv()
        if f(m):
            return m


send("initialize", adapterID="x", pathFormat="path")
until(lambda m: m.get("command") == "initialize")
send("launch", program=s.name, console="internalConsole", python=[sys.executable], justMyCode=True)
until(lambda m: m.get("event") == "initialized")
send("setBreakpoints", source={"path": s.name}, breakpoints=[{"line": 3, "condition": "i==2"}])
print(until(lambda m: m.get("command") == "setBreakpoints")["body"]["breakpoints"][0]["verified"])
send("configurationDone")
st = until(lambda m: m.get("event") in ("stopped", "terminated"))
print(st["event"], st["body"].get("reason"))
t = st["body"]["threadId"]
send("stackTrace", threadId=t)
fr = until(lambda m: m.get("command") == "stackTrace")["body"]["stackFrames"]
print(fr[0]["line"], fr[0]["name"])
send("evaluate", expression="x*100+i", frameId=fr[0]["id"])
print(until(lambda m: m.get("command") == "evaluate")["body"]["result"])
send("next", threadId=t)
st = until(lambda m: m.get("event") == "stopped")
send("stackTrace", threadId=t)
print(until(lambda m: m.get("command") == "stackTrace")["body"]["stackFrames"][0]["line"])
send("continue", threadId=t)
# The program's output comes in as many events as it happens to be read in.
out = []
until(lambda m: m.get("event") == "terminated" or (m.get("event") == "output" and out.append(m["body"])))
print("".join(o["output"] for o in out if o.get("category") == "stdout").strip())
p.terminate()
