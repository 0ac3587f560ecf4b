"""The main job of simplejson, with output that does not change."""
import collections, decimal
import simplejson
from simplejson import encoder, scanner
print(bool(encoder.c_make_encoder), bool(scanner.c_make_scanner))
P = collections.namedtuple("P", "x y")
d = {"a": [1, 2.5, None, True, "ü\n"], "p": P(1, 2), "d": decimal.Decimal("1.10"), 3: "k"}
print(simplejson.dumps(d, sort_keys=False), simplejson.dumps(d, indent="  ", namedtuple_as_object=False))
print(simplejson.loads('{"a": 1.10, "b": [1, {"c": null}]}', use_decimal=True, object_pairs_hook=list))
class J:
    def for_json(self):
        return ["own"]
print(simplejson.dumps([J()], for_json=True))
for bad in ("[1", '{"a" 1}', '"\\x"', ""):
    try:
        simplejson.loads(bad)
    except simplejson.JSONDecodeError as e:
        print(e, e.pos)
try:
    simplejson.dumps(object)
except TypeError as e:
    print(e)
