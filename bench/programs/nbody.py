"""Five bodies under gravity: floats in lists, tuple unpacking."""
import math


def system():
    return [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47],
        [4.84, -1.16, -0.10, 0.606, 2.812, -0.02, 0.0377],
        [8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.0113],
        [12.89, -15.11, -0.22, 1.08, 0.868, -0.01, 0.0017],
        [15.37, -25.9, 0.179, 0.979, 0.594, -0.034, 0.002],
    ]


def advance(bodies, pairs, dt, n):
    for _ in range(n):
        for a, b in pairs:
            dx = a[0] - b[0]
            dy = a[1] - b[1]
            dz = a[2] - b[2]
            d2 = dx * dx + dy * dy + dz * dz
            mag = dt / (d2 * math.sqrt(d2))
            bm = b[6] * mag
            am = a[6] * mag
            a[3] -= dx * bm
            a[4] -= dy * bm
            a[5] -= dz * bm
            b[3] += dx * am
            b[4] += dy * am
            b[5] += dz * am
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


def run():
    bodies = system()
    pairs = [(bodies[i], bodies[j]) for i in range(5) for j in range(i + 1, 5)]
    advance(bodies, pairs, 0.01, 20000)
    return round(sum(b[0] for b in bodies), 6)
