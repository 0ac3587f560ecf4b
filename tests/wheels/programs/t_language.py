"""gensim, tree-sitter, numba with llvmlite, and the small parts of spaCy: preshed, murmurhash, srsly."""
import warnings

warnings.simplefilter("ignore")
import gensim.corpora
import gensim.models
import llvmlite.binding as llvm
import murmurhash
import numba
import numpy as np
import srsly
import tree_sitter
import tree_sitter_python
from preshed.counter import PreshCounter
from preshed.maps import PreshMap


def parts():
    print(murmurhash.hash("hello", 3))
    m = PreshMap(initial_size=16)
    m[7], m[1 << 40] = 3, 4
    print(sorted(m.items()), m[7], m[8], len(m))
    c = PreshCounter()
    for k in [5, 5, 9]:
        c.inc(k, 2)
    print(c[5], c.total, c.length)
    print(srsly.json_loads(srsly.json_dumps({"a": [1, 2.5, None]})), srsly.msgpack_loads(srsly.msgpack_dumps({"x": np.arange(3)})))


def topics():
    texts = [s.split() for s in ["human interface computer", "survey user computer system response time", "eps user interface system", "graph minors trees", "graph trees"]]
    d = gensim.corpora.Dictionary(texts)
    corpus = [d.doc2bow(t) for t in texts]
    print(sorted(d.token2id.items())[:5], corpus[0])
    print([(i, round(v, 4)) for i, v in gensim.models.TfidfModel(corpus)[corpus[3]]])
    w = gensim.models.Word2Vec(texts * 20, vector_size=8, min_count=1, seed=1, workers=1, epochs=3)
    print(w.wv["graph"].shape, len(w.wv.most_similar("graph", topn=3)))


def trees():
    language = tree_sitter.Language(tree_sitter_python.language())
    parser = tree_sitter.Parser(language)
    tree = parser.parse(b"def f(a, b=1):\n    return a + b\n")
    print(tree.root_node)
    q = tree_sitter.Query(language, "(identifier) @id")
    print([n.text for n in sorted(tree_sitter.QueryCursor(q).captures(tree.root_node)["id"], key=lambda n: n.start_byte)])
    print(parser.parse(lambda i, p: b"x = 1"[i : i + 2]).root_node.sexp() if hasattr(tree.root_node, "sexp") else str(parser.parse(lambda i, p: b"x = 1"[i : i + 2]).root_node))
    try:
        tree_sitter.Query(language, "(nothing) @x")
    except Exception as e:
        print(type(e).__name__, e)


@numba.njit
def total(a):
    s = 0.0
    for i in range(a.shape[0]):
        s += a[i] * i
    return s


@numba.vectorize(["float64(float64, float64)"])
def mean(a, b):
    return (a + b) / 2


def compiled():
    print(total(np.arange(10.0)), mean(np.arange(3.0), 4.0).tolist())
    ir = "define i64 @f(i64 %a) {\n %r = mul i64 %a, 3\n ret i64 %r\n}\n"
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(ir), machine)
    engine.finalize_object()
    import ctypes

    print(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(engine.get_function_address("f"))(14))
    try:
        llvm.parse_assembly("nonsense")
    except RuntimeError as e:
        print(str(e).splitlines()[0])


parts()
topics()
trees()
compiled()
