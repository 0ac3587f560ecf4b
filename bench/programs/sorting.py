"""Sorting: numbers, strings, keys, tuples, heaps, bisection."""
import bisect
import heapq


def quicksort(a):
    if len(a) < 2:
        return a
    p = a[len(a) // 2]
    return quicksort([x for x in a if x < p]) + [x for x in a if x == p] + quicksort([x for x in a if x > p])


def run():
    seed, nums = 12345, []
    for _ in range(12000):
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        nums.append(seed)
    a = sorted(nums)
    names = sorted("n%d" % n for n in nums)
    by_key = sorted(nums, key=lambda n: (n % 100, -n))
    floats = sorted([n / 3.0 for n in nums], reverse=True)
    pairs = sorted((n % 50, n) for n in nums)
    b = quicksort(nums[:4000])
    heap = []
    for n in nums[:4000]:
        heapq.heappush(heap, n)
    top = [heapq.heappop(heap) for _ in range(1000)]
    acc = sum(bisect.bisect(a, n) for n in nums[:4000])
    return acc + a[5] + len(names[7]) + by_key[9] + int(floats[3]) + pairs[11][1] + b[13] + top[17]
