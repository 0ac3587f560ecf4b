"""bson, pycurl, watchfiles, inotify; oracledb and pymssql without a server."""

import bson, datetime, uuid, pymongo
from bson import *

print(bson.has_c(), pymongo.has_c())
d = {
    "a": 1,
    "b": 2**40,
    "c": [1, "x", None, True, 1.5],
    "d": b"bin",
    "e": datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
    "f": {"g": ObjectId("5f3f3f3f3f3f3f3f3f3f3f3f")},
    "r": Regex("a", "i"),
    "t": Timestamp(1, 2),
    "m": MinKey(),
    "i": Int64(5),
    "de": Decimal128("1.5"),
    "co": Code("f", {"x": 1}),
}
e = bson.encode(d)
print(e)
print(bson.decode(e))
for bad in ({1: 2}, {"a": object()}, {"a": 2**70}, {"a\0": 1}, 5, {"\ud800": 1}):
    try:
        print(bson.encode(bad))
    except Exception as x:
        print(type(x).__name__, str(x)[:120].split(" at 0x")[0])
for b in (b"\x05\0\0\0\0", b"\x05\0\0\0", e[:-1], b"\x0a\0\0\0\x99a\0\0\0\0"):
    try:
        print(bson.decode(b))
    except Exception as x:
        print(type(x).__name__, x)
from bson.codec_options import *


class TC(TypeCodec):
    python_type = set
    bson_type = list

    def transform_python(self, v):
        return sorted(v)

    def transform_bson(self, v):
        return tuple(v)


o = CodecOptions(
    type_registry=TypeRegistry([TC()], fallback_encoder=lambda v: repr(type(v))), document_class=bson.SON, tz_aware=True
)
x = bson.encode({"s": {3, 1}, "o": complex}, codec_options=o)
print(bson.decode(x, o))
from bson.raw_bson import RawBSONDocument

print(RawBSONDocument(e)["f"].raw, list(bson.decode_all(e + e))[1]["a"], bson.encode(bson.SON([("z", 1), ("a", 2)])))
from pymongo import MongoClient

try:
    MongoClient("localhost", 1, serverSelectionTimeoutMS=200).admin.command("ping")
except Exception as x:
    print(type(x).__name__)

import pycurl, io, threading, http.server


class H(http.server.BaseHTTPRequestHandler):
    def do_GET(s):
        s.send_response(200)
        s.send_header("X-A", "b")
        s.end_headers()
        s.wfile.write(b"hello " + s.path.encode())

    def do_POST(s):
        d = s.rfile.read(int(s.headers["content-length"]))
        s.send_response(201)
        s.end_headers()
        s.wfile.write(d[::-1])

    def log_message(*a):
        pass


srv = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=srv.serve_forever, daemon=True).start()
u = f"http://127.0.0.1:{srv.server_port}"
b = io.BytesIO()
h = []
c = pycurl.Curl()
c.setopt(c.URL, u + "/x")
c.setopt(c.WRITEDATA, b)
c.setopt(c.HEADERFUNCTION, lambda l: h.append(l))
c.perform()
print(b.getvalue(), c.getinfo(c.RESPONSE_CODE), any(b"X-A" in x for x in h))
c.setopt(c.POSTFIELDS, "abc")
o = []
c.setopt(c.WRITEFUNCTION, o.append)
c.perform()
print(o, c.getinfo(pycurl.HTTP_CODE))


def bad(x):
    raise ValueError("no")


c.setopt(c.WRITEFUNCTION, bad)
try:
    c.perform()
except pycurl.error as e:
    print(e)
for f in (lambda: c.setopt(999999, 1), lambda: c.setopt(c.URL, 5), lambda: c.setopt(c.HTTPHEADER, [1])):
    try:
        f()
    except Exception as e:
        print(type(e).__name__, e)
m = pycurl.CurlMulti()
hs = []
for i in range(3):
    k = pycurl.Curl()
    k.buf = io.BytesIO()
    k.setopt(k.URL, u + f"/{i}")
    k.setopt(k.WRITEDATA, k.buf)
    m.add_handle(k)
    hs.append(k)
while True:
    r, n = m.perform()
    if r != pycurl.E_CALL_MULTI_PERFORM and not n:
        break
    m.select(1.0)
print([k.buf.getvalue() for k in hs], len(m.info_read()[1]))
c.close()
try:
    c.perform()
except pycurl.error as e:
    print(e)
srv.shutdown()
import oracledb

try:
    oracledb.connect(user="a", password="b", dsn="127.0.0.1:1/x")
except oracledb.Error as e:
    print(type(e).__name__, str(e)[:60])
print(oracledb.is_thin_mode(), oracledb.makedsn("h", 1, "s"))
import pymssql

try:
    pymssql.connect("127.0.0.1", "a", "b", "c", port=1, login_timeout=1)
except pymssql.Error as e:
    print(type(e).__name__, str(e)[:60])
from pymssql import _mssql

print(_mssql.quote_data({"a": "x'y", "b": (1, 2), "c": None}), _mssql.substitute_params("%s %(x)s"[:2], ("a",)))

import watchfiles, tempfile, threading, os, time, asyncio

d = tempfile.mkdtemp()
ev = threading.Event()


def w():
    time.sleep(0.4)
    open(d + "/a", "w").write("x")


threading.Thread(target=w).start()
for c in watchfiles.watch(d, stop_event=ev, rust_timeout=3000, step=50):
    print(sorted((k.name, os.path.basename(p)) for k, p in c)[0])
    break


async def m():
    async def t():
        await asyncio.sleep(0.3)
        open(d + "/b", "w").close()

    k = asyncio.create_task(t())
    async for c in watchfiles.awatch(d, step=50):
        print(sorted({os.path.basename(p) for _, p in c})[-1])
        break
    await k


asyncio.run(m())
try:
    list(watchfiles.watch("/nope"))
except Exception as e:
    print(type(e).__name__, e)
import inotify_simple

i = inotify_simple.INotify()
wd = i.add_watch(d, inotify_simple.flags.CREATE)
open(d + "/c", "w").close()
print([e.name for e in i.read(timeout=1000)])
