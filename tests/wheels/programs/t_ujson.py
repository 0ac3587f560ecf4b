"""The main job of ujson, with output that does not change."""
import ujson
d = {"a": [1, -2, 3.5, None, True, "ü</x>"], "n": {"k": 2 ** 60}}
print(ujson.dumps(d), ujson.dumps(d, ensure_ascii=False, indent=2, sort_keys=True))
print(ujson.loads('{"a": [1, 2.5, "x\\u00fc", null, true, 123456789012345678901234]}'))
class J:
    def __json__(self):
        return '{"own": 1}'
print(ujson.dumps([J()]))
for f, a in ((ujson.loads, "[1"), (ujson.dumps, object())):
    try:
        f(a)
    except Exception as e:
        print(type(e).__name__, str(e)[:20])
