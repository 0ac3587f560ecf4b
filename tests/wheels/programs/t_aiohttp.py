"""The main job of aiohttp, with output that does not change."""
import asyncio, aiohttp
from aiohttp import web

async def main():

    async def h(r):
        return web.json_response({'q': dict(r.query), 'm': r.method, 'b': await r.text()})

    async def ws(r):
        w = web.WebSocketResponse()
        await w.prepare(r)
        async for m in w:
            await w.send_str(m.data.upper())
        return w
    app = web.Application()
    app.router.add_route('*', '/x', h)
    app.router.add_get('/ws', ws)
    run = web.AppRunner(app)
    await run.setup()
    site = web.TCPSite(run, '127.0.0.1', 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as s:
        async with s.get(f'http://127.0.0.1:{port}/x?a=1') as r:
            print(r.status, await r.json())
        async with s.post(f'http://127.0.0.1:{port}/x', data=b'z' * 100000) as r:
            print(r.status, len((await r.json())['b']))
        async with s.ws_connect(f'http://127.0.0.1:{port}/ws') as w:
            await w.send_str('hi')
            print((await w.receive()).data)
    await run.cleanup()
asyncio.run(main())
