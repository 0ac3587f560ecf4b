/* Small functions for ctypes_calls.py, and the same loops in C through a function pointer. */
#include <stddef.h>
#include <time.h>

struct point {
    double x, y;
    int tag;
};
int add(int a, int b) { return a + b; }
double mul(double a, double b) { return a * b; }
size_t length(const char *s) {
    size_t n = 0;
    while (s[n]) n++;
    return n;
}
int tag(const struct point *p) { return p->tag; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}
double c_add(int n) {
    int (*volatile f)(int, int) = add;
    int s = 0;
    double t = now();
    for (int i = 0; i < n; i++) s = f(s & 0xFFFF, i);
    t = now() - t;
    return s == 12345 ? 0 : t / n;
}
double c_mul(int n) {
    double (*volatile f)(double, double) = mul;
    double s = 1;
    double t = now();
    for (int i = 0; i < n; i++) s = f(s, 1.0000001);
    t = now() - t;
    return s == 12345 ? 0 : t / n;
}
double c_length(int n) {
    size_t (*volatile f)(const char *) = length;
    size_t s = 0;
    double t = now();
    for (int i = 0; i < n; i++) s += f("native");
    t = now() - t;
    return s == 12345 ? 0 : t / n;
}
double c_tag(int n) {
    int (*volatile f)(const struct point *) = tag;
    struct point p = {1, 2, 3};
    int s = 0;
    double t = now();
    for (int i = 0; i < n; i++) s += f(&p);
    t = now() - t;
    return s == 12345 ? 0 : t / n;
}
