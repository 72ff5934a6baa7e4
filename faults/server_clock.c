/* LD_PRELOAD: the clocks of a server show what the file SERVER_CLOCK says. Either they stand still, or
 * the clock of the day runs ahead and CLOCK_MONOTONIC is left. */
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

/* Seconds ahead; seconds gained in each one since a moment of CLOCK_MONOTONIC; that moment. Where the
 * clocks stand: that of the day, s since 1970, and CLOCK_MONOTONIC, s; 0: they do not. */
struct shown { double ahead_s, drift, since_s, day_s, monotonic_s; };

static const volatile struct shown *shown(void) {
    static const volatile struct shown *known;
    if (!known) {
        int fd = open(getenv("SERVER_CLOCK"), O_RDONLY | O_CLOEXEC);
        void *place = mmap(NULL, sizeof *known, PROT_READ, MAP_SHARED, fd, 0);
        if (fd < 0 || place == MAP_FAILED) abort();
        close(fd);
        known = place;
    }
    return known;
}

static double seconds(struct timespec t) { return t.tv_sec + t.tv_nsec / 1e9; }

static void add_s(struct timespec *t, double s) {
    long whole = (long)s;
    t->tv_sec += whole;
    /* Whole microseconds, which the server counts in. */
    t->tv_nsec += (long)((s - whole) * 1e6 + (s < 0 ? -0.5 : 0.5)) * 1000;
    if (t->tv_nsec < 0) { t->tv_nsec += 1000000000; t->tv_sec--; }
    if (t->tv_nsec >= 1000000000) { t->tv_nsec -= 1000000000; t->tv_sec++; }
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    int monotonic = clock == CLOCK_MONOTONIC;
    if (!monotonic && clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return syscall(SYS_clock_gettime, clock, t);
    double stands_s = monotonic ? shown()->monotonic_s : shown()->day_s;
    if (stands_s) {
        t->tv_sec = t->tv_nsec = 0;
        add_s(t, stands_s);
        return 0;
    }
    int failed = syscall(SYS_clock_gettime, clock, t);
    if (failed || monotonic) return failed;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    add_s(t, shown()->ahead_s + shown()->drift * (seconds(now) - shown()->since_s));
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
