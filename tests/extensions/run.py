"""Builds extension modules with the machine's Python 3.11 headers and runs each driver on python3.11 and on Lancehead.

    run.py LANCEHEAD [--only c,cython,...] [--build DIR]

The same shared objects are loaded by both. Cython, pybind11 and nanobind come from the package index and are kept in DIR
(target/extensions); without them their parts are skipped, which is said.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
INCLUDE = "/usr/include/python3.11"
SUFFIX = ".cpython-311-x86_64-linux-gnu.so"
TOOLS = ["Cython==3.3.1", "pybind11==3.1.0", "nanobind==3.1.0"]


class Missing(Exception):
    """A tool that is not on the machine."""


def run(*command, **kw):
    r = subprocess.run([str(c) for c in command], capture_output=True, text=True, **kw)
    if r.returncode:
        sys.exit(f"extensions: {' '.join(map(str, command))} failed:\n{r.stdout}{r.stderr}")
    return r.stdout


def newer(target, *sources):
    return target.exists() and all(target.stat().st_mtime >= pathlib.Path(s).stat().st_mtime for s in sources)


def compile_shared(build, name, source, *flags, compiler="gcc"):
    out = build / (name + SUFFIX)
    if not newer(out, source):
        run(compiler, "-O1", "-shared", "-fPIC", "-w", f"-I{INCLUDE}", *flags, source, "-o", out)


def tools(build):
    """A folder with the generators of Python code, or `Missing`."""
    folder = build / "tools"
    if not (folder / "complete").exists():
        r = subprocess.run([PYTHON, "-m", "pip", "install", "-q", "--only-binary=:all:", "--target", folder, *TOOLS], capture_output=True, text=True)
        if r.returncode:
            raise Missing(f"pip could not install {' '.join(TOOLS)}: {(r.stderr.strip().splitlines() or ['?'])[-1]}")
        (folder / "complete").touch()
    return folder


def build_c(build):
    compile_shared(build, "c_types", HERE / "c/c_types.c")
    compile_shared(build, "c_wrong", HERE / "c/c_wrong.c")
    compile_shared(build, "c_hooks", HERE / "c/c_hooks.c")
    compile_shared(build, "c_args", HERE / "c/c_args.c")
    compile_shared(build, "c_slots", HERE / "c/c_slots.c")
    compile_shared(build, "c_careless", HERE / "c/c_careless.c")
    compile_shared(build, "c_trash", HERE / "c/c_trash.c")
    compile_shared(build, "c_elide", HERE / "c/c_elide.c")
    compile_shared(build, "c_embed", HERE / "c/c_embed.c")
    compile_shared(build, "c_interp", HERE / "c/c_interp.c")
    compile_shared(build, "c_frames", HERE / "c/c_frames.c")
    compile_shared(build, "c_broken", HERE / "c/c_broken.c", "-w")
    compile_shared(build, "c_life", HERE / "c/c_life.c")
    compile_shared(build, "c_exit", HERE / "c/c_exit.c")


def build_cpp(build):
    compile_shared(build, "cpp_sample", HERE / "cpp/cpp_sample.cpp", "-std=c++17", "-pthread", compiler="g++")


def build_cython(build):
    source, generated = HERE / "cython/cy_sample.pyx", build / "cy_sample.c"
    folder = tools(build)
    if not newer(generated, source):
        run(PYTHON, "-m", "cython", "-3", source, "-o", generated, env={**os.environ, "PYTHONPATH": str(folder)})
    compile_shared(build, "cy_sample", generated)


def build_swig(build):
    if not shutil.which("swig"):
        raise Missing("swig is not installed")
    for name, flags in (("shapes_plain", []), ("shapes_builtin", ["-builtin"])):
        source, generated = build / f"{name}.i", build / f"{name}_wrap.cxx"
        if not newer(source, HERE / "swig/shapes.i"):
            source.write_text((HERE / "swig/shapes.i").read_text().replace("MODULE", name, 1))
        if not newer(generated, source):
            run("swig", "-c++", "-python", *flags, "-outdir", build, "-o", generated, source)
        compile_shared(build, "_" + name, generated, "-std=c++17", compiler="g++")


def build_pybind11(build):
    include = tools(build) / "pybind11/include"
    compile_shared(build, "pb_sample", HERE / "pybind11/pb_sample.cpp", "-std=c++17", "-fvisibility=hidden", f"-I{include}", compiler="g++")


def build_nanobind(build):
    folder = tools(build) / "nanobind"
    flags = ["-std=c++17", "-fvisibility=hidden", f"-I{folder}/include", f"-I{folder}/ext/robin_map/include", "-DNB_COMPACT_ASSERTIONS"]
    compile_shared(build, "nb_sample", HERE / "nanobind/nb_sample.cpp", *flags, folder / "src/nb_combined.cpp", compiler="g++")


PARTS = {"c": build_c, "cpp": build_cpp, "cython": build_cython, "swig": build_swig, "pybind11": build_pybind11, "nanobind": build_nanobind}


DRIVERS = {"c": ["use.py", "abstract.py", "wrong.py", "broken.py", "life.py", "hooks.py", "args.py", "slots.py", "careless.py", "testcapi.py", "trash.py", "elide.py", "embed.py", "interp.py", "frames.py", "exit.py"]}
MODES = ["on", "off", "stress"]


def output(python, build, script, *flags, **variables):
    env = {**os.environ, "PYTHONPATH": str(build), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", **variables}
    try:
        r = subprocess.run([python, *flags, str(script)], capture_output=True, text=True, env=env, timeout=120)
    except subprocess.TimeoutExpired:
        return "time-out"
    return r.stdout + r.stderr + f"exit status {r.returncode}\n"


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    p.add_argument("--only", help="some of " + ", ".join(PARTS))
    p.add_argument("--build", default=ROOT / "target/extensions", type=pathlib.Path)
    a = p.parse_args()
    a.build.mkdir(parents=True, exist_ok=True)
    failed = passed = 0
    for part, make in PARTS.items():
        if a.only and part not in a.only.split(","):
            continue
        try:
            make(a.build.resolve())
        except Missing as e:
            print(f"extensions: {part} skipped: {e}")
            continue
        for driver in DRIVERS.get(part, ["use.py"]):
            script = HERE / part / driver
            want = output(PYTHON, a.build.resolve(), script)
            if not want.endswith("exit status 0\n"):
                failed += 1
                print(f"extensions: {part}/{driver} fails on python3.11:\n{want}")
                continue
            for mode in MODES:
                got = output(a.lancehead, a.build.resolve(), script, "-X", "jit=" + mode)
                if want == got:
                    passed += 1
                    continue
                failed += 1
                print(f"extensions: {part}/{driver} with the JIT {mode} differs from python3.11:")
                sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), "python3.11", "lancehead", n=0))
    if not a.only or "c" in a.only.split(","):
        # Functions that release what is not theirs are named, and the program goes on.
        want = (HERE / "c/released.txt").read_text()
        got = output(a.lancehead, a.build.resolve(), HERE / "c/released.py", LANCEHEAD_CAPI="debug").replace(str(a.build.resolve()) + "/", "").replace(SUFFIX, "")
        got = re.sub("code at 0x[0-9a-f]+", "code at ...", got)
        passed, failed = passed + (got == want), failed + (got != want)
        if got != want:
            sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), "expected", "c/released.py", n=0))
    print(f"extensions: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
