"""Sieve of Eratosthenes on a list of integers."""


def sieve(n):
    flags = [1] * (n + 1)
    flags[0] = flags[1] = 0
    i = 2
    while i * i <= n:
        if flags[i]:
            j = i * i
            while j <= n:
                flags[j] = 0
                j += i
        i += 1
    count = 0
    for f in flags:
        count += f
    return count


def run():
    return sieve(1500000)
