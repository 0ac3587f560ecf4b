"""Compares the C API that the executable exports with CPython 3.11's.

    c_api.py LANCEHEAD            fails if a symbol that extension modules need is missing, or docs/c-api.md is out of date
    c_api.py LANCEHEAD --update   writes docs/c-api.md

`vm/capi/api.tsv` names every symbol of CPython 3.11's library: kind, header, whether it belongs to the stable ABI, and its tier:
1 the standard library's own modules, Cython and SWIG; 2 numpy, pandas, lxml, Pillow, cffi, PyYAML, cryptography, greenlet and the like;
3 other packages; T only CPython's own test modules; - nobody that was looked at.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIERS = {
    "1": "the standard library's modules, Cython, SWIG",
    "2": "common packages",
    "3": "further packages",
    "T": "CPython's test modules",
    "-": "no known user",
}
REQUIRED = ("1", "2", "3")


def table():
    lines = (ROOT / "vm/capi/api.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def exported(executable):
    """Name -> kind of each symbol that the executable defines for others."""
    text = subprocess.run(["nm", "-D", "--defined-only", executable], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        *_, kind, name = line.split()
        found[name.split("@")[0]] = "function" if kind in "TtWwi" else "data"
    return found


def document(rows, have):
    out = [
        "# The C API",
        "",
        "Written by `tests/c_api.py --update` from `vm/capi/api.tsv` and the executable's symbols; `make test` checks it.",
        "",
        "| needed by | symbols | there |",
        "|---|---|---|",
    ]
    for tier, what in TIERS.items():
        mine = [r for r in rows if r["tier"] == tier]
        out.append(f"| {what} | {len(mine)} | {sum(r['symbol'] in have for r in mine)} |")
    stable = [r for r in rows if r["stable"] == "yes"]
    out.append(f"| (the stable ABI) | {len(stable)} | {sum(r['symbol'] in have for r in stable)} |")
    out += [
        "",
        "A module that needs an absent symbol fails to import with an `ImportError` that names it. Present, but refused with an exception"
        " when called: starting"
        " a second runtime (`Py_InitializeFromConfig`).",
        "",
    ]
    for title, wanted in (("Absent", False), ("There", True)):
        out += [f"## {title}", ""]
        headers = {}
        for r in rows:
            if (r["symbol"] in have) is wanted:
                headers.setdefault(r["header"], []).append(r["symbol"])
        for header, names in sorted(headers.items(), key=lambda h: (h[0] == "-", h[0])):
            label = "in no header" if header == "-" else f"`{header}`"
            out.append(f"- {label}: " + " ".join(f"`{n}`" for n in names))
        out.append("")
    return "\n".join(out)


def panic(lancehead):
    """A panic below C code has to end as an exception, not the process."""
    program = """
import ctypes
f = ctypes.pythonapi._PyLancehead_Panic
f.restype = ctypes.py_object
try:
    f()
except SystemError as e:
    print(e)
"""
    r = subprocess.run([lancehead, "-c", program], capture_output=True, text=True)
    return r.stdout == "internal error: asked for\n" and r.returncode == 0


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lancehead")
    p.add_argument("--update", action="store_true")
    a = p.parse_args()
    rows, have = table(), exported(a.lancehead)
    missing = [r["symbol"] for r in rows if r["tier"] in REQUIRED and r["symbol"] not in have]
    wrong = [r["symbol"] for r in rows if have.get(r["symbol"], r["kind"]) != r["kind"]]
    page, text = ROOT / "docs/c-api.md", document(rows, have)
    if a.update:
        page.write_text(text)
    stale = not page.exists() or page.read_text() != text
    for what, names in (("missing", missing), ("data instead of function, or the other way round", wrong)):
        if names:
            print(f"C API, {what}: {' '.join(names)}")
    if stale:
        print("docs/c-api.md is out of date: run tests/c_api.py with --update")
    caught = panic(a.lancehead)
    if not caught:
        print("a panic does not become a SystemError")
    total = sum(r["tier"] in REQUIRED for r in rows)
    print(f"C API: {total - len(missing)} of {total} needed symbols, {sum(r['symbol'] in have for r in rows)} of {len(rows)} in all")
    return 1 if missing or wrong or stale or not caught else 0


if __name__ == "__main__":
    sys.exit(main())
