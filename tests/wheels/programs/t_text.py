"""sentencepiece, tiktoken, cchardet: a model trained, texts to tokens and back, encodings guessed, errors."""

import sentencepiece as spm, io, random

random.seed(0)
ws = ["hello", "world", "the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog"]
sents = [" ".join(random.choice(ws) for _ in range(8)) for _ in range(200)]
m = io.BytesIO()
spm.SentencePieceTrainer.train(sentence_iterator=iter(sents), model_writer=m, vocab_size=50, hard_vocab_limit=False, minloglevel=3)
p = spm.SentencePieceProcessor(model_proto=m.getvalue())
print(
    p.encode("hello quick world", out_type=str),
    p.encode(["the fox", "dog"]),
    p.decode(p.encode("lazy dog")),
    p.get_piece_size(),
    p.id_to_piece(3),
    p["hello"] if 0 else "",
)
print(p.encode("hello fox", out_type="proto") is not None)
try:
    p.id_to_piece(10**6)
except Exception as e:
    print(type(e).__name__, e)
try:
    p.Load("/nope")
except Exception as e:
    print(type(e).__name__, str(e)[:40])

import tiktoken

e = tiktoken.Encoding(
    "t",
    pat_str=r"\w+|\s+|[^\w\s]+",
    mergeable_ranks={**{bytes([i]): i for i in range(256)}, b"he": 256, b"ll": 257, b"hell": 258, b"hello": 259},
    special_tokens={"<|e|>": 260},
)
print(e.encode("hello world hell"), e.decode(e.encode("hello é")), e.encode("<|e|>", allowed_special="all"), e.n_vocab)
try:
    e.encode("<|e|>")
except Exception as x:
    print(type(x).__name__, str(x)[:60])
try:
    e.decode([9999])
except BaseException as x:
    print(type(x).__name__, str(x)[:60])
print(e.decode_tokens_bytes([259, 1]), e.encode_batch(["a", "hello"]), e.decode_with_offsets([259, 32]), e)
try:
    e.decode_single_token_bytes(99999)
except BaseException as x:
    print(type(x).__name__, x)

import cchardet

print(cchardet.detect("привет мир как дела".encode("cp1251")), cchardet.detect(b"abc"), cchardet.detect("héllo wörld".encode()))
d = cchardet.UniversalDetector()
d.feed("日本語テキスト".encode("euc-jp") * 5)
d.close()
print(d.result, d.done)
with cchardet.UniversalDetector() as u:
    u.feed(b"abc")
try:
    cchardet.detect("x")
except Exception as e:
    print(type(e).__name__, e)
