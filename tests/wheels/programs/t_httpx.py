"""The main job of httpx, with output that does not change."""
import asyncio, http.server, threading
import httpx
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        b = b'{"path": "%s"}' % self.path.encode()
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(b))); self.end_headers(); self.wfile.write(b)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); threading.Thread(target=s.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{s.server_port}"
r = httpx.get(base + "/a", params={"x": "ü"}, trust_env=False); print(r.status_code, r.json(), r.headers["content-type"])
async def main():
    async with httpx.AsyncClient(trust_env=False) as c:
        print([r.json() for r in await asyncio.gather(*(c.get(base + f"/{i}") for i in range(3)))])
asyncio.run(main()); s.shutdown()
