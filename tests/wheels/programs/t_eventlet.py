"""eventlet: green sockets, pools, queues, time-outs, events, native threads."""

import eventlet

eventlet.monkey_patch()
from eventlet.green import socket
import time


def srv(c, a):
    c.sendall(c.recv(100).upper())
    c.close()


l = eventlet.listen(("127.0.0.1", 0))
eventlet.spawn(eventlet.serve, l, srv)


def cl(i):
    s = socket.create_connection(l.getsockname())
    s.sendall(b"m%d" % i)
    return s.recv(10)


print(list(eventlet.GreenPool(5).imap(cl, range(6))))
q = eventlet.Queue()
eventlet.spawn(lambda: [q.put(i) for i in range(3)])
print([q.get() for _ in range(3)])
try:
    with eventlet.Timeout(0.05):
        eventlet.sleep(1)
except eventlet.Timeout as t:
    print("to", t)
e = eventlet.event.Event()
eventlet.spawn_after(0.01, e.send, 5)
print(e.wait())


def bad():
    raise KeyError("x")


g = eventlet.spawn(bad)
try:
    g.wait()
except KeyError as x:
    print("KE", x)
from eventlet import tpool

print(tpool.execute(lambda: sum(range(10))))
tpool.killall()
