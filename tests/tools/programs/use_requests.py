import http.server
import json
import threading

import requests


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, code, body, **headers):
        self.send_response(code)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/redirect"):
            self.reply(302, b"", Location="/final?x=1")
        elif self.path == "/cookie":
            self.reply(200, b"ok", Set_Cookie="c=1; Path=/")
        elif self.path == "/gzip":
            import gzip
            self.reply(200, gzip.compress(b"packed " * 100), Content_Encoding="gzip")
        elif self.path == "/latin":
            self.reply(200, "\u00e9\u00e8".encode("latin-1"), Content_Type="text/plain; charset=latin-1")
        elif self.path == "/missing":
            self.reply(404, b"no")
        elif self.path == "/auth":
            self.reply(200, (self.headers["Authorization"] or "").encode())
        else:
            self.reply(200, json.dumps({"path": self.path, "cookie": self.headers["Cookie"], "ua": bool(self.headers["User-Agent"])}).encode(),
                       Content_Type="application/json")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        kind = (self.headers["Content-Type"] or "").split(";")[0]
        self.reply(200, json.dumps({"type": kind, "len": len(body) if kind.startswith("multi") else body.decode()}).encode())

    def log_message(self, *a):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d" % server.server_port
s = requests.Session()
r = s.get(base + "/redirect")
print(r.status_code, r.url.replace(base, ""), [h.status_code for h in r.history], r.json()["path"])
print(s.get(base + "/cookie").text, s.cookies.get_dict(), s.get(base + "/q", params={"a": [1, 2], "\u00e9": "x y"}).json())
print(s.get(base + "/gzip").text[:14], s.get(base + "/latin").text, s.get(base + "/latin").encoding)
print(s.post(base, json={"k": 1}).json(), s.post(base, data={"a": "b c"}).json(), s.post(base, data=b"raw").json())
print(s.post(base, files={"f": ("n.txt", b"data")}).json()["type"], s.get(base + "/auth", auth=("u", "p")).text)
try:
    s.get(base + "/missing").raise_for_status()
except requests.HTTPError as e:
    print(str(e).replace(base, "BASE"))
print([len(c) for c in s.get(base + "/gzip", stream=True).iter_content(300)], s.head(base).status_code if hasattr(Handler, "do_HEAD") else 0)
for bad in ("http://", "nope://x", "http://127.0.0.1:1/"):
    try:
        s.get(bad, timeout=2)
    except requests.RequestException as e:
        print(type(e).__name__)
print(requests.Request("GET", base + "/a b?q=\u00e9", headers={"X": "1"}).prepare().url.replace(base, ""))
server.shutdown()
