"""The main job of uvloop, with output that does not change."""
import asyncio, socket, sys, threading
import uvloop
async def serve(r, w):
    while line := await r.readline():
        w.write(line.upper())
        await w.drain()
    w.close()
async def main():
    print(type(asyncio.get_running_loop()).__module__)
    s = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = s.sockets[0].getsockname()[1]
    async def client(i):
        r, w = await asyncio.open_connection("127.0.0.1", port)
        out = []
        for k in range(20):
            w.write(b"line %d %d\n" % (i, k))
            out.append(await r.readline())
        w.close()
        return out[-1]
    print(await asyncio.gather(*(client(i) for i in range(5))))
    s.close()
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, lambda: 5))
    f = loop.create_future()
    loop.call_later(0.01, f.set_result, "later")
    print(await f)
    p = await asyncio.create_subprocess_exec("echo", "out", stdout=asyncio.subprocess.PIPE)
    print(await p.communicate(), p.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.02)
    except asyncio.TimeoutError as e:
        print("time-out")
    async def bad():
        raise KeyError("k")
    print(repr((await asyncio.gather(bad(), return_exceptions=True))[0]))
uvloop.run(main())
