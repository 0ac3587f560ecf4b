"""protobuf (upb): a schema built at run time, messages there and back; grpcio: a server and its client on loopback."""
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message, message_factory, struct_pb2, text_format

f = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
m = f.message_type.add(name="M")
for i, (name, kind, label) in enumerate((("id", 5, 1), ("names", 9, 3), ("score", 1, 1))):
    m.field.add(name=name, number=i + 1, type=kind, label=label)
pool = descriptor_pool.DescriptorPool()
pool.Add(f)
M = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.M"))
x = M(id=7, names=["a", "b"], score=1.5)
raw = x.SerializeToString()
y = M.FromString(raw)
print(raw, y == x, list(y.names), y.names[-1], [d.name for d, _ in y.ListFields()])
print(json_format.MessageToJson(y), text_format.MessageToString(y))
for bad in (lambda: M(id="x"), lambda: setattr(y, "nope", 1), lambda: M.FromString(b"\xff\xff"), lambda: y.names.append(3)):
    try:
        print(bad())
    except (TypeError, AttributeError, message.DecodeError) as e:
        print(type(e).__name__, str(e).splitlines()[0])
s = struct_pb2.Struct()
s.update({"a": [1, {"b": None}], "c": "d"})
print(sorted(json_format.MessageToDict(s).items()))


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/t/Echo":
            return grpc.unary_unary_rpc_method_handler(self.echo, M.FromString, M.SerializeToString)
        if details.method == "/t/Count":
            return grpc.unary_stream_rpc_method_handler(self.count, M.FromString, M.SerializeToString)

    def echo(self, q, ctx):
        if q.id < 0:
            ctx.abort(grpc.StatusCode.INVALID_ARGUMENT, "negative")
        return M(id=q.id + 1, names=[n.upper() for n in q.names])

    def count(self, q, ctx):
        for i in range(q.id):
            yield M(id=i)


server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(Handler(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as ch:
    echo = ch.unary_unary("/t/Echo", M.SerializeToString, M.FromString)
    r = echo(M(id=1, names=["q"]), timeout=20)
    print(r.id, list(r.names))
    print([r.id for r in ch.unary_stream("/t/Count", M.SerializeToString, M.FromString)(M(id=4), timeout=20)])
    try:
        echo(M(id=-1), timeout=20)
    except grpc.RpcError as e:
        print(e.code(), e.details())
server.stop(None).wait()
