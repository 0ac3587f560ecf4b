"""The main job of cryptography, with output that does not change."""
from cryptography.fernet import Fernet, InvalidToken
k = b'A' * 43 + b'='
f = Fernet(k)
t = f.encrypt(b'secret')
print(f.decrypt(t))
try:
    f.decrypt(b'bad')
except InvalidToken as e:
    print(repr(e))
from cryptography.hazmat.primitives import hashes, serialization
h = hashes.Hash(hashes.SHA256())
h.update(b'abc')
print(h.finalize().hex())
from cryptography.hazmat.primitives.asymmetric import rsa, ed25519, padding
key = rsa.generate_private_key(65537, 2048)
s = key.sign(b'm', padding.PKCS1v15(), hashes.SHA256())
key.public_key().verify(s, b'm', padding.PKCS1v15(), hashes.SHA256())
e = ed25519.Ed25519PrivateKey.from_private_bytes(b'k' * 32)
print(e.sign(b'x').hex()[:20], e.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
from cryptography import x509
from cryptography.x509.oid import NameOID
import datetime
n = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'x')])
c = x509.CertificateBuilder().subject_name(n).issuer_name(n).public_key(key.public_key()).serial_number(5).not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2030, 1, 1)).sign(key, hashes.SHA256())
print(c.subject.rfc4514_string(), c.serial_number)
