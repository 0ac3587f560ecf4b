"""Runs one benchmark program several times: prints the first (cold) and the median of the later (warm) times in ms.

    one.py PROGRAM COUNT
"""
import importlib.util
import sys
import time

path, count = sys.argv[1], int(sys.argv[2])
spec = importlib.util.spec_from_file_location("program", path)
program = importlib.util.module_from_spec(spec)
sys.modules["program"] = program
spec.loader.exec_module(program)
times = []
for _ in range(count):
    start = time.perf_counter()
    result = program.run()
    times.append((time.perf_counter() - start) * 1000)
warm = sorted(times[1:] or times)
print("%.3f %.3f %r" % (times[0], warm[len(warm) // 2], result))
