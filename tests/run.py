#!/usr/bin/env python3.11
"""Runs each program of tests/programs on python3.11 and on Lancehead and compares: output, exception, exit status.

    run.py LANCEHEAD [--only NAME,...] [--modes off,on,stress] [--jobs N]

A program's standard output must be equal to the letter, standard error in its last line (the exception) and the exit status must be
equal. Lancehead runs each with the JIT off, on, and in stress mode.
"""
import argparse
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REFERENCE = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"


def run(command, program):
    with tempfile.TemporaryDirectory() as cwd:
        env = dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", TMPDIR=cwd)
        try:
            p = subprocess.run(command + [str(program)], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, errors="replace", timeout=120)
        except subprocess.TimeoutExpired:
            return "time-out", "", ""
    last = [line for line in p.stderr.splitlines() if line.strip()]
    return p.returncode, p.stdout, last[-1] if last else ""


def compare(job):
    lancehead, mode, program, expected = job
    got = run([lancehead, "-X", "jit=" + mode], program)
    if got == expected:
        return None
    for what, a, b in zip(("exit status", "output", "error"), expected, got):
        if a != b:
            if what == "output":
                for i, (x, y) in enumerate(zip(a.splitlines() + ["<end>"], b.splitlines() + ["<end>"]), 1):
                    if x != y:
                        a, b = "line %d: %s" % (i, x), "line %d: %s" % (i, y)
                        break
            return "%s (jit=%s): %s differs\n    python3.11: %s\n    lancehead:  %s\n    stderr: %s" % (
                program.name, mode, what, a, b, got[2])
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead")
    parser.add_argument("--only")
    parser.add_argument("--modes", default="off,on,stress")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    # Started in the background, interrupts are ignored, by the programs that are to meet them as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    programs = sorted((HERE / "programs").glob("*.py"))
    if args.only:
        programs = [p for p in programs if p.stem in args.only.split(",")]
    failed = passed = 0
    lancehead = os.path.abspath(args.lancehead)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        expected = list(pool.map(lambda p: run([REFERENCE], p), programs))
        jobs = [(lancehead, mode, p, e) for p, e in zip(programs, expected) for mode in args.modes.split(",")]
        for problem in pool.map(compare, jobs):
            if problem:
                failed += 1
                print(problem, flush=True)
            else:
                passed += 1
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0 or passed == 0


sys.exit(main())
