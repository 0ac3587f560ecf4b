"""The main job of lz4, with output that does not change."""
import lz4.block, lz4.frame
data = b"hello " * 5000
c = lz4.frame.compress(data)
print(lz4.frame.decompress(c) == data, lz4.block.decompress(lz4.block.compress(memoryview(data))) == data)
print(lz4.frame.get_frame_info(c)["content_size"])
d = lz4.frame.LZ4FrameDecompressor()
print(d.decompress(c, max_length=10), d.eof, d.needs_input)
try:
    lz4.block.decompress(b"\x05\x00\x00\x00zzz")
except Exception as e:
    print(type(e).__name__, str(e)[:25])
