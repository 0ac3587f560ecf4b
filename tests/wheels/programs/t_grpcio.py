"""The main job of grpcio, with output that does not change."""
import asyncio
from concurrent import futures
import grpc, grpc.aio
class S(grpc.GenericRpcHandler):
    def service(self, d):
        if d.method == "/s/Echo":
            return grpc.unary_unary_rpc_method_handler(lambda r, c: r[::-1])
        if d.method == "/s/Count":
            return grpc.unary_stream_rpc_method_handler(lambda r, c: (bytes([i]) for i in range(r[0])))
        if d.method == "/s/Bad":
            return grpc.unary_unary_rpc_method_handler(lambda r, c: c.abort(grpc.StatusCode.NOT_FOUND, "none"))
s = grpc.server(futures.ThreadPoolExecutor(2)); s.add_generic_rpc_handlers((S(),))
port = s.add_insecure_port("127.0.0.1:0"); s.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as c:
    print(c.unary_unary("/s/Echo")(b"hello", timeout=20), list(c.unary_stream("/s/Count")(b"\x03", timeout=20)))
    for m in ("/s/Bad", "/s/Nope"):
        try:
            c.unary_unary(m)(b"x", timeout=20)
        except grpc.RpcError as e:
            print(e.code(), e.details())
async def main():
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as c:
        print(await c.unary_unary("/s/Echo")(b"async", timeout=20), [x async for x in c.unary_stream("/s/Count")(b"\x02", timeout=20)])
asyncio.run(main())
s.stop(None).wait()
