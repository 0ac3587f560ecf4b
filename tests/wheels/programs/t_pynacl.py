"""The main job of PyNaCl, with output that does not change."""
import nacl.exceptions, nacl.hash, nacl.public, nacl.secret, nacl.signing, nacl.encoding
box = nacl.secret.SecretBox(b"k" * 32)
c = box.encrypt(b"text", b"n" * 24)
print(c.hex(), box.decrypt(c))
k = nacl.signing.SigningKey(b"s" * 32)
s = k.sign(b"message")
print(s.signature.hex(), k.verify_key.verify(s), nacl.hash.sha256(b"x"))
try:
    box.decrypt(b"x" * 50)
except nacl.exceptions.CryptoError as e:
    print(e)
a, b = nacl.public.PrivateKey(b"a" * 32), nacl.public.PrivateKey(b"b" * 32)
print(nacl.public.Box(b, a.public_key).decrypt(nacl.public.Box(a, b.public_key).encrypt(b"hello")))
