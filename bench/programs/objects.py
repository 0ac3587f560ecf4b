"""Classes: attributes, methods, properties, slots, inheritance, operators."""


class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y

    def dot(self, other):
        return self.x * other.x + self.y * other.y

    @property
    def norm1(self):
        return abs(self.x) + abs(self.y)


class Account:
    __slots__ = ("owner", "balance")
    fee = 1

    def __init__(self, owner):
        self.owner = owner
        self.balance = 0

    def deposit(self, n):
        self.balance += n - self.fee
        return self

    @classmethod
    def make(cls, owner):
        return cls(owner)

    @staticmethod
    def double(n):
        return 2 * n


class Savings(Account):
    __slots__ = ("rate",)

    def __init__(self, owner):
        super().__init__(owner)
        self.rate = 2

    def deposit(self, n):
        return super().deposit(n + self.rate)


def run():
    v = Vector(0, 0)
    step = Vector(1, 2)
    acc = 0
    for i in range(9000):
        v = v + step
        acc += v.dot(step) + v.norm1
        if v == step:
            acc += 1
    accounts = [Savings.make("a"), Account.make("b")]
    for i in range(6000):
        for a in accounts:
            acc += a.deposit(Account.double(i)).balance & 7
    return acc
