"""Escape times of the Mandelbrot set on a grid: float arithmetic in nested loops."""


def mandelbrot(w, h, limit):
    total = 0
    for py in range(h):
        y0 = 2.0 * py / h - 1.0
        for px in range(w):
            x0 = 3.0 * px / w - 2.0
            x = y = 0.0
            n = 0
            while x * x + y * y <= 4.0 and n < limit:
                x, y = x * x - y * y + x0, 2.0 * x * y + y0
                n += 1
            total += n
    return total


def run():
    return mandelbrot(240, 160, 80)
