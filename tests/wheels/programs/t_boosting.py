"""xgboost, LightGBM, ONNX Runtime: models trained with objectives and callbacks in Python, a graph run, errors."""

import numpy as np, xgboost as xgb, lightgbm as lgb

r = np.random.RandomState(0)
X = r.rand(200, 5)
y = (X[:, 0] + X[:, 1] > 1).astype(int)
d = xgb.DMatrix(X, label=y)


def obj(p, dt):
    l = dt.get_label()
    q = 1 / (1 + np.exp(-p))
    return q - l, q * (1 - q)


log = []


class CB(xgb.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals):
        log.append((epoch, round(float(list(evals["t"].values())[0][-1]), 5)))
        return epoch >= 5


b = xgb.train({"max_depth": 3, "nthread": 1, "seed": 0}, d, 20, evals=[(d, "t")], obj=obj, callbacks=[CB()], verbose_eval=False)
print(log)
print(b.predict(d)[:4].round(4), len(b.get_dump()))
try:
    xgb.train({"max_depth": 3, "objective": "nope"}, d, 1)
except Exception as e:
    print(type(e).__name__, str(e)[:60].split("\n")[0][10:30])
m = xgb.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, y)
print(m.predict_proba(X)[:2].round(4), m.score(X, y))
ds = lgb.Dataset(X, y, free_raw_data=False)
ev = []
bst = lgb.train(
    {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True},
    ds,
    10,
    valid_sets=[ds],
    feval=lambda p, d: ("m", float(np.mean(p)), True),
    callbacks=[lambda env: ev.append([round(x[2], 5) for x in env.evaluation_result_list])],
)
print(ev[:3], bst.predict(X)[:3].round(4), bst.num_trees())

import numpy as np, onnxruntime as ort


# a minimal onnx model written by hand (protobuf bytes): Y = X + X
def vi(n):
    o = b""
    while True:
        b = n & 127
        n >>= 7
        if n:
            o += bytes([b | 128])
        else:
            return o + bytes([b])


def f(n, b):
    return vi(n << 3 | 2) + vi(len(b)) + b


def iv(n, v):
    return vi(n << 3) + vi(v)


def tens(name):
    return f(1, name) + f(2, f(1, iv(1, 1) + f(2, f(1, iv(1, 3)))))


node = f(1, b"X") + f(1, b"X") + f(2, b"Y") + f(4, b"Add")
graph = f(1, node) + f(2, b"g") + f(11, tens(b"X")) + f(12, tens(b"Y"))
model = iv(1, 8) + f(7, graph) + f(8, iv(2, 13))
o = ort.SessionOptions()
o.intra_op_num_threads = 1
s = ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])
print([i.name for i in s.get_inputs()], s.get_inputs()[0].shape, s.run(None, {"X": np.array([1, 2, 3], "f4")}))
for bad in ({"X": np.array([1, 2], "f4")}, {"X": np.array([1, 2, 3], "f8")}, {"Z": 1}):
    try:
        s.run(None, bad)
    except Exception as e:
        print(type(e).__name__, str(e)[:80])
try:
    ort.InferenceSession(b"junk")
except Exception as e:
    print(type(e).__name__, str(e)[:60])
v = ort.OrtValue.ortvalue_from_numpy(np.arange(3, dtype="f4"))
print(v.shape(), v.data_type(), v.numpy())
io = s.io_binding()
io.bind_cpu_input("X", np.ones(3, "f4"))
io.bind_output("Y")
s.run_with_iobinding(io)
print(io.copy_outputs_to_cpu())
