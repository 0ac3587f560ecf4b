"""Dictionaries and sets: counting, grouping, merging, set algebra."""
from collections import Counter, defaultdict


def run():
    words = ["w%d" % (i * 7919 % 977) for i in range(12000)]
    counts = {}
    for w in words:
        counts[w] = counts.get(w, 0) + 1
    for w in words:
        if w in counts:
            counts[w] += 1
        else:
            counts[w] = 1
    groups = defaultdict(list)
    for w in words:
        groups[len(w)].append(w)
    acc = sum(counts.values()) + len(groups) + sum(map(len, groups.values()))
    acc += sum(n for _, n in Counter(words).most_common(50))
    grid = {}
    for x in range(90):
        for y in range(90):
            grid[x, y] = x ^ y
    for (x, y), v in grid.items():
        acc += v if (y, x) in grid else 0
    a, b = set(words), {w + "x" for w in words} | set(words[:500])
    acc += len(a & b) + len(a | b) + len(a - b) + len(a ^ b)
    seen = set()
    for i in range(20000):
        k = i * 31 % 5003
        if k not in seen:
            seen.add(k)
    merged = {**counts, **{k: v for k, v in grid.items() if v}}
    for k in list(merged):
        if merged[k] % 2:
            del merged[k]
    return acc + len(seen) + len(merged)
