# Integers, floats, complex numbers: arithmetic, conversion, formatting, errors.
import math

big = 2 ** 200 + 12345
print(big, -big, big * big, big // 7, big % 7, -big // 7, -big % 7, divmod(-big, 10 ** 20))
print(big >> 100, big << 3, big & 0xFFFF, big | 1, big ^ big, ~big, bin(255), hex(-255), oct(8))
print(pow(3, 1000, 1007), pow(3, -1, 7), 10 ** -2, 0 ** 0, int("123", 8), int("-0x1f", 16), int(" 42 "), int(3.99), int(-3.99))
for text in ("", "12a", "0x", "1__0", "9" * 5):
    try:
        print(int(text))
    except ValueError as e:
        print(e)
print(1 / 3, 2 / 3, 1e100, 1e-7, 1e16, 123456789012345680.0, 0.1 + 0.2, -0.0, float("inf"), float("-inf"), float("nan"))
print(7.5 // 2, -7.5 // 2, 7.5 % -2, divmod(-7.5, 2), 2.0 ** 0.5, round(2.5), round(3.5), round(2.675, 2), round(1234, -2))
print((0.1).as_integer_ratio(), (1.5).hex(), float.fromhex("0x1.8p+1"), (3.0).is_integer(), math.floor(-2.5), math.ceil(2.1))
print(format(1234567.891, ",.2f"), format(0.000123, "e"), format(255, "#x"), format(-5, "+05d"), format(12, "^10"), f"{3.14159:8.3f}|{1e10:g}|{42:b}")
print(3 + 4j, (1 + 2j) * (3 - 1j), abs(3 + 4j), complex("1+2j"), (2 + 1j) ** 2, 1j ** 2, (1 + 2j).conjugate(), -1j)
print(True + True, True & False, bool(""), bool([0]), isinstance(True, int), hash(2 ** 61 - 1), hash(1.0) == hash(1), hash(0.5))
print(1 < 2 < 3, 1 == 1.0, 2 ** 53 == float(2 ** 53), 2 ** 53 + 1 == float(2 ** 53), 10 ** 400 > 1e308)
for f in (lambda: 1 / 0, lambda: 1 % 0, lambda: 1.0 // 0, lambda: 2 ** 10000 * 1.0, lambda: 1 << -1, lambda: "a" + 1, lambda: 1 + "a",
          lambda: [] * 1.5, lambda: int("x"), lambda: math.sqrt(-1), lambda: math.factorial(-1), lambda: -"a", lambda: 3 @ 4, lambda: int([]),
          lambda: float("abc"), lambda: complex("x"), lambda: (1).__add__("x")):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
print((10).bit_length(), (10).bit_count(), (1000).to_bytes(2, "big"), int.from_bytes(b"\x01\x00", "little"), (-2).to_bytes(2, "little", signed=True))
print(math.gcd(12, 18), math.lcm(4, 6), math.isqrt(99), math.comb(10, 3), math.perm(5, 2), math.factorial(20), math.hypot(3, 4), math.fsum([0.1] * 10))
print(sum(range(101)), sum([0.1] * 3), sum([[1], [2]], []), min(3, 1, 2), max("abc", key=lambda c: -ord(c)), min([], default=7))
print(sorted([3, 1.5, True, -2]), [x / 2 for x in range(5)], sum(i * i for i in range(1000)))
# Functions that agree to the last bit.
import cmath
xs = [k / 7 - 6 for k in range(90)] + [k * 1.37 for k in range(1, 130)] + [1e-300, -1e-5, 171.5, 1e17, -140.5, 180.25]
for f in (math.gamma, math.lgamma, math.cbrt, math.erf, math.exp2, math.expm1, math.log1p, math.asinh):
    total = []
    for x in xs:
        try:
            total.append(repr(f(x)))
        except (ValueError, OverflowError) as e:
            total.append(str(e))
    print(f.__name__, " ".join(total))
for f in (cmath.tan, cmath.tanh, cmath.phase, cmath.sqrt, cmath.asin, cmath.log):
    print(f.__name__, [f(complex(x, y)) for x, y in zip(xs[1:60], xs[70:])])
for z in (complex(1e300, 1e-300), complex(1, 5e-324)):
    try:
        print(cmath.phase(z))
    except OverflowError as e:
        print(e)
import operator, sys
print(operator.index(True), [sys.getsizeof(x) for x in ([1, 2, 3], list(range(10)), list("abcde"), list((1,)), [*range(7)])])
