"""The main job of tokenizers and safetensors, with output that does not change."""
import numpy as np, os, tempfile
from safetensors.numpy import save, load
from tokenizers import Tokenizer, models, pre_tokenizers, trainers, normalizers, AddedToken
t = Tokenizer(models.BPE(unk_token="[UNK]"))
t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()])
t.pre_tokenizer = pre_tokenizers.Whitespace()
t.train_from_iterator(["the quick brown fox", "the lazy dog the end"] * 5, trainers.BpeTrainer(special_tokens=["[UNK]"], vocab_size=60, show_progress=False))
e = t.encode("The quick dog")
print(e.tokens, e.ids, e.offsets, t.decode(e.ids), t.get_vocab_size(), Tokenizer.from_str(t.to_str()).encode("fox").tokens)
print([x.ids for x in t.encode_batch(["a", "the"])], t.token_to_id("the"))
try:
    Tokenizer.from_str("{")
except Exception as x:
    print(type(x).__name__, str(x)[:40])
b = save({"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], dtype="i4")}); print(len(b), {k: v.tolist() for k, v in sorted(load(b).items())})
