"""The main job of xxhash, with output that does not change."""
import xxhash
print(xxhash.xxh32(b"a", seed=1).hexdigest(), xxhash.xxh64_intdigest(b"text"), xxhash.xxh3_128_hexdigest(bytearray(b"x" * 1000)))
h = xxhash.xxh64()
h.update(b"ab"); g = h.copy(); h.update(memoryview(b"cd"))
print(h.digest(), g.hexdigest(), h.name, h.block_size)
try:
    xxhash.xxh32(1.5)
except TypeError as e:
    print(e)
