"""Installs wheels from the package index into a virtual environment made by Lancehead, and runs one program for each package there
and in a virtual environment of python3.11 with the same versions.

    run.py LANCEHEAD [--only numpy,lxml] [--dir DIR] [--update]

`--update` writes the rows of what ran into docs/wheels.md and keeps the others.
"""

import argparse
import difflib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
# In the order of their demands; each has programs/t_NAME.py.
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
    # Further ones, of every kind of binding: C, Cython, mypyc, PyO3, pybind11, upb, cffi.
    "bcrypt": "5.0.0",
    "bitarray": "3.12.3",
    "black": "26.10.1",
    "cbor2": "6.3.0",
    "charset-normalizer": "3.5.3",
    "coverage": "7.17.5",
    "cytoolz": "1.2.0",
    "gevent": "26.9.0",
    "grpcio": "1.85.3",
    "h5py": "3.16.0",
    "httptools": "0.9.0",
    "httpx": "0.28.1",
    "immutables": "0.21",
    "kiwisolver": "1.5.1",
    "lupa": "2.8",
    "lz4": "4.4.5",
    "mmh3": "5.3.1",
    "msgspec": "0.22.0",
    "mypy": "2.4.1",
    "numexpr": "2.14.2",
    "orjson": "3.13.0",
    "pendulum": "3.3.0",
    "protobuf": "7.36.2",
    "pyahocorasick": "2.3.1",
    "pycryptodome": "4.4.0",
    "pydantic": "2.14.4",
    "pynacl": "1.6.2",
    "pyzmq": "27.3.0",
    "rapidfuzz": "3.14.6",
    "regex": "2026.11.19",
    "rpds-py": "2026.9.1",
    "shapely": "2.2.0",
    "simplejson": "4.3.0",
    "tokenizers": "0.23.3",
    "tornado": "6.6.1",
    "ujson": "6.1.0",
    "uvloop": "0.23.0",
    "websockets": "17.4",
    "wrapt": "2.5.2",
    "xxhash": "4.1.0",
    "yarl": "1.25.1",
    "zstandard": "0.25.0",
}
# What a program needs besides.
ALSO = {
    "h5py": "numpy==2.4.6",
    "kiwisolver": "contourpy==1.3.3 numpy==2.4.6",
    "mmh3": "ciso8601==2.4.1 brotli==1.2.1 setproctitle==1.3.8 cramjam==2.14.0 marisa-trie==1.4.1 pyroaring==1.2.0 python-rapidjson==1.25",
    "numexpr": "numpy==2.4.6",
    "pydantic": "pydantic-core==2.50.5",
    "shapely": "numpy==2.4.6",
    "tokenizers": "safetensors==0.8.0 numpy==2.4.6",
    "yarl": "multidict==7.2.1 frozenlist==1.8.0",
}
TABLE = ROOT / "docs/wheels.md"
HEAD = """# Wheels

Written by `tests/wheels/run.py --update`: wheels from the package index, installed by Lancehead's own pip into a virtual environment of
its own. Each row's program, `tests/wheels/programs/t_NAME.py`, does the package's main job, and its output and exit status are compared
with those under python3.11.

| package | version | also installed | result |
|---|---|---|---|
"""


def make(python, folder, wanted):
    """The environment's own interpreter, with the packages installed by its own pip."""
    own = folder / "bin/python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    command = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
    names = {f"{n}=={PACKAGES[n]}" for n in wanted} | {a for n in wanted for a in ALSO.get(n, "").split()}
    subprocess.run(command + sorted(names), check=True)
    return own


def output(python, name):
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
    env.pop("PYTHONPATH", None)
    try:
        r = subprocess.run([python, HERE / f"programs/t_{name}.py"], capture_output=True, text=True, env=env, timeout=300)
    except subprocess.TimeoutExpired:
        return "time-out\n"
    return r.stdout + r.stderr + f"exit status {r.returncode}\n"


def update(results):
    rows = {}
    if TABLE.exists():
        for line in TABLE.read_text().splitlines()[len(HEAD.splitlines()):]:
            rows[line.split("|")[1].strip()] = line
    for name, ok in results.items():
        also = ALSO.get(name, "").replace("==", " ").replace(" ", "\0").split("\0")
        also = ", ".join(" ".join(also[i:i + 2]) for i in range(0, len(also), 2))
        rows[name] = f"| {name} | {PACKAGES[name]} | {also} | {'as python3.11' if ok else 'differs'} |"
    TABLE.write_text(HEAD + "".join(rows[n] + "\n" for n in PACKAGES if n in rows))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    p.add_argument("--only", default=",".join(PACKAGES))
    p.add_argument("--dir", default=ROOT / "target/wheels", type=pathlib.Path)
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    wanted = a.only.split(",")
    a.dir.mkdir(parents=True, exist_ok=True)
    control = make(PYTHON, a.dir / "control", wanted)
    tested = make(pathlib.Path(a.lancehead).resolve(), a.dir / "lancehead", wanted)
    failed, results = 0, {}
    for name in wanted:
        want, got = output(control, name), output(tested, name)
        ok = want == got and want.endswith("exit status 0\n")
        failed += not ok
        results[name] = ok
        print(f"{name:20}{PACKAGES[name]:12}{'as python3.11' if ok else 'differs'}", flush=True)
        if not ok:
            sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), "python3.11", "lancehead", n=0))
    if a.update:
        update(results)
    print(f"wheels: {len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
