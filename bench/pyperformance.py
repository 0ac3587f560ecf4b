"""The programs of pyperformance side by side: Lancehead (JIT off and on) against python3.11.

    python3.11 bench/pyperformance.py LANCEHEAD [--rounds N] [--seconds S] [--only NAME,...] [--off] [--where DIR]

pyperformance is not part of this repository: `python3.11 -m pip install pyperformance` into any environment, and run this with
that environment's python, or name the directory it is in with --where. Programs that need packages which are not installed there are left out
and listed.  Each program runs in a process of its own in which `pyperf` is a stand-in: its function runs until it is warm and is then
timed (CPU time, the fastest of the later runs counts). The interpreters take turns, round by round.
"""
import argparse
import asyncio
import glob
import math
import os
import runpy
import subprocess
import sys
import time
import types

HERE = os.path.abspath(__file__)
MARK = "RESULT"


class Runner:
    """What the benchmark programs use of pyperf.Runner."""
    seconds = 1.0
    warm = 1.0

    def __init__(self, *args, **options):
        self.metadata = {}
        self.argparser = argparse.ArgumentParser()
        self.args = None

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(sys.argv[1:] if args is None else args)
            for name, value in dict(worker=True, loops=1, inherit_environ=None).items():
                if not hasattr(self.args, name):
                    setattr(self.args, name, value)
        return self.args

    def measure(self, name, run):
        """`run(n)` gives the seconds that n repetitions took."""
        start = time.perf_counter()
        took = run(1)
        while time.perf_counter() - start < self.warm:
            took = run(1)
        loops = max(1, int(0.05 / max(took, 1e-7)))
        best, start = math.inf, time.perf_counter()
        while True:
            best = min(best, run(loops) / loops)
            if time.perf_counter() - start >= self.seconds:
                break
        print(MARK, name, best, flush=True)

    def bench_func(self, name, func, *args, **options):
        def run(loops):
            start = time.process_time()
            for _ in range(loops):
                func(*args)
            return time.process_time() - start
        self.measure(name, run)

    def bench_time_func(self, name, func, *args, **options):
        def run(loops):
            start = time.process_time()
            func(loops, *args)
            return time.process_time() - start
        self.measure(name, run)

    def bench_async_func(self, name, func, *args, **options):
        def run(loops):
            async def repeat():
                for _ in range(loops):
                    await func(*args)
            start = time.process_time()
            asyncio.run(repeat())
            return time.process_time() - start
        self.measure(name, run)

    def bench_command(self, name, command):
        def run(loops):
            start = time.perf_counter()
            for _ in range(loops):
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return time.perf_counter() - start
        self.measure(name, run)

    def timeit(self, name, stmt=None, setup="pass", **options):
        import timeit
        self.measure(name, timeit.Timer(stmt, setup, timer=time.process_time).timeit)


def child(program, where, seconds, warm, arguments):
    Runner.seconds, Runner.warm = seconds, warm
    pyperf = types.ModuleType("pyperf")
    pyperf.Runner, pyperf.perf_counter, pyperf.Benchmark = Runner, time.process_time, type("Benchmark", (), {})
    pyperf.python_implementation, pyperf.python_has_jit = (lambda: sys.implementation.name), (lambda: False)
    sys.modules["pyperf"] = pyperf
    directory = os.path.dirname(program)
    os.chdir(directory)
    sys.path[0] = directory
    sys.path.append(where)
    sys.argv = [program] + arguments
    runpy.run_path(program, run_name="__main__")


def find(where):
    if where is None:
        import importlib.util
        sys.path = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(HERE)]
        spec = importlib.util.find_spec("pyperformance")
        where = os.path.dirname(os.path.dirname(spec.origin)) if spec and spec.origin else None
    found = where and os.path.join(where, "pyperformance", "data-files", "benchmarks")
    if not found or not os.path.isdir(found):
        sys.exit("pyperformance is not installed here. Do\n    python3.11 -m venv DIR && DIR/bin/pip install pyperformance\n"
                 "and run this file with DIR/bin/python, or with --where DIR/lib/python3.11/site-packages.")
    return where, found


def programs(folder):
    """(name, program, arguments): one for every benchmark and every variant that has options of its own."""
    import tomllib
    for directory in sorted(glob.glob(os.path.join(folder, "bm_*"))):
        program = os.path.join(directory, "run_benchmark.py")
        variants = [(os.path.basename(directory)[3:], [])]
        for path in sorted(glob.glob(os.path.join(directory, "bm_*.toml"))):
            with open(path, "rb") as f:
                tool = tomllib.load(f).get("tool", {}).get("pyperformance", {})
            variants.append((tool.get("name") or os.path.basename(path)[3:-5], tool.get("extra_opts", [])))
        for name, arguments in variants:
            yield name, program, arguments


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lancehead")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each program is timed in a round")
    parser.add_argument("--only")
    parser.add_argument("--off", action="store_true", help="with the JIT off only")
    parser.add_argument("--where", help="the site-packages directory with pyperformance in it")
    options = parser.parse_args()
    where, folder = find(options.where)
    lancehead = os.path.abspath(options.lancehead)
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
    vms = {"python3.11": ([python], 0.3), "off": ([lancehead, "-X", "jit=off"], 0.3)}
    if not options.off:
        vms["on"] = ([lancehead], 2.0)
    wanted = options.only and set(options.only.split(","))
    ratios = {vm: {} for vm in vms}
    problems = []
    print("%-34s%12s" % ("milliseconds, times python3.11", "python3.11") + "".join("%20s" % ("jit=" + vm) for vm in list(vms)[1:]))
    for name, program, arguments in programs(folder):
        if wanted and name not in wanted:
            continue
        times = {}
        for _ in range(options.rounds):
            for vm, (command, warm) in vms.items():
                line = command + [HERE, "--child", program, where, str(options.seconds), str(warm)] + arguments
                try:
                    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
                except subprocess.TimeoutExpired:
                    problems.append("%s with %s: no end after 300 s" % (name, vm))
                    break
                for result in done.stdout.splitlines():
                    if result.startswith(MARK):
                        _, *title, seconds = result.split()
                        times.setdefault(" ".join(title), {}).setdefault(vm, []).append(float(seconds))
                if done.returncode:
                    problems.append("%s with %s: %s" % (name, vm, (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]))
                    if vm == "python3.11":
                        break
            else:
                continue
            break
        for title, row in times.items():
            base = min(row.get("python3.11", [math.nan]))
            line = "%-34s%12.3f" % (title, base * 1e3)
            for vm in list(vms)[1:]:
                if vm in row and base > 0:
                    ratios[vm][title] = base / min(row[vm])
                    line += "%12.3f %6.2fx" % (min(row[vm]) * 1e3, ratios[vm][title])
                else:
                    line += "%20s" % "-"
            print(line, flush=True)
    for vm in list(vms)[1:]:
        if ratios[vm]:
            mean = math.exp(sum(map(math.log, ratios[vm].values())) / len(ratios[vm]))
            worst = min(ratios[vm], key=ratios[vm].get)
            print("jit=%s: geometric mean of %d programs %.2fx, slowest %s %.2fx" % (vm, len(ratios[vm]), mean, worst, ratios[vm][worst]))
    for problem in problems:
        print("left out:", problem)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], float(sys.argv[4]), float(sys.argv[5]), sys.argv[6:])
    else:
        main()
