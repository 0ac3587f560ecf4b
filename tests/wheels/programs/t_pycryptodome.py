"""The main job of pycryptodome, with output that does not change."""
from Crypto.Cipher import AES, ChaCha20_Poly1305
from Crypto.Hash import SHA256, SHA3_256, HMAC
from Crypto.PublicKey import RSA, ECC
from Crypto.Signature import pkcs1_15
from Crypto.Util.number import getPrime, inverse
from Crypto.Protocol.KDF import PBKDF2, scrypt
c = AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12); c.update(b"head")
print([x.hex() for x in c.encrypt_and_digest(b"text" * 5)])
print(AES.new(b"k" * 16, AES.MODE_CBC, b"i" * 16).encrypt(b"x" * 32).hex(), SHA3_256.new(b"x").hexdigest(), HMAC.new(b"k", b"m", SHA256).hexdigest())
k = RSA.generate(1024)
s = pkcs1_15.new(k).sign(SHA256.new(b"m")); pkcs1_15.new(k.publickey()).verify(SHA256.new(b"m"), s); print(len(s), inverse(3, 11))
print(PBKDF2("pw", b"salt", 16, 10).hex(), scrypt("pw", "salt", 16, 16, 1, 1).hex(), ECC.generate(curve="P-256").public_key().curve)
try:
    AES.new(b"short", AES.MODE_ECB)
except ValueError as e:
    print(e)
