"""The main job of httptools, with output that does not change."""
import httptools
class P:
    def on_message_begin(self): print("begin")
    def on_url(self, u): print("url", u)
    def on_header(self, k, v): print(k, v)
    def on_headers_complete(self): print("headers")
    def on_body(self, b): print("body", b)
    def on_message_complete(self): print("complete")
p = httptools.HttpRequestParser(P())
p.feed_data(b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
p.feed_data(memoryview(b"lo"))
print(p.get_method(), p.get_http_version(), p.should_keep_alive())
u = httptools.parse_url(b"http://u@h:80/p?q=1#f")
print(u.schema, u.host, u.port, u.path, u.query, u.fragment, u.userinfo)
class Q(P):
    def on_url(self, u): raise ValueError("mine")
try:
    httptools.HttpRequestParser(Q()).feed_data(b"GET / HTTP/1.1\r\n\r\n")
except httptools.HttpParserError as e:
    print(type(e).__name__, repr(e.__context__))
try:
    httptools.HttpRequestParser(P()).feed_data(b"nonsense \0\r\n")
except httptools.HttpParserError as e:
    print(type(e).__name__, e)
