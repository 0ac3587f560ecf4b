#!/usr/bin/env python3.11
"""The tools of the trade, pure-Python ones from the package index, run on python3.11 and on Lancehead and compared.

    run.py LANCEHEAD [--only pip,pytest] [--dir DIR] [--show]

Wheels for any platform are downloaded once into DIR and installed there; each job then runs on both with the same packages and must give the same
output, files and exit status. Times and places are taken out before the comparison. The job `pip` makes a virtual environment with each of the two
and installs wheels into it.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "python3.11"
PACKAGES = """pytest==9.2.0 iniconfig packaging pluggy pygments
coverage==7.17.5
black==26.10.1 click mypy_extensions pathspec platformdirs pytokens
mypy==1.14.1 typing_extensions
jinja2==3.1.6 flask==3.1.3 blinker itsdangerous werkzeug
requests==2.34.2 certifi charset_normalizer idna urllib3
sympy==1.14.0 mpmath
docutils==0.23
Cython==3.3.1""".split()
# Has no wheel for any platform: its source, without the extension module.
FROM_SOURCE = ["markupsafe==3.0.4"]


def sh(command, **kw):
    p = subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace", **kw)
    if p.returncode:
        sys.exit("%s failed:\n%s%s" % (" ".join(map(str, command)), p.stdout, p.stderr))
    return p.stdout


def prepare(place):
    wheels, site = place / "wheels", place / "site"
    if not (place / "ready").exists():
        wheels.mkdir(parents=True, exist_ok=True)
        pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "-q"]
        pure = ["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.11"]
        sh(pip + ["download", *pure, "--no-deps", "-d", wheels, *PACKAGES])
        sh(pip + ["install", "--no-deps", "--no-compile", "--target", site, *sorted(wheels.glob("*.whl"))])
        sources = place / "sources"
        sh(pip + ["download", "--no-deps", "--no-binary=:all:", "-d", sources, *FROM_SOURCE])
        for archive in sources.glob("*.tar.gz"):
            shutil.unpack_archive(archive, sources)
        for package in sources.glob("*/src/*"):
            if package.is_dir() and not package.name.endswith(".egg-info"):
                shutil.copytree(package, site / package.name, dirs_exist_ok=True)
        (place / "ready").touch()
    return wheels, site


def pip_job(interp, cwd, wheels):
    """A virtual environment, pip in it (from the installation's own bundled wheel), packages into it, what is there then."""
    out = []
    venv = cwd / "venv"
    steps = [[*interp, "-m", "venv", "--without-pip", str(venv)]]
    python = str(venv / "bin" / "python")
    if len(interp) > 1:
        python = [python, *interp[1:]]
    else:
        python = [python]
    run = ["-m", "pip", "--disable-pip-version-check"]
    steps += [
        [*python, "-c", "import sys; print(sys.prefix != sys.base_prefix)"],
        [*python, *run, "install", "-q", "--no-index", "--find-links", str(wheels), "flask", "--no-deps", "click", "pluggy"],
        [*python, *run, "list", "--format=freeze", "--path", str(venv / "lib" / "python3.11" / "site-packages")],
        [*python, *run, "show", "-f", "pluggy"],
        [*python, *run, "install", "--no-index", "no-such-package"],
        [*python, *run, "uninstall", "-y", "click"],
        [*python, *run, "check"],
    ]
    # pip itself is what the system has.
    pip = subprocess.run([PYTHON, "-c", "import pip, os; print(os.path.dirname(os.path.dirname(pip.__file__)))"],
                         capture_output=True, text=True).stdout.strip()
    env = dict(os.environ, PYTHONPATH=pip, PIP_NO_CACHE_DIR="1", PYTHONHASHSEED="0", NO_COLOR="1")
    for step in steps:
        p = subprocess.run(step, cwd=cwd, env=env, capture_output=True, text=True, errors="replace", timeout=600)
        out.append("$ %s\n%d\n%s%s" % (" ".join(step[1:]), p.returncode, p.stdout, p.stderr))
    # The executable's link has its name.
    own = {os.path.basename(interp[0]), "python3.11"}
    files = sorted(str(f.relative_to(venv)) for f in venv.rglob("*")
                   if "__pycache__" not in f.parts and not (f.parent.name == "bin" and f.name in own))
    return "\n".join(out + files)


TIMES = [
    (r"\d+\.\d+ ?s(econds)?\b", "Ts"),
    (r"in \d+\.\d+s", "in Ts"),
    (r"0x[0-9a-f]{4,}", "0xADDR"),
    (r"\d{2}:\d{2}:\d{2}([.,]\d+)?", "HH:MM:SS"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"=+ (.*Ts.*) =+", r"== \1 =="),
]


def normal(text, interp, *places):
    for p in sorted(map(str, places), key=len, reverse=True):
        text = text.replace(p, "DIR")
    text = text.replace(interp[0], "PYTHON")
    text = re.sub(r"(?<![\w/])%s -m" % re.escape(os.path.basename(interp[0])), "PYTHON -m", text)
    for pattern, to in TIMES:
        text = re.sub(pattern, to, text)
    return text


# Name: (arguments, files that are made and compared)
JOBS = {
    "unittest": (["-m", "unittest", "-v", "suite_unittest"], []),
    "pytest": (["-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--basetemp=made", "-v", "suite_pytest.py"], []),
    "coverage": (["-m", "coverage", "run", "--timid", "--branch", "covered.py"], []),
    "coverage-report": (["-m", "coverage", "report", "-m"], []),
    "black": (["-m", "black", "-q", "--diff", "ugly.py"], []),
    "black-check": (["-m", "black", "--check", "ugly.py", "covered.py"], []),
    "mypy": (["-m", "mypy", "--no-incremental", "--no-sqlite-cache", "--show-traceback", "typed.py"], []),
    "jinja2": (["use_jinja2.py"], []),
    "flask": (["use_flask.py"], []),
    "requests": (["use_requests.py"], []),
    "sympy": (["use_sympy.py"], []),
    "docutils": (["-m", "docutils", "--writer=html5", "--embed-stylesheet", "page.rst"], []),
    "docutils-latex": (["-m", "docutils", "--writer=latex", "page.rst"], []),
    "cython": (["use_cython.py", "large.pyx"], ["large.c"]),
}


def write_pyx(to):
    """A large .pyx: the same classes, functions and generators over and over, under other names."""
    text = (HERE / "programs" / "part.pyx").read_text()
    to.write_text("# cython: language_level=3\n" + "".join(text.replace("@", str(i)) for i in range(40)))


def run_job(name, interp, site, cwd):
    args, files = JOBS[name]
    env = dict(os.environ, PYTHONPATH=str(site), PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1", COLUMNS="100",
               COVERAGE_CORE="pytrace", BLACK_CACHE_DIR=str(cwd), BLACK_NUM_WORKERS="1", SOURCE_DATE_EPOCH="0", TZ="UTC")
    try:
        p = subprocess.run([*interp, *args], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           errors="replace", timeout=1800)
        out = "%d\n%s\n--- stderr\n%s" % (p.returncode, p.stdout, p.stderr)
    except subprocess.TimeoutExpired:
        out = "time-out"
    for f in files:
        path = cwd / f
        out += "\n--- %s\n%s" % (f, path.read_text(errors="replace") if path.exists() else "missing")
    return normal(out, interp, cwd, site)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lancehead")
    parser.add_argument("--only")
    parser.add_argument("--dir", default=os.path.join(tempfile.gettempdir(), "lancehead-tools"))
    parser.add_argument("--show", action="store_true", help="show the differences")
    args = parser.parse_args()
    import shlex
    ours = shlex.split(args.lancehead)
    ours[0] = os.path.abspath(ours[0])
    wheels, site = prepare(pathlib.Path(args.dir).resolve())
    names = args.only.split(",") if args.only else ["pip", *JOBS]
    failed = 0
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        places = [pathlib.Path(a).resolve() / "w", pathlib.Path(b).resolve() / "w"]
        for place in places:
            shutil.copytree(HERE / "programs", place)
            write_pyx(place / "large.pyx")
        for name in names:
            import time
            texts, seconds = [], []
            for interp, cwd in zip(([PYTHON], ours), places):
                began = time.perf_counter()
                if name == "pip":
                    text = normal(pip_job(interp, cwd, wheels), interp, cwd, wheels)
                else:
                    text = run_job(name, interp, site, cwd)
                texts.append(text)
                seconds.append(time.perf_counter() - began)
            same = texts[0] == texts[1]
            failed += not same
            print("%-16s %-8s python3.11 %6.1f s, lancehead %6.1f s" % (name, "equal" if same else "DIFFERS", *seconds), flush=True)
            if not same:
                diff = list(difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), "python3.11", "lancehead", lineterm="", n=1))
                for line in diff[: 200 if args.show else 12]:
                    print("    " + line[:200])
    print("%d jobs, %d differ" % (len(names), failed))
    sys.exit(failed != 0)


main()
