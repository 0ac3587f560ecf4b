# Nested loops and iteration of every kind in compiled code.
def triangle(n):
    c = 0
    for i in range(n):
        for j in range(i % 13):
            if j == 11:
                break
            c += i ^ j
        else:
            c += 1
    return c
print(triangle(3000))

def three(n):
    t = 0
    for i in range(n):
        for j in range(n):
            for k in range(3):
                t += i * j - k
    return t
print(three(60))

def whiles(n):
    t = i = 0
    while i < n:
        j = 0
        while j < i % 7:
            if j == 5:
                j += 2
                continue
            t += j
            j += 1
        i += 1
    return t
print(whiles(3000))

def matrix(n):
    a = [[i * j % 7 for j in range(n)] for i in range(n)]
    b = [[(i + j) % 5 for j in range(n)] for i in range(n)]
    c = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            s = 0
            for k in range(n):
                s += a[i][k] * b[k][j]
            c[i][j] = s
    return sum(map(sum, c))
print(matrix(25))

def kinds(n):
    t = 0
    words = {"a": 1, "b": 2, "c": 3}
    for i in range(n):
        for x in [1, 2, 3]:
            t += x
        for x in (4, 5):
            t += x
        for k in words:
            t += words[k]
        for k, v in words.items():
            t += v
        for i2, ch in enumerate("xyz"):
            t += i2 + ord(ch)
        for p, q in zip([1, 2], (3, 4)):
            t += p * q
        for s in {7}:
            t += s
        for b in b"ab":
            t += b
        for r in reversed([1, 2]):
            t -= r
        for m in map(abs, (-1, -2)):
            t += m
        for g in (y * 2 for y in range(3)):
            t += g
    return t
print(kinds(400))

def generator(n):
    for i in range(n):
        yield i
        if i % 100 == 99:
            yield -i
def over_generators(n):
    t = 0
    for i in range(n):
        for x in generator(i % 5):
            t += x
    for x in generator(3000):
        t += x
    return t
print(over_generators(500))

def failing(n):
    for i in range(n):
        if i == n - 3:
            raise KeyError(i)
        yield i
def iterator_raises():
    t = 0
    try:
        for x in failing(500):
            t += x
    except KeyError as e:
        return t, e.args
print(iterator_raises())

def grows():
    l = [1]
    for x in l:
        if len(l) < 900:
            l.append(x + 1)
    return len(l), l[-1]
print(grows())

def dict_changes():
    d = {i: i for i in range(500)}
    try:
        for k in d:
            if k == 400:
                d["new"] = 1
    except RuntimeError as e:
        return str(e), len(d)
print(dict_changes())

def first_binding(n):
    out = []
    for i in range(n):
        for j in range(2):
            last = i * j
        if i % 200 == 7:
            out.append(last)
            del last
    try:
        return out, last
    except UnboundLocalError as e:
        return out, str(e)
print(first_binding(808))

def unbound(n):
    for i in range(n):
        if i > n - 2:
            return never
        if i < 0:
            never = 1
try:
    unbound(600)
except UnboundLocalError as e:
    print(e)

def shared_iterator():
    it = iter(range(1000))
    pairs = 0
    for a in it:
        for b in it:
            pairs += a * b % 7
            if b % 3 == 0:
                break
    return pairs
print(shared_iterator())

def exhausted_stays():
    l = []
    it = iter(l)
    t = 0
    for i in range(300):
        for x in it:
            t += x
        l.append(i)
    return t, len(l)
print(exhausted_stays())

def withs(n):
    class C:
        def __init__(self): self.n = 0
        def __enter__(self): self.n += 1; return self
        def __exit__(self, *a): self.n += 10; return a[0] is ZeroDivisionError
    c = C()
    for i in range(n):
        with c as d:
            d.n += i // (i % 50)
    return c.n
print(withs(600))

def finally_(n):
    t = 0
    for i in range(n):
        try:
            if i % 90 == 89:
                raise IndexError
            t += 1
        except (KeyError, IndexError):
            t += 100
        finally:
            t += 2
    return t
print(finally_(500))

def building(n):
    t = 0
    for i in range(n):
        a, (b, *c) = i, (i + 1, i + 2, i + 3)
        d = {"i": i, **{"j": b}}
        s = {i, b, *c}
        u = [*c, a][1:3]
        f = f"{i:>4}{b!r}"
        t += len(d) + len(s) + sum(u) + len(f)
        e = lambda *args, **kw: len(args) + len(kw)
        t += e(*c, **d)
        match d:
            case {"i": int(x)} if x % 2:
                t += x
            case _:
                t -= 1
    return t
print(building(500))

total = 0
for i in range(700):
    for j in (1, 2):
        total += i * j
        name = str(total)
print(total, name)

class Body:
    acc = 0
    for i in range(300):
        acc += i
    print(acc)
