"""JSON written and read: nested records, unicode, numbers."""
import json


def run():
    data = {"items": [{"id": i, "name": "item %d" % i, "price": i * 1.25, "tags": ["a", "b\u00e9", None, True],
                       "nested": {"x": i, "y": [i, i + 1]}} for i in range(700)]}
    acc = 0
    for _ in range(3):
        s = json.dumps(data)
        back = json.loads(s)
        acc += len(s) + len(back["items"])
    acc += len(json.dumps(data, indent=2, sort_keys=True))
    return acc
