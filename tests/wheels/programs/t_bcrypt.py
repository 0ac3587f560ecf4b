"""The main job of bcrypt, with output that does not change."""
import bcrypt
h = bcrypt.hashpw(b"secret", b"$2b$04$abcdefghijklmnopqrstuu")
print(h, bcrypt.checkpw(b"secret", h), bcrypt.checkpw(b"no", h), len(bcrypt.gensalt(4)))
print(bcrypt.kdf(b"pw", b"salt", 16, 10, ignore_few_rounds=True).hex())
try:
    bcrypt.hashpw("text", h)
except TypeError as e:
    print(e)
