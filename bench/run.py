"""Side-by-side tables: Lancehead, python3.11, pypy3, luajit and C in one run, interleaved, medians.

    python3.11 bench/run.py LANCEHEAD [--rounds N] [--only NAME,...]
"""
import argparse
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NUMERIC = ["mandelbrot", "nbody", "spectral_norm", "sieve", "matmul"]
OBJECTS = ["tasks", "constraints"]
INTERPRETER = ["calls", "objects", "closures", "generators", "exceptions", "strings", "dicts", "sorting", "jsons",
               "regexes", "pickles", "comprehensions", "integers", "trees"]


def interpreters(lancehead):
    found = {"lancehead": [lancehead], "lancehead jit=off": [lancehead, "-X", "jit=off"]}
    found["python3.11"] = ["/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"]
    if shutil.which("pypy3"):
        found["pypy3"] = ["pypy3"]
    return found


def run(command):
    p = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if p.returncode:
        return None, (p.stderr.strip().splitlines() or ["exit %d" % p.returncode])[-1]
    return p.stdout, None


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def programs(vms, rounds, names):
    table, failures = {}, []
    for name in names:
        seen = {vm: ([], []) for vm in vms}
        answers = {}
        for _ in range(rounds):
            for vm, command in vms.items():
                out, err = run(command + [os.path.join(HERE, "one.py"),
                                          os.path.join(HERE, "programs", name + ".py"), "7"])
                if out is None:
                    failures.append("%s on %s: %s" % (name, vm, err))
                    continue
                cold, warm, answer = out.strip().split(" ", 2)
                seen[vm][0].append(float(cold))
                seen[vm][1].append(float(warm))
                answers[vm] = answer
        if len(set(answers.values())) > 1:
            failures.append("%s: answers differ: %s" % (name, answers))
        table[name] = {vm: (statistics.median(c), statistics.median(w)) for vm, (c, w) in seen.items() if c}
    return table, failures


def show(title, table, vms, column):
    print("\n%s: milliseconds, and how many times python3.11's speed" % title)
    print("%-16s" % "" + "".join("%22s" % vm for vm in vms))
    ratios = {vm: [] for vm in vms}
    for name, row in table.items():
        line = "%-16s" % name
        base = row.get("python3.11")
        for vm in vms:
            if vm in row and base:
                r = base[column] / row[vm][column]
                ratios[vm].append(r)
                line += "%13.2f %7.2fx" % (row[vm][column], r)
            else:
                line += "%22s" % "-"
        print(line)
    print("%-16s" % "geometric mean" + "".join("%21.2fx" % geomean(ratios[vm]) for vm in vms))


def native_calls(vms, rounds):
    with tempfile.TemporaryDirectory() as tmp:
        lib = os.path.join(tmp, "libnative.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", lib, os.path.join(HERE, "programs", "native.c")], check=True)
        lua = None
        rows = {}
        for _ in range(rounds):
            for vm, command in vms.items():
                n = "1000000" if vm in ("lancehead",) else "200000"
                out, err = run(command + [os.path.join(HERE, "programs", "ctypes_calls.py"), lib, n])
                if out is None:
                    print("native calls on %s: %s" % (vm, err))
                    continue
                for line in out.splitlines():
                    _, name, ours, c, ratio = line.split()
                    rows.setdefault(name, {}).setdefault(vm, []).append((float(ours), float(ratio)))
                    rows[name].setdefault("C", []).append((float(c), 1.0))
            if shutil.which("luajit"):
                lua = ["luajit", os.path.join(HERE, "programs", "ffi_calls.lua"), lib]
                out, err = run(lua)
                for line in (out or "").splitlines():
                    _, name, ns, ratio = line.split()
                    rows.setdefault(name, {}).setdefault("luajit", []).append((float(ns), float(ratio)))
    columns = list(vms) + (["luajit"] if lua else []) + ["C"]
    print("\nNative calls through ctypes prototypes: ns per call (loop included), and times C")
    print("%-10s" % "" + "".join("%22s" % c for c in columns))
    for name, row in rows.items():
        line = "%-10s" % name
        for col in columns:
            if col in row:
                v, ratio = (statistics.median(part) for part in zip(*row[col]))
                line += "%13.2f %7.2fx" % (v, ratio)
            else:
                line += "%22s" % "-"
        print(line)


def startup(vms, rounds):
    print("\nStart-up of `-c pass`: ms and peak memory (MiB)")
    for vm, command in vms.items():
        times, peaks = [], []
        for _ in range(max(rounds, 5)):
            script = ("import os,time,sys\nt=time.perf_counter()\np=os.posix_spawnp(sys.argv[1], sys.argv[1:]+['-c','pass'], os.environ)\n"
                      "r=os.wait4(p,0)\nprint((time.perf_counter()-t)*1000, r[2].ru_maxrss/1024)")
            out, err = run([sys.executable, "-c", script] + command)
            if out is None:
                print(vm, err)
                break
            t, m = out.split()
            times.append(float(t))
            peaks.append(float(m))
        if times:
            print("%-20s %8.1f %8.1f" % (vm, statistics.median(times), statistics.median(peaks)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="programs, and the tables `ctypes` and `startup`")
    args = parser.parse_args()
    vms = interpreters(os.path.abspath(args.lancehead))
    known = NUMERIC + OBJECTS + INTERPRETER
    only = args.only.split(",") if args.only else known
    names = [name for name in known if name in only]
    strange = set(only) - set(known) - {"ctypes", "startup"}
    if strange:
        parser.error("no such program or table: " + ", ".join(sorted(strange)))
    table, failures = programs(vms, args.rounds, names)
    numeric = {n: r for n, r in table.items() if n in NUMERIC}
    objects = {n: r for n, r in table.items() if n in OBJECTS}
    everyday = {n: r for n, r in table.items() if n in INTERPRETER}
    for title, part in (("Numeric loops", numeric), ("Object programs", objects), ("The interpreter", everyday)):
        if part:
            show(title + ", warm", part, vms, 1)
            show(title + ", first iteration (cold)", part, vms, 0)
    if not args.only or "ctypes" in only:
        native_calls(vms, args.rounds)
    if not args.only or "startup" in only:
        startup(vms, args.rounds)
    for f in failures:
        print("FAILED", f)
    return bool(failures)


sys.exit(main())
