"""pydantic and its core in Rust: models, validators that call back, schemas, errors."""
import enum
import typing

import pydantic


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Item(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    price: float = pydantic.Field(gt=0)
    tags: frozenset[str] = frozenset()
    colour: Colour = Colour.RED

    @pydantic.field_validator("name")
    @classmethod
    def title(cls, v):
        if v == "bad":
            raise ValueError("a bad name")
        return v.title()


class Order(pydantic.BaseModel):
    items: list[Item]
    note: typing.Optional[str] = None

    @pydantic.computed_field
    @property
    def total(self) -> float:
        return sum(i.price for i in self.items)


o = Order.model_validate({"items": [{"name": "ab", "price": "2.5", "tags": ["x"], "colour": "blue"}, {"name": "cd", "price": 3}]})
print(o, o.total)
print(o.model_dump())
print(o.model_dump_json(indent=1))
print(Order.model_validate_json('{"items": []}') == Order(items=[]))
for bad in ({"items": [{"name": "a", "price": -1}]}, {"items": [{"name": "bad", "price": 1}]}, {}, {"items": 3}):
    try:
        Order.model_validate(bad)
    except pydantic.ValidationError as e:
        print(e)
print(Order.model_json_schema())


@pydantic.validate_call
def f(a: int, *rest: float, k: bool = False):
    return a, rest, k


print(f("1", "2", k="yes"))
