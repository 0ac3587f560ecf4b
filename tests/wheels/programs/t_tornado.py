"""The main job of tornado, with output that does not change."""
import asyncio
import tornado.httpclient, tornado.httpserver, tornado.netutil, tornado.speedups, tornado.template, tornado.web
print(tornado.speedups.websocket_mask(b"abcd", b"hello world"))
class H(tornado.web.RequestHandler):
    async def get(self, name):
        await asyncio.sleep(0)
        self.write({"hello": name, "q": self.get_argument("q", "none")})
class E(tornado.web.RequestHandler):
    def get(self):
        raise tornado.web.HTTPError(418)
async def main():
    app = tornado.web.Application([(r"/h/(\w+)", H), (r"/e", E)], log_function=lambda h: None)
    socks = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(app)
    server.add_sockets(socks)
    base = f"http://127.0.0.1:{socks[0].getsockname()[1]}"
    c = tornado.httpclient.AsyncHTTPClient()
    print((await c.fetch(base + "/h/bob?q=1")).body)
    try:
        await c.fetch(base + "/e")
    except tornado.httpclient.HTTPClientError as e:
        print(e)
    server.stop()
asyncio.run(main())
print(tornado.template.Template("{% for x in xs %}<{{ x }}>{% end %}").generate(xs=["a", "&"]))
