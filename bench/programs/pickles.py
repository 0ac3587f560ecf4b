"""Pickling and copying of nested data and instances."""
import copy
import pickle


class Node:
    def __init__(self, value, children):
        self.value = value
        self.children = children


def tree(depth):
    return Node(depth, [tree(depth - 1) for _ in range(3)] if depth else [])


def run():
    data = {"n": list(range(5000)), "s": ["t%d" % i for i in range(3000)], "f": [i / 3 for i in range(3000)],
            "t": [(i, str(i), None) for i in range(2000)], "d": {i: {"k": i} for i in range(1500)}}
    acc = 0
    for protocol in (2, 4):
        s = pickle.dumps(data, protocol)
        acc += len(pickle.loads(s)["n"])
    t = tree(5)
    acc += pickle.loads(pickle.dumps(t)).children[1].value
    acc += len(copy.deepcopy(data["d"])) + copy.deepcopy(t).value
    return acc
