"""Runs the examples under Lancehead and python3.11 (and the same calls in C) and prints a table.

    python3.11 demo.py LANCEHEAD
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["crc32_tree.py", "sqlite_rows.py", "libm_loop.py", "qsort_callback.py", "stat_structs.py"]


def run(command):
    p = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if p.returncode != 0:
        sys.exit("%s failed (exit %d):\n%s%s" % (" ".join(command), p.returncode, p.stdout, p.stderr))
    results, times = [], {}
    for line in p.stdout.splitlines():
        if line.startswith("@ "):
            name, ns = line[2:].rsplit(" ", 1)
            times[name] = float(ns)
        elif line.strip():
            results.append(line)
    return results, times


def c_times():
    with tempfile.TemporaryDirectory() as tmp:
        exe = os.path.join(tmp, "loops")
        try:
            subprocess.run(["cc", "-O2", "-o", exe, os.path.join(HERE, "c", "loops.c"), "-ldl", "-lm"],
                           check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return {}
        return run([exe])[1]


def main():
    lancehead = sys.argv[1]
    reference = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    native = c_times()
    rows = []
    for program in PROGRAMS:
        path = os.path.join(HERE, program)
        ours, our_times = run([lancehead, path])
        theirs, their_times = run([reference, path])
        if ours != theirs:
            sys.exit("%s: results differ\n  lancehead:  %s\n  python3.11: %s" % (program, ours, theirs))
        for line in ours:
            print(line)
        for name, ns in our_times.items():
            rows.append((name, ns, their_times[name], native.get(name)))
    print()
    print("%-32s %12s %12s %10s" % ("ns per call", "lancehead", "python3.11", "C"))
    for name, ours, theirs, c in rows:
        print("%-32s %12.1f %12.1f %10s" % (name, ours, theirs, "%.1f" % c if c else "-"))


main()
