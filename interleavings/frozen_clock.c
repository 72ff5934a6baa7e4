/* LD_PRELOAD: the clocks stand where the file FROZEN_CLOCK says: the clock of the day, s since 1970,
 * then CLOCK_MONOTONIC, s, by which the server adds to the time of day while it executes commands.
 * Where it says 0, they are those of the host. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double frozen_s(int monotonic) {
    static const volatile double *known;
    if (!known) {
        int fd = open(getenv("FROZEN_CLOCK"), O_RDONLY | O_CLOEXEC);
        void *place = mmap(NULL, 2 * sizeof *known, PROT_READ, MAP_SHARED, fd, 0);
        if (fd < 0 || place == MAP_FAILED) abort();
        close(fd);
        known = place;
    }
    return known[monotonic];
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    double now;
    int monotonic = clock == CLOCK_MONOTONIC;
    int ours = monotonic || clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (!ours || (now = frozen_s(monotonic)) == 0)
        return syscall(SYS_clock_gettime, clock, t);
    t->tv_sec = (long)now;
    /* Whole microseconds, which the server counts in. */
    t->tv_nsec = (long)((now - (long)now) * 1e6 + 0.5) * 1000;
    if (t->tv_nsec >= 1000000000) { t->tv_nsec -= 1000000000; t->tv_sec++; }
    return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (t && !clock_gettime(CLOCK_REALTIME, &now)) {
        t->tv_sec = now.tv_sec;
        t->tv_usec = now.tv_nsec / 1000;
    }
    return 0;
}

time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}

/* Without the rate of the processor's counter the server asks CLOCK_MONOTONIC. */
static FILE *opened(const char *name, const char *path, const char *mode) {
    if (!strcmp(path, "/proc/cpuinfo")) return NULL;
    return ((FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, name))(path, mode);
}

FILE *fopen(const char *path, const char *mode) { return opened("fopen", path, mode); }
FILE *fopen64(const char *path, const char *mode) { return opened("fopen64", path, mode); }
