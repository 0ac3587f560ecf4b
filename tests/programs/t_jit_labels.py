# A bridge into a loop whose invariants also lie in memory: exits behind the label see the bridge's values, not those of an earlier run.
class Base:
    def __init__(self):
        self.d = {}
        self.n = 0


def make(i):
    class Store(Base):
        def __setitem__(self, k, v):
            self.d[k] = v
            self.n += i

        def __getitem__(self, k):
            return self.d.get(k, 0) + i
    return Store


def update(d, pairs, more):
    for k, v in pairs:
        d[k] = v
    for k, v in more:
        d[k] = d[k] + v
    return d.n


classes = [make(i) for i in range(5)]
total = 0
pairs = [(k, ord(k)) for k in "abcdefgh"]
for r in range(40):
    for c in classes[:1 + r // 5]:
        for n in range(12):
            objects = [c() for _ in range(3)]
            for o in objects:
                total += update(o, pairs[:n % 8 + 1], pairs[:n % 5])
            assert all(type(o) is c and set(o.__dict__) == {"d", "n"} for o in objects)
            total += sum(sum(o.d.values()) for o in objects)
print(total)
# The iterator of the inner loop is given up by a bridge that never stores its position: nothing may be written to it after
# that, for the next range lies at its place.
def combinations(r, n):
    indices = list(range(r))
    found = 0
    while 1:
        found += 1
        for i in reversed(range(r)):
            if indices[i] != i + n - r:
                break
        else:
            return found
        indices[i] += 1
        for j in range(i + 1, r):
            indices[j] = indices[j - 1] + 1


for k in range(30):
    answers = [combinations(r, n) for n in range(2, 7) for r in range(n + 1)]
print(answers)
