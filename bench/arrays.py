"""numpy's own work, side by side: large arrays (element-wise, reductions, temporaries), small ones, and calls back into Python.

    python3.11 bench/arrays.py LANCEHEAD [--rounds N] [--only WORD] [--packages DIR]

The numpy wheel is installed from the package index into a temporary folder (or is found in DIR) and loaded by both. Columns are microseconds a
statement and times python3.11's; the best of the rounds, interleaved.
"""
import argparse
import math
import os
import subprocess
import sys
import tempfile

SETUP = """
import numpy as np
n = 1_000_000
a = np.arange(n, dtype=float); b = a + 1; c = a * 2; i = np.arange(n); m = a.reshape(1000, 1000)
mask = i % 3 == 0; s = np.arange(3.0); t = s + 1; x = np.float64(1.5); z = np.zeros((3, 4)); q = m[:200, :200].copy()
"""
LARGE = ["a + b", "a * b", "a / (b + 1)", "a + b + c + a + b", "(a * b + c) * a - b", "np.sqrt(a)", "np.exp(-a)", "np.sin(a)", "a > b", "np.where(mask, a, b)", "a[mask]", "a[::2] + b[::2]",
         "a.sum()", "a.mean()", "a.max()", "a.std()", "m.sum(axis=0)", "m.sum(axis=1)", "m.T.copy()", "np.sort(c[::-1])", "np.cumsum(a)", "np.dot(a, b)", "q @ q", "i % 7", "i & 255",
         "np.unique(i % 100)", "np.concatenate([a, b])", "a.astype(np.int32)"]
SMALL = ["s + t", "s * 2.0", "s[1]", "z[1, 2]", "z[1, 2] = 5.0", "s[0:2]", "s.sum()", "np.add(s, t)", "np.array([1.0, 2.0, 3.0])", "np.zeros(3)", "x + x", "x * 2.0", "float(x)", "s.shape", "len(s)",
         "[v for v in s]", "s.tolist()", "np.dot(s, t)", "s.reshape(3, 1)", "s == t", "np.vectorize(lambda v: v + 1)(s)"]

CHILD = SETUP + """
import sys, time
for statement in sys.argv[2:]:
    code = {}
    exec("def f(k):\\n for _ in range(k):\\n  " + "\\n  ".join([statement] * 5), globals(), code)
    f = code["f"]
    k = 1
    while True:
        start = time.perf_counter(); f(k); d = time.perf_counter() - start
        if d > float(sys.argv[1]) or k > 1 << 20:
            break
        k *= 2
    best = d / k
    for _ in range(4):
        start = time.perf_counter(); f(k); best = min(best, (time.perf_counter() - start) / k)
    print(best / 5 * 1e6)
"""


def measure(command, environment, statements):
    p = subprocess.run(command + ["-c", CHILD, "0.02"] + statements, capture_output=True, text=True, env=environment)
    if p.returncode:
        sys.exit("%s failed:\n%s" % (" ".join(command), p.stderr))
    return [float(x) for x in p.stdout.split()]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("lancehead")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", default="")
    p.add_argument("--packages")
    a = p.parse_args()
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    with tempfile.TemporaryDirectory() as tmp:
        folder = a.packages or tmp
        if not a.packages:
            command = [a.lancehead, "-m", "pip", "install", "-q", "--only-binary=:all:", "--target", tmp, "numpy"]
            r = subprocess.run(command, capture_output=True, text=True)
            if r.returncode:
                sys.exit("numpy could not be installed: " + (r.stderr.strip().splitlines() or ["?"])[-1])
        environment = {**os.environ, "PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"}
        vms = {"python3.11": [python], "jit=off": [a.lancehead, "-X", "jit=off"], "jit=on": [a.lancehead]}
        for title, statements in (("large arrays", LARGE), ("small arrays", SMALL)):
            statements = [s for s in statements if a.only in s]
            if not statements:
                continue
            best = {vm: [math.inf] * len(statements) for vm in vms}
            for _ in range(a.rounds):
                for vm, command in vms.items():
                    best[vm] = [min(x, y) for x, y in zip(best[vm], measure(command, environment, statements))]
            print("\n%-36s%12s%14s%20s" % (title + ", us", *vms))
            ratios = {vm: [] for vm in vms}
            for k, statement in enumerate(statements):
                base = best["python3.11"][k]
                line = "%-36s%12.2f" % (statement, base)
                for vm in ("jit=off", "jit=on"):
                    ratios[vm].append(best[vm][k] / base)
                    line += "%12.2f%7.2fx" % (best[vm][k], ratios[vm][-1])
                print(line)
            means = [math.exp(sum(map(math.log, ratios[vm])) / len(statements)) for vm in ("jit=off", "jit=on")]
            print("%-36s%12s%19.2fx%18.2fx" % ("geometric mean", "", *means))


if __name__ == "__main__":
    main()
