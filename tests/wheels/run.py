"""Installs wheels from the package index into a virtual environment made by Lancehead, and runs one program for each package there
and in a virtual environment of python3.11 with the same versions.

    run.py LANCEHEAD [--only numpy,lxml] [--dir DIR] [--table FILE]
    run.py LANCEHEAD --suites [numpy,greenlet] …     the packages' own tests instead, by pytest: what passes of what passes with python3.11
"""

import argparse
import ast
import difflib
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
# Each has programs/t_NAME.py or is in one of the groups below.
PACKAGES = {
    "markupsafe": "3.0.4",
    "pyyaml": "6.0.4",
    "msgpack": "1.2.4",
    "cffi": "2.1.1",
    "greenlet": "3.5.6",
    "numpy": "2.4.6",
    "pillow": "13.0.0",
    "psutil": "7.2.2",
    "cryptography": "50.0.2",
    "sqlalchemy": "2.1.9",
    "aiohttp": "3.14.5",
    "lxml": "6.1.3",
    "pandas": "3.1.1",
    "scipy": "1.17.1",
    "matplotlib": "3.11.2",
    "regex": "2026.11.19",
    "orjson": "3.13.0",
    "ujson": "6.1.0",
    "simplejson": "4.3.0",
    "python-rapidjson": "1.25",
    "pydantic": "2.14.4",
    "pydantic-core": "2.50.5",
    "bcrypt": "5.0.0",
    "cramjam": "2.14.0",
    "pendulum": "3.3.0",
    "rpds-py": "2026.9.1",
    "safetensors": "0.8.0",
    "tokenizers": "0.23.3",
    "brotli": "1.2.1",
    "lz4": "4.4.5",
    "mmh3": "5.3.1",
    "pynacl": "1.6.2",
    "pycryptodome": "4.4.0",
    "xxhash": "4.1.0",
    "zstandard": "0.25.0",
    "protobuf": "7.36.2",
    "grpcio": "1.85.3",
    "gevent": "26.9.0",
    "httptools": "0.9.0",
    "pyzmq": "27.3.0",
    "tornado": "6.6.1",
    "uvloop": "0.23.0",
    "websockets": "17.4",
    "bitarray": "3.12.3",
    "cbor2": "6.3.0",
    "cytoolz": "1.2.0",
    "frozenlist": "1.8.0",
    "immutables": "0.21",
    "levenshtein": "0.27.5",
    "lupa": "2.8",
    "marisa-trie": "1.4.1",
    "msgspec": "0.22.0",
    "multidict": "7.2.1",
    "pyahocorasick": "2.3.1",
    "pyroaring": "1.2.0",
    "rapidfuzz": "3.14.6",
    "wrapt": "2.5.2",
    "yarl": "1.25.1",
    "black": "26.10.1",
    "charset-normalizer": "3.5.3",
    "ciso8601": "2.4.1",
    "coverage": "7.17.5",
    "line-profiler": "5.1.0",
    "mypy": "2.4.1",
    "setproctitle": "1.3.8",
    "contourpy": "1.3.3",
    "h5py": "3.16.0",
    "kiwisolver": "1.5.1",
    "numexpr": "2.14.2",
    "shapely": "2.2.0",
    "duckdb": "2.0.1",
    "polars": "2.1.0",
    "pyarrow": "26.0.1",
    "bottleneck": "1.6.0",
    "opencv-python-headless": "5.0.0.93",
    "pywavelets": "1.9.0",
    "scikit-image": "0.26.0",
    "scikit-learn": "1.9.1",
    "statsmodels": "0.15.0",
    "astropy": "8.0.2",
    "fiona": "1.10.1",
    "netcdf4": "1.7.5.1.post1",
    "pyproj": "3.7.2",
    "tables": "3.11.1",
    "gensim": "4.4.0",
    "llvmlite": "0.50.0",
    "murmurhash": "1.0.16",
    "numba": "0.68.1",
    "preshed": "3.0.15",
    "srsly": "2.5.6",
    "tree-sitter": "0.26.1",
    "tree-sitter-python": "0.25.0",
    "argon2-cffi": "25.1.0",
    "asyncpg": "0.32.0",
    "psycopg": "3.3.9",
    "psycopg-binary": "3.3.9",
    "psycopg2-binary": "2.9.13",
    "xgboost": "3.2.0",
    "lightgbm": "4.7.0",
    "onnxruntime": "1.32.0",
    "sentencepiece": "0.2.3",
    "tiktoken": "0.14.0",
    "faust-cchardet": "3.2.0",
    "blosc2": "4.14.1",
    "zarr": "3.1.6",
    "numcodecs": "0.16.6",
    "python-snappy": "0.7.3",
    "pysimdjson": "7.0.2",
    "gmpy2": "2.3.2",
    "sympy": "1.14.0",
    "pyrsistent": "0.20.0",
    "cvxpy": "1.9.3",
    "osqp": "1.1.3",
    "ecos": "2.0.14",
    "ortools": "9.15.6755",
    "rasterio": "1.4.4",
    "geopandas": "1.2.0",
    "cartopy": "0.26.0",
    "pyside6-essentials": "6.12.0",
    "pygame": "2.6.1",
    "pybullet": "3.2.7",
    "panda3d": "1.10.16",
    "pyglet": "2.1.19",
    "pymongo": "4.20.1",
    "pycurl": "7.49.0",
    "oracledb": "26.1.0",
    "pymssql": "2.4.6",
    "watchfiles": "1.3.0",
    "inotify-simple": "2.0.1",
    "eventlet": "0.41.3",
    "memory-profiler": "0.61.0",
    "debugpy": "1.8.22",
    "cython": "3.3.1",
    "jax": "0.10.2",
    "jaxlib": "0.10.2",
    "rdkit": "2026.9.1",
    "biopython": "1.88",
    "pysam": "0.24.1",
    "openmm": "8.6.1",
    "pyzstd": "0.20.0",
    "ijson": "3.6.0",
    "pyxirr": "0.10.8",
    "hiredis": "3.5.0",
    "ormsgpack": "1.13.1",
    "jsonschema-rs": "0.61.2",
    "pycapnp": "2.2.4",
    "dbus-fast": "5.2.0",
    "editdistance": "0.8.1",
}
# Programs that use several packages.
GROUPS = {
    "json": ["orjson", "ujson", "simplejson", "python-rapidjson"],
    "pydantic": ["pydantic", "pydantic-core"],
    "pyo3": ["bcrypt", "cramjam", "pendulum", "rpds-py", "safetensors", "tokenizers"],
    "compression": ["brotli", "lz4", "mmh3", "pynacl", "pycryptodome", "xxhash", "zstandard"],
    "protobuf": ["protobuf", "grpcio"],
    "async": ["gevent", "httptools", "pyzmq", "tornado", "uvloop", "websockets"],
    "containers": ["bitarray", "cbor2", "cytoolz", "frozenlist", "immutables", "levenshtein", "lupa", "marisa-trie", "msgspec", "multidict", "pyahocorasick", "pyroaring", "rapidfuzz", "wrapt", "yarl"],
    "tools": ["black", "charset-normalizer", "ciso8601", "coverage", "line-profiler", "mypy", "setproctitle"],
    "arrays": ["contourpy", "h5py", "kiwisolver", "numexpr", "shapely"],
    "dataframes": ["duckdb", "polars", "pyarrow"],
    "learning": ["bottleneck", "opencv-python-headless", "pywavelets", "scikit-image", "scikit-learn", "statsmodels"],
    "geo": ["astropy", "fiona", "netcdf4", "pyproj", "shapely", "tables"],
    "language": ["gensim", "llvmlite", "murmurhash", "numba", "preshed", "srsly", "tree-sitter", "tree-sitter-python"],
    "databases": ["argon2-cffi", "asyncpg", "psycopg", "psycopg-binary", "psycopg2-binary"],
    "boosting": ["xgboost", "lightgbm", "onnxruntime", "scikit-learn"],
    "text": ["sentencepiece", "tiktoken", "faust-cchardet"],
    "storage": ["blosc2", "zarr", "numcodecs", "python-snappy", "pysimdjson"],
    "mathematics": ["gmpy2", "sympy", "pyrsistent", "cvxpy", "osqp", "ecos", "ortools"],
    "maps": ["rasterio", "geopandas", "cartopy"],
    "desktop": ["pyside6-essentials", "pygame", "pybullet", "panda3d", "pyglet"],
    "servers": ["pymongo", "pycurl", "oracledb", "pymssql", "watchfiles", "inotify-simple"],
    "inspection": ["memory-profiler", "debugpy", "cython"],
    "jax": ["jax", "jaxlib"],
    "chemistry": ["rdkit", "biopython", "pysam", "openmm"],
    "formats": ["pyzstd", "ijson", "pyxirr", "hiredis", "ormsgpack", "jsonschema-rs", "pycapnp", "dbus-fast", "editdistance"],
}

# Programs in an environment of their own: a package of theirs does not go with one of another program (ortools wants an older protobuf).
APART = {"mathematics"}

# Packages that bring their own tests, and pytest's arguments for these.
SUITES = {
    "numpy": ["--pyargs", "numpy._core", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.lib", "numpy.ma", "numpy.polynomial", "numpy.matrixlib",
              "-m", "not slow", "--timeout", "300"],
    "greenlet": ["--pyargs", "greenlet.tests", "--timeout", "120"],
    "shapely": ["--pyargs", "shapely", "--timeout", "120"],
    "h5py": ["--pyargs", "h5py", "--timeout", "120"],
    "pywavelets": ["--pyargs", "pywt", "--timeout", "120"],
    "bottleneck": ["--pyargs", "bottleneck", "--timeout", "120"],
    "astropy": ["--pyargs", "astropy.units", "--timeout", "120"],
    "pyarrow": ["--pyargs", *(f"pyarrow.tests.test_{n}" for n in ("array", "table", "compute", "scalars", "types", "builder", "cffi", "convert_builtin")), "--timeout", "120"],
    "scipy": ["--pyargs", "scipy.integrate", "scipy.optimize", "scipy.special.tests.test_basic", "--timeout", "200"],
    "pandas": ["--pyargs", "pandas.tests.indexes.multi", "--timeout", "120"],
    "scikit-learn": ["--pyargs", "sklearn.tree", "sklearn.svm", "--timeout", "200"],
}
TEST_TOOLS = ["pytest==8.4.2", "pytest-timeout==2.4.0", "hypothesis==6.140.3", "objgraph==3.7.0", "typing_extensions==4.16.0",
              "psutil==7.2.2"]


def needed(program):
    return GROUPS.get(program, [program])

HEAD = """# Wheels

Written by `tests/wheels/run.py LANCEHEAD --table docs/wheels.md`: each row's packages were installed from the package index by
Lancehead's own pip into a virtual environment, and the program's output was compared with python3.11's. `--suites` prints the same for
the tests that packages bring: those of them that pass with python3.11 are the denominator.

| packages | what ran | output |
|---|---|---|
"""


def make(python, folder, wanted):
    """The environment's own interpreter, with the packages installed by its own pip."""
    own = folder / "bin/python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    command = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
    subprocess.run(command + [f"{n}=={PACKAGES[n]}" for p in wanted for n in needed(p)], check=True)
    return own


def output(python, name):
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
    env.pop("PYTHONPATH", None)
    try:
        r = subprocess.run([python, HERE / f"programs/t_{name}.py"], capture_output=True, text=True, env=env, timeout=300)
    except subprocess.TimeoutExpired:
        return "time-out\n"
    # Tracebacks name the folder the packages are in.
    text = (r.stdout + r.stderr).replace(str(pathlib.Path(python).parent.parent.resolve()), "ENVIRONMENT")
    return text + f"exit status {r.returncode}\n"


def passing(python, folder, name):
    """The tests of a package that pass."""
    report = folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("PYTHONPATH", None)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *SUITES[name]]
    subprocess.run(command, stdout=(folder / f"{name}.txt").open("w"), stderr=subprocess.STDOUT, env=env, cwd=folder)
    if not report.exists():
        return set()
    cases = xml.etree.ElementTree.parse(report).iter("testcase")
    return {(c.get("classname"), c.get("name")) for c in cases if not any(x.tag in ("failure", "error", "skipped") for x in c)}


def suites(folder, control, tested, names):
    rows, whole = [], True
    for python in (control, tested):
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:", *TEST_TOOLS], check=True)
    for name in names:
        want, got = passing(control, folder / "control", name), passing(tested, folder / "lancehead", name)
        both = len(want & got)
        share = 100 * both / len(want) if want else 0
        whole &= share >= 98
        what = " ".join(a for a in SUITES[name][1:-2] if a[0] != "-" and a != "not slow")
        print(f"{name:14}{both} of {len(want)} ({share:.2f} %)  {what} {PACKAGES[name]}", flush=True)
        for test in sorted(want - got)[:40]:
            print("    " + "::".join(test))
        rows.append(f"| {name} {PACKAGES[name]} | {what}: its own tests | {both} of {len(want)} pass ({share:.2f} %) |\n")
    return rows, whole


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    grouped = {n for members in GROUPS.values() for n in members}
    programs = [n for n in PACKAGES if n not in grouped] + [g for g in GROUPS if g not in PACKAGES or g in grouped]
    p.add_argument("--only", default=",".join(programs))
    p.add_argument("--suites", nargs="?", const=",".join(SUITES), help="run the packages' own tests")
    p.add_argument("--table", type=pathlib.Path, help="also write the results as a table")
    p.add_argument("--dir", default=ROOT / "target/wheels", type=pathlib.Path)
    a = p.parse_args()
    wanted = (a.suites or a.only).split(",")
    a.dir.mkdir(parents=True, exist_ok=True)
    together = [n for n in wanted if n not in APART]
    lancehead = pathlib.Path(a.lancehead).resolve()
    control, tested = make(PYTHON, a.dir / "control", together), make(lancehead, a.dir / "lancehead", together)
    if a.suites:
        rows, whole = suites(a.dir.resolve(), control, tested, wanted)
        if a.table and a.table.exists():
            # The rows of other runs stay.
            kept = [l for l in a.table.read_text().splitlines(True) if "its own tests" not in l]
            a.table.write_text("".join(kept + rows))
        return 0 if whole else 1
    failed, rows = 0, []
    for name in wanted:
        pair = control, tested
        if name in APART:
            pair = make(PYTHON, a.dir / name / "control", [name]), make(lancehead, a.dir / name / "lancehead", [name])
        want, got = (output(python, name) for python in pair)
        ok = want == got and want.endswith("exit status 0\n")
        failed += not ok
        result = "as python3.11" if ok else "differs"
        versions = ", ".join(f"{n} {PACKAGES[n]}" for n in needed(name))
        print(f"{name:14}{result:16}{versions}", flush=True)
        what = ast.get_docstring(ast.parse((HERE / f"programs/t_{name}.py").read_text())) or ""
        rows.append(f"| {versions} | {' '.join(what.split())} | {result} |\n")
        if not ok:
            sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), "python3.11", "lancehead", n=0))
    if a.table:
        a.table.write_text(HEAD + "".join(rows))
    print(f"wheels: {len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
