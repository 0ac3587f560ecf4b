"""Matrix product on lists of lists."""


def matmul(a, b, n):
    c = []
    for i in range(n):
        row = []
        ai = a[i]
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += ai[k] * b[k][j]
            row.append(s)
        c.append(row)
    return c


def run():
    n = 130
    a = [[(i * j % 7) * 1.0 for j in range(n)] for i in range(n)]
    b = [[(i + j) % 5 * 0.5 for j in range(n)] for i in range(n)]
    c = matmul(a, b, n)
    return sum(c[i][i] for i in range(n))
