"""Broken init functions: the same errors as python3.11. With `debug` also functions that release what is not theirs."""
import importlib.machinery
import importlib.util
import sys

path = importlib.util.find_spec("c_wrong").origin


def load(name):
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    m = importlib.util.module_from_spec(spec)
    loader.exec_module(m)
    return m


for name in ("c_null", "c_error", "c_leftover", "c_other", "c_exec", "c_slot", "c_absent"):
    try:
        print(name, load(name))
    except BaseException as e:
        print(name, type(e).__name__, e, repr(e.__cause__))
