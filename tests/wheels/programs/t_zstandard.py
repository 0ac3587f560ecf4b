"""The main job of zstandard, with output that does not change."""
import io
import zstandard
data = b"abc" * 10000
c = zstandard.ZstdCompressor(level=5).compress(data)
print(len(c) < 100, zstandard.ZstdDecompressor().decompress(c) == data, zstandard.frame_content_size(c))
b = io.BytesIO()
with zstandard.ZstdCompressor().stream_writer(b, closefd=False) as w:
    for i in range(100):
        w.write(bytes([i]) * 100)
with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(b.getvalue())) as r:
    print(sum(len(x) for x in iter(lambda: r.read(777), b"")))
print(b"".join(zstandard.ZstdDecompressor().read_to_iter(io.BytesIO(c))) == data)
try:
    zstandard.ZstdDecompressor().decompress(b"nonsense")
except zstandard.ZstdError as e:
    print(e)
