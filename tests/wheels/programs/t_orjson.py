"""The main job of orjson, with output that does not change."""
import dataclasses, datetime, enum, uuid
import orjson
@dataclasses.dataclass
class P:
    x: int
    y: float = 2.5
class C(enum.Enum):
    RED = "red"
d = {"a": [1, -2, 3.5, None, True, "ü"], "p": P(1), "d": datetime.datetime(2020, 1, 2, 3, 4, 5), "e": C.RED, "u": uuid.UUID(int=5)}
s = orjson.dumps(d)
print(s, orjson.loads(s))
print(orjson.dumps({"b": 1, "a": 2}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode())
for bad in ("{", "[1,]", "nul"):
    try:
        orjson.loads(bad)
    except orjson.JSONDecodeError as e:
        print(type(e).__mro__[1].__name__, e)
try:
    orjson.dumps({1: object()})
except TypeError as e:
    print(type(e).__name__, e)
print(orjson.dumps(object, default=lambda o: repr(o)))
