# Loops hot enough to be compiled, with exits, type changes, exceptions and calls.
def ints(n):
    s = 0
    for i in range(n):
        s += i * 3 - (i & 7) if i % 5 else -i
    return s
print(ints(20000))
def floats(n):
    x, y = 0.5, 1.0
    for i in range(n):
        x = x * 1.0001 + y / (i + 1)
        if x > 100: x -= 99.5
    return round(x, 9)
print(floats(20000))
def overflow():
    v = 1
    for i in range(200): v = v * 3 + 1
    return v
print(overflow())
def types_change(n):
    s = 0
    for i in range(n):
        if i == n // 2: s = float(s)
        if i == n * 3 // 4: s = int(s)
        s += 1
    return s
print(types_change(8000))
class P:
    def __init__(self, v): self.v = v
    def step(self, k): self.v += k; return self.v
def attrs(n):
    p, t = P(0), 0
    for i in range(n): t += p.step(i % 3)
    return t, p.v
print(attrs(9000))
def lists(n):
    l = [0] * 100
    for i in range(n): l[i % 100] += i
    return sum(l), l[7]
print(lists(20000))
def exc(n):
    c = 0
    for i in range(n):
        try:
            if i % 7 == 0: raise ValueError(i)
            c += 1
        except ValueError as e: c += e.args[0]
    return c
print(exc(5000))
G = 0
def globs(n):
    global G
    for i in range(n): G += i
    return G
print(globs(9000))
def nested(n):
    c = 0
    for i in range(n):
        for j in range(i % 13):
            if j == 11: break
            c += i ^ j
    return c
print(nested(3000))
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(20))
def strings(n):
    s, d = "", {}
    for i in range(n): s += chr(97 + i % 26); d[s[-3:]] = i
    return len(s), len(d), s[-5:]
print(strings(4000))
def gens(n): return sum(x * 2 for x in (y + 1 for y in range(n)) if x & 1)
print(gens(9000))
def whiles(n):
    a, b = n, 0
    while a: a, b = a - 1, b + (a if a & 1 else -a)
    return b
print(whiles(15000))
def poly(n):
    t = 0
    for o in [1, 2.5, True, 3] * (n // 4): t = t + o
    return t
print(poly(8000))
def rebind(n):
    r = []
    for i in range(n):
        if i == 3000: P.step = lambda self, k: -1
        if i % 1000 == 0: r.append(P(i).step(1))
    return r
print(rebind(6000))
def deleting(n):
    log = []
    class D:
        def __del__(self): log.append(1)
    for i in range(n): x = D(); x = None
    return len(log)
print(deleting(3000))
def calls(n):
    def k(a, b=2, *c, d=4): return a + b + len(c) + d
    t = 0
    for i in range(n): t += k(i) + k(i, 1) + k(1, 2, 3, d=i)
    return t
print(calls(4000))
try:
    (lambda n: [1 // (n - i) for i in range(n + 1)])(3000)
except ZeroDivisionError as e: print(e)


def until_found(keys, table):
    """Loops whose back edges ask for None."""
    found = None
    i = n = 0
    while found is None:
        found = table.get(keys[i])
        i += 1
    link = (0, None)
    for k in range(500):
        link = (k, link if k % 300 else None)
    while link is not None:
        n += link[0]
        link = link[1]
        while link is None:
            n += 1
            if n % 7 == 0:
                break
        else:
            n += 2
    return i, found, n


print(until_found(list(range(900)), {700: "x"}))
