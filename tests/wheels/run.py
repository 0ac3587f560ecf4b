"""Installs wheels from the package index into a virtual environment made by Lancehead, and runs one program for each package there
and in a virtual environment of python3.11 with the same versions.

    run.py LANCEHEAD [--only numpy,lxml] [--dir DIR]
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
}


def make(python, folder, wanted):
    """The environment's own interpreter, with the packages installed by its own pip."""
    own = folder / "bin/python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    command = [own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:"]
    subprocess.run(command + [f"{n}=={PACKAGES[n]}" for n in wanted], check=True)
    return own


def output(python, name):
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
    env.pop("PYTHONPATH", None)
    try:
        r = subprocess.run([python, HERE / f"programs/t_{name}.py"], capture_output=True, text=True, env=env, timeout=300)
    except subprocess.TimeoutExpired:
        return "time-out\n"
    return r.stdout + r.stderr + f"exit status {r.returncode}\n"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    p.add_argument("--only", default=",".join(PACKAGES))
    p.add_argument("--dir", default=ROOT / "target/wheels", type=pathlib.Path)
    a = p.parse_args()
    wanted = a.only.split(",")
    a.dir.mkdir(parents=True, exist_ok=True)
    control = make(PYTHON, a.dir / "control", wanted)
    tested = make(pathlib.Path(a.lancehead).resolve(), a.dir / "lancehead", wanted)
    failed = 0
    for name in wanted:
        want, got = output(control, name), output(tested, name)
        ok = want == got and want.endswith("exit status 0\n")
        failed += not ok
        print(f"{name:14}{PACKAGES[name]:10}{'as python3.11' if ok else 'differs'}", flush=True)
        if not ok:
            sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), "python3.11", "lancehead", n=0))
    print(f"wheels: {len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
