"""pyzstd, ijson, pyxirr, hiredis, ormsgpack, jsonschema-rs, pycapnp, dbus-fast, editdistance: documents there and back, coroutines fed, errors."""

import datetime
import io
import pathlib
import tempfile

import capnp
import dbus_fast
import editdistance
import hiredis
import ijson
import jsonschema_rs
import ormsgpack
import pyxirr
import pyzstd
from dbus_fast._private.unmarshaller import Unmarshaller
from ijson.backends import yajl2_c


def attempt(what):
    try:
        print(what())
    except Exception as e:
        print(type(e).__name__, str(e).splitlines()[0][-80:])


print(pyzstd.decompress(pyzstd.compress(b"abc" * 100, 5))[:6])
with pyzstd.ZstdFile(b := io.BytesIO(), "w") as z:
    z.write(b"xyz" * 50)
print(pyzstd.decompress(b.getvalue())[:5])
attempt(lambda: pyzstd.decompress(b"not compressed"))

print(list(yajl2_c.items(io.BytesIO(b'{"a":[{"b":1},{"b":2.5}],"c":"\\u20ac"}'), "a.item")))
print(list(yajl2_c.parse(io.BytesIO(b'[1,null,"s"]'))))
print(list(yajl2_c.kvitems(io.BytesIO(b'{"k":{"x":true}}'), "")))
attempt(lambda: list(yajl2_c.items(io.BytesIO(b'{"a":'), "a")))
got = []


@ijson.coroutine
def sink():
    while True:
        event = yield
        got.append(event)


feed = ijson.basic_parse_coro(sink())
feed.send(b'{"q":')
feed.send(b"[1]}")
feed.close()
print(got)

print(round(pyxirr.xirr([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)], [-100, 110]), 6), round(pyxirr.npv(0.1, [-10, 5, 5, 5]), 5))
attempt(lambda: pyxirr.irr([1, 1]))
attempt(lambda: pyxirr.xirr([1, 2], ["a"]))

reader = hiredis.Reader(replyError=lambda m: KeyError(m))
reader.feed(b"*3\r\n$3\r\nfoo\r\n:5\r\n-ERR x\r\n+OK\r\n")
print(reader.gets(), reader.gets(), reader.gets(), hiredis.pack_command(("SET", "k", 1)))
reader = hiredis.Reader()
reader.feed(b"x")
attempt(reader.gets)

print(ormsgpack.unpackb(ormsgpack.packb({"a": [1, 2.5, None, b"x"], "d": datetime.datetime(2020, 1, 1)})))
attempt(lambda: ormsgpack.packb(object()))
print(ormsgpack.packb(set, default=lambda o: "default"))
print(editdistance.eval("kitten", "sitting"))

schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}, "required": ["a"]}
v = jsonschema_rs.validator_for(schema)
print(v.is_valid({"a": 4}), [e.message for e in v.iter_errors({"a": 1})], v.is_valid({}))
attempt(lambda: v.validate({"a": "s"}))

path = pathlib.Path(tempfile.mkdtemp()) / "a.capnp"
path.write_text("@0xdbb9ad1f14bf0b36; struct P { name @0 :Text; id @1 :UInt32; kids @2 :List(P); union { x @3 :Int8; y @4 :Text; } }")
m = capnp.load(str(path))
q = m.P.new_message(name="n", id=7)
kids = q.init("kids", 2)
kids[0].name = "k0"
q.y = "why"
with m.P.from_bytes(q.to_bytes()) as u:
    print(u.name, u.id, [k.name for k in u.kids], u.which(), u.to_dict())
attempt(lambda: setattr(q, "nope", 1))
attempt(lambda: setattr(q, "id", "s"))
attempt(lambda: m.P.new_message(zz=1))

message = dbus_fast.Message(destination="a.b", path="/p", interface="i.j", member="M", signature="a{sv}i", body=[{"k": dbus_fast.Variant("s", "v")}, 5], serial=3)
print(Unmarshaller(io.BytesIO(message._marshall(False))).unmarshall().body)
