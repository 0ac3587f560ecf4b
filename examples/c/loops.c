/* The same calls as the Python examples, in C: what a native call costs. Prints "@ name nanoseconds". */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static long calls;
static int counted(const void *a, const void *b) {
    calls++;
    return compare(a, b);
}

int main(void) {
    void *libz = dlopen("libz.so.1", RTLD_NOW), *libm = dlopen("libm.so.6", RTLD_NOW);
    if (libz) {
        unsigned long (*volatile crc)(unsigned long, const char *, unsigned) =
            (unsigned long (*)(unsigned long, const char *, unsigned))dlsym(libz, "crc32");
        static char data[64];
        unsigned long c = 0;
        int n = 2000000;
        double t = now();
        for (int i = 0; i < n; i++) c = crc(c, data, 64);
        printf("@ crc32(64 bytes) %.1f\n", (now() - t) / n);
        if (c == 1) puts("");
    }
    if (libm) {
        double (*volatile fcos)(double) = (double (*)(double))dlsym(libm, "cos");
        double (*volatile fpow)(double, double) = (double (*)(double, double))dlsym(libm, "pow");
        double s = 0, x = 0.5;
        int n = 1000000;
        double t = now();
        for (int i = 0; i < n; i++) s += fcos(x), x += 0.001;
        printf("@ libm cos %.1f\n", (now() - t) / n);
        x = 1;
        t = now();
        for (int i = 0; i < n; i++) s += fpow(x, 1.5), x += 0.0001;
        printf("@ libm pow %.1f\n", (now() - t) / n);
        if (s == 1) puts("");
    }
    int n = 50000, *v = malloc(n * sizeof *v);
    srand(7);
    for (int i = 0; i < n; i++) v[i] = rand() % 1000000;
    double t = now();
    qsort(v, n, sizeof *v, counted);
    printf("@ qsort callback %.1f\n", (now() - t) / calls);
    div_t (*volatile fdiv)(int, int) = div;
    long total = 0;
    n = 1000000;
    t = now();
    for (int i = 0; i < n; i++) {
        div_t d = fdiv(i, 7);
        total += d.quot * 7 + d.rem;
    }
    printf("@ div() by value %.1f\n", (now() - t) / n);
    return total == 1;
}
