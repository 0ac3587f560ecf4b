"""Wheels made by PyO3: persistent structures, hashing passwords, tokens, tensors on disk, watching files, compression."""
import bcrypt
import cramjam
import pendulum
import rpds
import safetensors.numpy
import numpy
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

m = rpds.HashTrieMap({"a": 1}).insert("b", 2)
print(sorted(m.items()), m.remove("a"), rpds.List([1, 2]).push_front(0), rpds.HashTrieSet([1]) | rpds.HashTrieSet([2]) == rpds.HashTrieSet([1, 2]))
try:
    m["z"]
except KeyError as e:
    print(type(e).__name__, e)
salt = b"$2b$04$abcdefghijklmnopqrstuu"
print(bcrypt.hashpw(b"secret", salt), bcrypt.checkpw(b"secret", bcrypt.hashpw(b"secret", salt)))
data = b"some data " * 100
for c in ("gzip", "snappy", "zstd", "brotli"):
    k = getattr(cramjam, c)
    print(c, bytes(k.decompress(k.compress(data))) == data)
d = pendulum.datetime(2024, 2, 28, tz="Europe/Paris")
print(d.add(days=2), d.diff(pendulum.datetime(2025, 1, 1)).in_words(), pendulum.parse("2024-W09-1"))
t = safetensors.numpy.save({"w": numpy.arange(6.0).reshape(2, 3)})
print({k: v.tolist() for k, v in safetensors.numpy.load(t).items()})
tok = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]"))
tok.pre_tokenizer = pre_tokenizers.Whitespace()
tok.train_from_iterator(["low lower lowest", "new newer newest"] * 5, trainers.BpeTrainer(special_tokens=["[UNK]"], vocab_size=40, show_progress=False))
e = tok.encode("lowest newer")
print(e.tokens, tok.decode(e.ids), e.offsets)
try:
    tokenizers.Tokenizer.from_str("{")
except Exception as e:
    print(type(e).__name__)
