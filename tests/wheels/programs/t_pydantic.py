"""The main job of pydantic and pydantic-core, with output that does not change."""
import datetime
from typing import Annotated, Literal, Optional, Union
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator, TypeAdapter, computed_field
class Address(BaseModel):
    street: str
    number: Annotated[int, Field(gt=0)] = 1
class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9
class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []
class User(BaseModel):
    id: int
    name: str = Field(min_length=2, alias="fullName")
    born: Optional[datetime.date] = None
    homes: list[Address] = []
    pet: Union[Cat, Dog, None] = Field(None, discriminator="kind")
    @field_validator("name")
    @classmethod
    def title(cls, v):
        if v == "bad":
            raise ValueError("no bad names")
        return v.title()
    @computed_field
    @property
    def initial(self) -> str:
        return self.name[0]
    @model_validator(mode="after")
    def check(self):
        assert self.id != 13, "unlucky"
        return self
u = User.model_validate({"id": "12", "fullName": "ada love", "born": "1815-12-10", "homes": [{"street": "x", "number": "3"}], "pet": {"kind": "dog", "tricks": ["sit"]}})
print(repr(u), u.model_dump(), u.model_dump_json(by_alias=True))
for bad in ({}, {"id": "x", "fullName": "bad"}, {"id": 13, "fullName": "ok"}, {"id": 1, "fullName": "ok", "homes": [{"street": 1, "number": -1}], "pet": {"kind": "cow"}}):
    try:
        User.model_validate(bad)
    except ValidationError as e:
        print(e.error_count(), [(x["type"], x["loc"], x["msg"]) for x in e.errors()])
print(User.model_json_schema()["required"])
print(TypeAdapter(dict[str, tuple[int, float]]).validate_json('{"a": [1, 2]}'))
print(u.model_copy(update={"id": 5}) == u, u == User.model_validate_json(u.model_dump_json(by_alias=True)))
