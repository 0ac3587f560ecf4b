"""The main job of gevent, with output that does not change."""
from gevent import monkey
monkey.patch_all()
import socket, threading, time
import gevent, gevent.pool, gevent.queue, gevent.event, gevent.server
def work(n):
    gevent.sleep(0.001 * n)
    return n * n
print([g.get() for g in [gevent.spawn(work, i) for i in range(5)]], gevent.pool.Pool(2).map(work, range(4)))
def echo(s, a):
    while d := s.recv(100):
        s.sendall(d.upper())
srv = gevent.server.StreamServer(("127.0.0.1", 0), echo); srv.start()
def client(i):
    c = socket.create_connection(("127.0.0.1", srv.server_port)); c.sendall(b"hi %d" % i); r = c.recv(100); c.close(); return r
print([j.get() for j in [gevent.spawn(client, i) for i in range(4)]])
srv.stop()
q = gevent.queue.Queue()
def producer():
    for i in range(3):
        q.put(i)
    q.put(StopIteration)
gevent.spawn(producer); print(list(q))
out = []
t = threading.Thread(target=lambda: out.append(time.sleep(0.001))); t.start(); t.join(); print(out)
try:
    with gevent.Timeout(0.01):
        gevent.sleep(5)
except gevent.Timeout as e:
    print(type(e).__name__)
g = gevent.spawn(gevent.sleep, 10); gevent.sleep(0); g.kill(); print(g.dead, repr(g.value))
print(type(gevent.get_hub().loop).__module__)
