"""The main job of msgpack, with output that does not change."""
import msgpack
from msgpack import _cmsgpack
d = {'a': [1, -2, 3.5, None, True, b'x', 'ü', 2 ** 63], 't': (1, 2)}
p = msgpack.packb(d)
print(p, msgpack.unpackb(p), msgpack.unpackb(p, use_list=False, object_hook=lambda o: sorted(o)))
u = msgpack.Unpacker()
u.feed(p * 3)
print(sum((1 for _ in u)))
try:
    msgpack.unpackb(b'\xc1')
except Exception as e:
    print(type(e), e)
try:
    msgpack.packb(object())
except TypeError as e:
    print(e.args[0][:20])
