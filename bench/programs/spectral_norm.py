"""Spectral norm by power iteration: float division, calls of a small function."""


def a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(v, n):
    out = []
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += a(i, j) * v[j]
        out.append(s)
    return out


def times_t(v, n):
    out = []
    for i in range(n):
        s = 0.0
        for j in range(n):
            s += a(j, i) * v[j]
        out.append(s)
    return out


def run():
    n = 150
    u = [1.0] * n
    v = u
    for _ in range(6):
        v = times_t(times(u, n), n)
        u = times_t(times(v, n), n)
    vbv = vv = 0.0
    for x, y in zip(u, v):
        vbv += x * y
        vv += y * y
    return round((vbv / vv) ** 0.5, 9)
