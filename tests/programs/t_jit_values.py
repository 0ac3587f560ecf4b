"""Objects that compiled loops keep as numbers: floats overwritten in place, small ints, names that share one object."""
import sys
import threading
import time


class P:
    def __init__(self):
        self.x = 1.5
        self.n = 0


def in_place(n):
    a = [1.0, 2.0, 3.0]
    kept = []
    p = P()
    for i in range(n):
        if i % 50 == 0:
            kept.append(a[1])
            kept.append(p.x)
        a[0] = a[0] * 0.5 + i
        a[1] += a[0]
        a[2] = a[1]
        p.x = p.x + 0.25
        p.n += 1
    return a, kept[:6], p.x, p.n, a[1] is a[2]


print(in_place(300))
# Constants of the code are never written over.
def constant(n):
    a = [0.5] * 3
    for i in range(n):
        a[0] = a[0] + 1.0
        a[1] = 0.5
        a[1] += 1.0
        a[2] = 0.5
    return a


print(constant(200), constant(200))


def shared(n):
    x = y = 1000.5
    a = [x]
    for i in range(n):
        b = a[0]
        a[0] = b + 1.0
        if b == a[0]:
            return "overwritten"
        y = b
    return x, y, a


print(shared(300))


def ints(n):
    small = []
    for i in range(-n, n):
        k = i * 7
        small.append(k)
        if -5 <= k <= 256 and k is not sys.intern and small[-1] != k:
            return "?"
    return sum(small), small[0], small[-1], sum(1 for k in small if k is (k + 0)) >= 37


print(ints(200))
big = []
for e in range(60, 66):
    for i in range(40):
        big.append((1 << e) - i)
        big.append(-(1 << e) + i)
print(sum(big), len(set(big)))


def branches(n, step):
    s, t, last = 0, 0.0, None
    for i in range(n):
        if i % 3 == 0:
            s += i * step
        elif i % 7 == 0:
            t += 0.5
            last = i
        elif i % 11 == 5:
            last = t
        else:
            s -= 1
    return s, t, last


print(branches(3000, 1), branches(3000, 1 << 40), branches(300, 10**30))

total = 0
scale = 2


def world(n):
    global total
    for i in range(n):
        total += scale * i
    return total


print(world(300))
fresh_name = 1
scale = 3
print(world(300), world(300))
del fresh_name
print(world(300))


done = []


def watch():
    time.sleep(0.1)
    done.append(1)


def wait():
    threading.Thread(target=watch).start()
    n = 0
    while not done:
        n += 1
    return n > 0


print(wait())
