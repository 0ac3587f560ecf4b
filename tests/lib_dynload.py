"""Every module of Debian's lib-dynload: loads in Lancehead, and its own CPython tests as far as python3.11 passes them.

    python3.11 tests/lib_dynload.py LANCEHEAD [--quick] [--only _json,_ssl] [--jobs N] [--timeout SECONDS]

A row for each module: is it loaded from lib-dynload or built in, its test files, and tests passed / passed by python3.11. Test files come from
libpython3.11-testsuite; modules that no test file is about are only imported and their public names compared. `--quick` does so for those, too,
whose tests take long, wait for clocks, processes or the network, or are known not to pass whole (`docs/compatibility.md`).
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
FOLDER = pathlib.Path("/usr/lib/python3.11/lib-dynload")
# The test files that are about a module.
TESTS = {
    "_asyncio": ["test_asyncio.test_futures", "test_asyncio.test_tasks", "test_asyncio.test_events"], "_bz2": ["test_bz2"], "_codecs_cn": ["test_codecencodings_cn"],
    "_codecs_hk": ["test_codecencodings_hk"], "_codecs_iso2022": ["test_codecencodings_iso2022"], "_codecs_jp": ["test_codecencodings_jp"],
    "_codecs_kr": ["test_codecencodings_kr"], "_codecs_tw": ["test_codecencodings_tw"], "_contextvars": ["test_context"], "_crypt": ["test_crypt"],
    "_ctypes": ["test_ctypes"], "_curses": ["test_curses"], "_dbm": ["test_dbm_ndbm", "test_dbm"], "_decimal": ["test_decimal"], "_hashlib": ["test_hashlib", "test_hmac"],
    "_json": ["test_json"], "_lsprof": ["test_cprofile"], "_lzma": ["test_lzma"], "_multibytecodec": ["test_multibytecodec"], "_multiprocessing": ["_test_multiprocessing"],
    "_posixshmem": ["test_shelve"], "_queue": ["test_queue"], "_sqlite3": ["test_sqlite3.test_dbapi", "test_sqlite3.test_types", "test_sqlite3.test_userfunctions",
    "test_sqlite3.test_factory", "test_sqlite3.test_hooks", "test_sqlite3.test_regression", "test_sqlite3.test_transactions", "test_sqlite3.test_backup", "test_sqlite3.test_dump"],
    "_ssl": ["test_ssl"], "_testbuffer": ["test_buffer"], "_testcapi": ["test_capi"], "_testinternalcapi": ["test_hashtable"], "_testmultiphase": ["test_importlib.extension.test_loader"],
    "_typing": ["test_typing"], "_uuid": ["test_uuid"], "_zoneinfo": ["test_zoneinfo"], "audioop": ["test_audioop"], "mmap": ["test_mmap"], "nis": ["test_nis"],
    "ossaudiodev": ["test_ossaudiodev"], "readline": ["test_readline"], "resource": ["test_resource"], "termios": ["test_tty", "test_pty"], "xxlimited": ["test_xxlimited"],
    "xxlimited_35": ["test_xxlimited"], "_xxsubinterpreters": ["test__xxsubinterpreters"],
}
QUICK = set("""_bz2 _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _contextvars _crypt _dbm _hashlib _json _lsprof _lzma _multibytecodec
    _decimal _sqlite3 _xxsubinterpreters _testinternalcapi _testmultiphase _typing _uuid _zoneinfo audioop resource xxlimited xxlimited_35""".split())
IMPORT = """
import importlib, sys
m = importlib.import_module(sys.argv[1])
print(getattr(m, "__file__", None) or "built in")
print(sorted(n for n in dir(m) if not n.startswith("_")))
"""


def run(command, timeout):
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm"}
        try:
            return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None


INNER = """
import sys, unittest
class Result(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        print("PASSED", test.id(), flush=True)
stream = unittest.runner._WritelnDecorator(sys.stderr)
from test import support
support.verbose = False
suite = unittest.defaultTestLoader.loadTestsFromName("test." + sys.argv[1])
result = unittest.TextTestRunner(stream=sys.stderr, resultclass=Result, verbosity=0).run(suite)
"""


def passed(python, name, timeout):
    """The ids of the tests that pass, or what went wrong."""
    r = run([python, "-c", INNER, name], timeout)
    if r is None:
        return set(), "time-out"
    ids = {l.split(" ", 1)[1] for l in r.stdout.splitlines() if l.startswith("PASSED ")}
    return ids, "" if r.returncode == 0 else f"exit {r.returncode}"


def module(lancehead, name, timeout, quick):
    a, b = run([PYTHON, "-c", IMPORT, name], 60), run([lancehead, "-c", IMPORT, name], 60)
    if a is None or a.returncode:
        return name, "not importable by python3.11 either", [], 0, 0, True
    if b is None or b.returncode:
        return name, (b.stderr.strip().splitlines() or ["time-out"])[-1] if b else "time-out", [], 0, 0, False
    where = "built in" if b.stdout.startswith("built in") else "lib-dynload" if str(FOLDER) in b.stdout else "other"
    lacking = set(eval(a.stdout.splitlines()[1])) - set(eval(b.stdout.splitlines()[1]))
    if lacking:
        where += ", without " + " ".join(sorted(lacking))
    there, notes = [], []
    want = got = 0
    whole = True
    for test in [] if quick and name not in QUICK else TESTS.get(name, []):
        control, _ = passed(PYTHON, test, timeout)
        if not control:
            continue
        ids, note = passed(lancehead, test, timeout)
        there.append(test)
        want, got = want + len(control), got + len(control & ids)
        if note:
            notes.append(f"{test}: {note}")
        notes.extend("- " + i for i in sorted(control - ids)[:8])
        whole = whole and control <= ids
    return name, where, there + notes, got, want, whole and not lacking


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    p.add_argument("--only")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--timeout", type=int, default=300)
    a = p.parse_args()
    lancehead = os.path.abspath(a.lancehead)
    names = a.only.split(",") if a.only else sorted(f.name.split(".")[0] for f in FOLDER.glob("*.so"))
    total = wanted = bad = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for name, where, rest, got, want, ok in pool.map(lambda n: module(lancehead, n, a.timeout, a.quick), names):
            tests = [r for r in rest if r.startswith("test") and ":" not in r]
            print(f"{name:20}{where:14}{(f'{got} / {want}' if want else '-'):14}{'' if ok else 'DIFFERS '}{' '.join(tests)}", flush=True)
            for r in rest:
                if r not in tests:
                    print("    " + r)
            total, wanted, bad = total + got, wanted + want, bad + (not ok)
    print(f"lib-dynload: {len(names) - bad} of {len(names)} modules as expected; {total} / {wanted} tests")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
