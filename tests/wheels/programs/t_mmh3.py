"""The main jobs of mmh3, ciso8601, brotli, setproctitle, cramjam, marisa-trie, with output that does not change."""
import mmh3, ciso8601, brotli, setproctitle, cramjam, marisa_trie, pyroaring, rapidjson
print(mmh3.hash("foo", 42), mmh3.hash128(b"x"), mmh3.hash_bytes("y").hex(), ciso8601.parse_datetime("2020-01-02T03:04:05.678+02:00"))
c = brotli.compress(b"abc" * 1000); print(len(c), brotli.decompress(c) == b"abc" * 1000)
try:
    brotli.decompress(b"zz")
except brotli.error as e:
    print(type(e).__name__)
try:
    ciso8601.parse_datetime("2020-13-02")
except ValueError as e:
    print(e)
setproctitle.setproctitle("mine"); print(setproctitle.getproctitle())
print(bytes(cramjam.snappy.decompress(cramjam.snappy.compress(b"some bytes here"))), bytes(cramjam.gzip.decompress(bytes(cramjam.gzip.compress(b"text")))))
t = marisa_trie.BytesTrie([("key", b"1"), ("kez", b"2")]); print(t.keys("ke"), t["key"], marisa_trie.Trie(["a", "ab"]).prefixes("abc"))
b = pyroaring.BitMap(range(0, 1000, 3)) & pyroaring.BitMap(range(500)); print(len(b), b.max(), b.rank(30), list(b[:3]), pyroaring.BitMap.deserialize(b.serialize()) == b)
print(rapidjson.dumps({"a": [1, 2.5, None, "ü"]}, sort_keys=True), rapidjson.loads('{"x": [1, true]}'))
try:
    rapidjson.loads("[1")
except rapidjson.JSONDecodeError as e:
    print(e)
