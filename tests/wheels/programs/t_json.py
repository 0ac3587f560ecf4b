"""orjson, ujson, simplejson, rapidjson: documents there and back, callbacks and errors."""
import datetime
import decimal
import json

import orjson
import rapidjson
import simplejson
import ujson

doc = {"a": [1, 2.5, None, True, "\u00fc\U0001f600"], "b": {"c": -(2**53), "d": ""}, "e": [[], {}]}
for m in (orjson, ujson, simplejson, rapidjson):
    text = m.dumps(doc)
    print(m.__name__, m.loads(text) == doc, json.loads(text) == doc)
    for bad in ('{"a":', "[1,]", "nul", '"\\ud800'):
        try:
            print(m.loads(bad))
        except ValueError as e:
            print(type(e).__name__, e)


class Odd:
    pass


print(orjson.dumps({"d": datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "o": Odd()}, default=lambda o: "odd", option=orjson.OPT_SORT_KEYS))
try:
    orjson.dumps(Odd())
except TypeError as e:
    print(type(e).__name__, e)
print(simplejson.dumps({"x": decimal.Decimal("1.10"), "y": [1]}, use_decimal=True, indent=1))
print(simplejson.loads('{"a": 1.1}', use_decimal=True, object_pairs_hook=list))
print(ujson.dumps({"k": "</script>"}, escape_forward_slashes=False, indent=2))
print(rapidjson.dumps({"b": 1, "a": datetime.date(2020, 1, 2)}, sort_keys=True, datetime_mode=rapidjson.DM_ISO8601))
