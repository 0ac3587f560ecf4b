"""zstandard, lz4, brotli, xxhash, mmh3, pycryptodome, PyNaCl: buffers in and out, streams, dictionaries."""
import io

import brotli
import lz4.block
import lz4.frame
import mmh3
import nacl.public
import nacl.secret
import nacl.signing
import xxhash
import zstandard
from Crypto.Cipher import AES
from Crypto.Hash import SHA256, SHA3_256
from Crypto.PublicKey import RSA

data = bytes(range(256)) * 200
c = zstandard.ZstdCompressor(level=5)
z = c.compress(data)
print(len(z) < len(data), zstandard.ZstdDecompressor().decompress(z) == data)
with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(z)) as r:
    print(sum(len(x) for x in iter(lambda: r.read(1000), b"")))
try:
    zstandard.ZstdDecompressor().decompress(b"nonsense")
except zstandard.ZstdError as e:
    print(e)
for k in (lz4.frame, lz4.block, brotli):
    print(k.decompress(k.compress(data)) == data)
with lz4.frame.open(io.BytesIO(lz4.frame.compress(b"a\nb\n")), "rt") as f:
    print(f.readlines())
h = xxhash.xxh64(seed=3)
h.update(bytearray(b"abc"))
h.update(memoryview(b"def"))
print(h.hexdigest(), xxhash.xxh3_128_hexdigest(b"x"), mmh3.hash("foo"), mmh3.hash128(b"foo", 42))
a = AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12)
text, tag = a.encrypt_and_digest(b"hello")
print(text.hex(), tag.hex(), AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12).decrypt_and_verify(text, tag))
try:
    AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12).decrypt_and_verify(text, b"t" * 16)
except ValueError as e:
    print(e)
print(SHA256.new(b"a").hexdigest(), SHA3_256.new(b"a").hexdigest(), RSA.construct((3233, 17)).n)
box = nacl.secret.SecretBox(b"s" * 32)
print(box.encrypt(b"m", b"n" * 24).hex(), nacl.signing.SigningKey(b"k" * 32).sign(b"m").signature.hex())
try:
    box.decrypt(b"0" * 60)
except Exception as e:
    print(type(e).__name__, e)
