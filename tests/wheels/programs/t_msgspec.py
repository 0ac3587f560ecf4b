"""The main job of msgspec, with output that does not change."""
import datetime, enum
from typing import Annotated, Optional, Union
import msgspec
class Color(enum.Enum):
    RED = "red"
class P(msgspec.Struct, order=True, frozen=True, tag="p"):
    x: int
    y: Annotated[float, msgspec.Meta(ge=0)] = 0.0
class U(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    full_name: str
    pts: list[P] = []
    when: Optional[datetime.datetime] = None
    color: Color = Color.RED
u = U(full_name="ada", pts=[P(1), P(2, 3.5)], when=datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc))
j = msgspec.json.encode(u)
print(j, msgspec.json.decode(j, type=U) == u, msgspec.msgpack.decode(msgspec.msgpack.encode(u), type=U), u)
print(P(1) < P(2), hash(P(1)) == hash(P(1)), msgspec.structs.asdict(P(1)), msgspec.to_builtins(u))
for bad in (b'{"fullName": 1}', b'{', b'{"fullName": "x", "pts": [{"type": "p", "x": 1, "y": -1}]}', b'{"fullName":"x","color":"blue"}'):
    try:
        msgspec.json.decode(bad, type=U)
    except (msgspec.ValidationError, msgspec.DecodeError) as e:
        print(type(e).__name__, e)
try:
    P(1).x = 3
except AttributeError as e:
    print(e)
print(msgspec.json.schema(P)["$defs"]["P"]["required"], msgspec.convert({"type": "p", "x": 5}, P), P.__match_args__)
try:
    P()
except TypeError as e:
    print(e)
