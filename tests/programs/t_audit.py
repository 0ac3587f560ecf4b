"""Audit events of what programs do, with the number of their arguments."""
import collections
import gc
import marshal
import os
import pickle
import socket
import sys
import tempfile

events = []
on = False
sys.addaudithook(lambda name, args: events.append((name, len(args))) if on else None)
d = tempfile.mkdtemp()
on = True
open(d + "/x", "w").close()
os.rename(d + "/x", d + "/y")
os.chmod(d + "/y", 0o600)
os.listdir(d)
list(os.scandir(d))
os.mkdir(d + "/z")
os.rmdir(d + "/z")
os.symlink("a", d + "/l")
os.link(d + "/y", d + "/k")
os.truncate(d + "/y", 1)
os.chdir(d)
os.remove("y")
os.unlink("l")
os.putenv("A", "b")
os.unsetenv("A")
os.system("true")
os.kill(os.getpid(), 0)
os.close(os.open(d, os.O_RDONLY))
exec("1")
eval(" 1")
eval(compile("1", "f", "eval"))
compile(b"2", "f", "exec")
marshal.loads(marshal.dumps(1))
pickle.loads(pickle.dumps(collections.OrderedDict()))
gc.get_objects()
gc.get_referrers(1)
gc.get_referents([])
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.close()
socket.gethostname()
on = False
os.remove("k")
os.chdir("/")
os.rmdir(d)
for e in events:
    print(*e)


class Stop(RuntimeError):
    pass


def deny(name, args):
    if name == "os.system":
        raise Stop(args[0])


sys.addaudithook(deny)
try:
    os.system("echo no")
except Stop as e:
    print("denied", e)
for f in ("%lld", "%hd", "%lLo", "%Ld"):
    try:
        print(f % 5)
    except ValueError as e:
        print(e)
