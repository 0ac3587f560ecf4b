"""The main job of mypy (compiled with mypyc), with output that does not change."""
import pathlib, tempfile
import mypy.api, mypy.nodes
print(mypy.nodes.__file__.endswith(".so"))
d = tempfile.mkdtemp()
f = pathlib.Path(d, "subject.py")
f.write_text("""
from typing import Generic, TypeVar, Protocol
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, x: T) -> None:
        self.x = x
def f(a: int) -> str:
    return a
b: Box[int] = Box("x")
f("no")
reveal_type(Box([1]).x)
class P(Protocol):
    def go(self) -> int: ...
class Q:
    def go(self) -> str: return ""
def use(p: P) -> None: ...
use(Q())
""")
out, err, status = mypy.api.run([str(f), "--no-incremental", "--cache-dir=/dev/null"])
print(out.replace(d, ""), err, status)
