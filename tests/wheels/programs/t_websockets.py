"""The main job of websockets, with output that does not change."""
import asyncio
import websockets
from websockets.speedups import apply_mask
print(apply_mask(b"abcdefghij", b"1234"))
async def echo(ws):
    async for m in ws:
        await ws.send(m[::-1])
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as s:
        port = s.sockets[0].getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}") as c:
            for m in ("hello", b"bytes", "x" * 70000):
                await c.send(m)
                r = await c.recv()
                print(type(r).__name__, len(r), r[:5])
            await c.close(1001, "bye")
            try:
                await c.send("x")
            except websockets.ConnectionClosed as e:
                print(type(e).__name__)
asyncio.run(main())
