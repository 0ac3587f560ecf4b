from __future__ import annotations

import dataclasses
from typing import Callable, Generic, Iterator, Literal, NamedTuple, Protocol, TypedDict, TypeVar, overload

T = TypeVar("T")


class Stack(Generic[T]):
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> None:
        self.items.append(item)

    def pop(self) -> T:
        return self.items.pop()


class Closes(Protocol):
    def close(self) -> None: ...


class Row(TypedDict, total=False):
    name: str
    size: int


class P(NamedTuple):
    x: int
    y: float = 1.0


@dataclasses.dataclass(frozen=True)
class D:
    a: int
    b: str = "x"


@overload
def f(x: int) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x):
    return x


def use(c: Closes) -> None:
    c.close()


def gen(n: int) -> Iterator[str]:
    for i in range(n):
        yield i


s = Stack[int]()
s.push("no")
reveal_type(s.pop())
reveal_type(f("a"))
row: Row = {"name": 1, "nope": 2}
use(3)
d = D(1)
d.a = 2
P("x").z
mode: Literal["r", "w"] = "q"
callback: Callable[[int], str] = lambda x: x + 1
x: int | None = None
x + 1
if x is not None:
    reveal_type(x)
def untyped(a):
    a.anything
    return undefined_name
class C(Stack[str]):
    def push(self, item: int) -> None: ...
