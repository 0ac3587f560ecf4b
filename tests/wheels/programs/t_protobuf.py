"""The main job of protobuf (upb), with output that does not change."""
from google.protobuf import descriptor_pb2, json_format, message_factory, descriptor_pool, text_format, struct_pb2, timestamp_pb2
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError
print(api_implementation.Type())
f = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
m = f.message_type.add(name="M")
for i, (n, t, l) in enumerate((("id", 5, 1), ("name", 9, 1), ("xs", 1, 3), ("kids", 11, 3)), 1):
    g = m.field.add(name=n, number=i, type=t, label=l)
    if t == 11:
        g.type_name = ".t.M"
pool = descriptor_pool.DescriptorPool()
pool.Add(f)
M = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.M"))
x = M(id=7, name="ü", xs=[1.5, 2])
x.kids.add(id=1).name = "kid"
x.kids.append(M(id=2))
b = x.SerializeToString(deterministic=True)
print(b, M.FromString(b) == x, json_format.MessageToDict(x), text_format.MessageToString(x, as_one_line=True))
print([k.id for k in x.kids], len(x.kids), x.ListFields()[0][0].name, str(x).splitlines()[:2])
for bad in (lambda: M(nope=1), lambda: M(id="x"), lambda: setattr(x, "id", 2 ** 40), lambda: M.FromString(b"\xff\xff"), lambda: x.nope):
    try:
        bad()
    except (ValueError, TypeError, AttributeError, DecodeError) as e:
        print(type(e).__name__, str(e)[:70])
s = struct_pb2.Struct()
s.update({"a": 1, "b": [True, None, "x"], "c": {"d": 2}})
print(json_format.MessageToJson(s, sort_keys=True), s["c"]["d"])
t = timestamp_pb2.Timestamp(seconds=1000000000)
print(t.ToJsonString(), t.ToDatetime())
y = M(); y.CopyFrom(x); y.MergeFrom(M(xs=[9])); y.ClearField("kids")
print(y.xs, y)
