"""Compiles a .pyx with Cython's compiler as Python code (its own extension modules are not there)."""
import sys

import Cython
import Cython.Compiler.Scanning
from Cython.Compiler.Main import CompilationOptions, compile

assert Cython.Compiler.Scanning.__file__.endswith(".py")
result = compile(sys.argv[1], CompilationOptions(language_level=3, emit_linenums=False), full_module_name="large")
print(Cython.__version__, result.num_errors)
