"""The main job of pyzmq, with output that does not change."""
import asyncio, threading
import zmq, zmq.asyncio

ctx = zmq.Context()
a, b = ctx.socket(zmq.PAIR), ctx.socket(zmq.PAIR)
port = a.bind_to_random_port("tcp://127.0.0.1"); b.connect(f"tcp://127.0.0.1:{port}")
a.send_json({"x": [1, 2]}); print(b.recv_json())
b.send_multipart([b"one", b"two"], copy=False); print([f.bytes for f in a.recv_multipart(copy=False)])
b.send_pyobj({1: "x"}); print(a.recv_pyobj())
try:
    a.recv(zmq.NOBLOCK)
except zmq.Again as e:
    print(type(e).__name__, e)
def server():
    s = ctx.socket(zmq.REP); s.bind("inproc://s")
    ready.set()
    for _ in range(3):
        s.send_string(s.recv_string().upper())
    s.close()
ready = threading.Event()
t = threading.Thread(target=server); t.start(); ready.wait()
c = ctx.socket(zmq.REQ); c.connect("inproc://s")
for w in ("a", "b", "c"):
    c.send_string(w); print(c.recv_string())
t.join()
p = zmq.Poller(); p.register(a, zmq.POLLIN); b.send(b"x"); print(len(p.poll(1000)), a.recv())
for s in (a, b, c): s.close()
ctx.term()
async def main():
    with zmq.asyncio.Context() as x:
        p, q = x.socket(zmq.PUSH), x.socket(zmq.PULL)
        p.bind("inproc://q"); q.connect("inproc://q")
        await p.send(b"async"); print(await q.recv())
        p.close(); q.close()
asyncio.run(main())
