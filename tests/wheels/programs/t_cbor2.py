"""The main job of cbor2, with output that does not change."""
import datetime, decimal, uuid
import cbor2
d = {"a": [1, -2, 3.5, None, True, b"x", "ü", 2 ** 70], "d": decimal.Decimal("1.5"), "u": uuid.UUID(int=7), "t": datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)}
s = cbor2.dumps(d)
print(s.hex(), cbor2.loads(s) == d, cbor2.loads(bytes.fromhex("c11a514b67b0")))
try:
    cbor2.loads(b"\xff\x00")
except Exception as e:
    print(type(e).__name__)
try:
    cbor2.loads(b"\x82\x01")
except cbor2.CBORDecodeError as e:
    print(type(e).__name__, e)
x = []; x.append(x)
print(cbor2.loads(cbor2.dumps(x, value_sharing=True)).__class__)
print(cbor2.dumps(object(), default=lambda enc, v: enc.encode("own")))
