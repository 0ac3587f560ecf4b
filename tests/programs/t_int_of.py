"""int() and float() of every kind of object, and what they say of odd answers."""
import warnings
from decimal import Decimal
from fractions import Fraction


class Plain:
    def __int__(self):
        return 5


class Text:
    def __int__(self):
        return "x"

    def __float__(self):
        return "y"


class Index:
    def __index__(self):
        return 7


class Derived(int):
    pass


class Gives:
    def __int__(self):
        return Derived(3)

    def __float__(self):
        return type("F", (float,), {})(2)


class Overrides(int):
    def __int__(self):
        return 9


class Raises:
    def __int__(self):
        raise ValueError("no")


class Truncates:
    def __trunc__(self):
        return 4


values = [Plain(), Text(), Index(), Derived(8), Gives(), Overrides(2), Raises(), Truncates(), True, 2.5, Fraction(7, 2), Decimal("3.9"), 1 + 2j,
          "12", "x", b"5", bytearray(b"6"), None, [], float("inf"), 10**30, 1e30]
for value in values:
    for kind in int, float:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                answer = kind(value)
                print(kind.__name__, type(answer).__name__, answer)
            except Exception as e:
                print(kind.__name__, type(e).__name__, e)
        for w in seen:
            print(w.category.__name__, w.message)
total = 0
for i in range(2000):
    total += int(values[i % 2 * 2]) + int(Overrides(i))
print(total)
