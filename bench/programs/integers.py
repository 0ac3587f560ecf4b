"""Integers: division, bits, powers, big numbers, gcd, primes, a hash function."""


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def fnv(data):
    h = 0xcbf29ce484222325
    for b in data:
        h = ((h ^ b) * 0x100000001b3) & 0xffffffffffffffff
    return h


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def pi_digits(n):
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    out = []
    while len(out) < n:
        if 4 * q + r - t < m * t:
            out.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
    return out


def run():
    acc = sum(gcd(i, 360360) for i in range(1, 3000))
    acc += fnv(b"the quick brown fox" * 300) & 0xffff
    acc += sum(collatz(n) for n in range(1, 400))
    acc += sum(pi_digits(200))
    acc += pow(3, 1000, 10 ** 9 + 7) + (3 ** 2000) % 1000007 + len(str(7 ** 3000))
    state = 1
    for i in range(8000):
        state ^= state << 13 & 0xffffffff
        state ^= state >> 17
        state ^= state << 5 & 0xffffffff
        acc += state & 1
    return acc
