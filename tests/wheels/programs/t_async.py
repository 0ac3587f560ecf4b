"""uvloop, httptools, websockets, tornado, gevent, pyzmq: loops, servers and clients on loopback."""
import asyncio
import subprocess
import sys

import httptools
import tornado.httpclient
import tornado.httpserver
import tornado.netutil
import tornado.web
import uvloop
import websockets
import zmq


class Parsed:
    def __init__(self):
        self.seen = []

    def on_url(self, u):
        self.seen.append(u)

    def on_header(self, k, v):
        self.seen.append((k, v))

    def on_body(self, b):
        self.seen.append(b)

    def on_message_complete(self):
        self.seen.append("complete")


p = Parsed()
parser = httptools.HttpRequestParser(p)
parser.feed_data(b"POST /x?y=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
print(p.seen, parser.get_method(), httptools.parse_url(b"http://a:1/b?c#d").port)
try:
    httptools.HttpRequestParser(p).feed_data(b"nonsense\r\n\r\n")
except httptools.HttpParserError as e:
    print(type(e).__name__)


async def job():
    print(type(asyncio.get_running_loop()).__module__)

    async def handle(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    s = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
    w.write(b"hello\n")
    print(await r.read())
    w.close()
    s.close()

    async def echo(ws):
        async for m in ws:
            await ws.send(m[::-1])

    async with websockets.serve(echo, "127.0.0.1", 0) as s:
        port = s.sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}") as ws:
            await ws.send("abc")
            print(await ws.recv())
            await ws.send(bytes(range(5)))
            print(await ws.recv())
    proc = await asyncio.create_subprocess_exec("sh", "-c", "read a; echo got $a; exit 3", stdin=-1, stdout=-1)
    print(await proc.communicate(b"it\n"), proc.returncode)
    print(await asyncio.gather(*(asyncio.sleep(0.01 * (3 - i), i) for i in range(3))))
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.02)
    except asyncio.TimeoutError as e:
        print(type(e).__name__)
    print(await asyncio.get_running_loop().run_in_executor(None, sum, [1, 2]))


uvloop.run(job())


class Main(tornado.web.RequestHandler):
    async def get(self, who):
        await asyncio.sleep(0)
        if who == "bad":
            raise tornado.web.HTTPError(418)
        self.write({"hello": who})


async def web():
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(tornado.web.Application([(r"/(\w+)", Main)], log_function=lambda h: None))
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    c = tornado.httpclient.AsyncHTTPClient()
    print((await c.fetch(f"http://127.0.0.1:{port}/you")).body)
    try:
        await c.fetch(f"http://127.0.0.1:{port}/bad")
    except tornado.httpclient.HTTPError as e:
        print(e)
    server.stop()


asyncio.run(web())
ctx = zmq.Context()
a, b = ctx.socket(zmq.PAIR), ctx.socket(zmq.PAIR)
a.bind("inproc://x")
b.connect("inproc://x")
a.send_multipart([b"1", b"2"])
b.send_json({"k": 1})
print(b.recv_multipart(), a.recv_json())
try:
    a.recv(zmq.NOBLOCK)
except zmq.Again as e:
    print(type(e).__name__, e)
a.close()
b.close()
ctx.term()

GREEN = """
import gevent.monkey; gevent.monkey.patch_all()
import gevent, gevent.pool, gevent.queue, gevent.event, socket, threading, time
def serve(s):
    c, _ = s.accept(); c.sendall(c.recv(10).upper()); c.close()
s = socket.create_server(('127.0.0.1', 0))
g = gevent.spawn(serve, s)
c = socket.create_connection(s.getsockname()); c.sendall(b'hi'); print(c.recv(10)); g.join()
print(gevent.pool.Pool(3).map(lambda x: (time.sleep(.01), x * x)[1], range(5)))
q = gevent.queue.Queue()
gevent.spawn(lambda: [q.put(i) or gevent.sleep(0) for i in range(3)] and q.put(StopIteration))
print(list(q))
def fail(): raise ValueError('in a greenlet')
f = gevent.spawn(fail); f.join(); print(repr(f.exception))
try:
    with gevent.Timeout(.01): gevent.sleep(2)
except gevent.Timeout as e: print(e)
t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()
"""
r = subprocess.run([sys.executable, "-c", GREEN], capture_output=True, text=True, timeout=60)
print(r.stdout, [x for x in r.stderr.splitlines() if x.startswith("ValueError")], r.returncode)
