/* LD_PRELOAD: the clock of the day shows what the file SERVER_CLOCK says; CLOCK_MONOTONIC is left. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds ahead; seconds gained in each one since a moment of CLOCK_MONOTONIC; that moment. */
struct shift { double ahead_s, drift, since_s; };

static double seconds(struct timespec t) { return t.tv_sec + t.tv_nsec / 1e9; }

static double shift_s(void) {
    static const volatile struct shift *known;
    struct timespec now;
    if (!known) {
        int fd = open(getenv("SERVER_CLOCK"), O_RDONLY | O_CLOEXEC);
        void *place = mmap(NULL, sizeof *known, PROT_READ, MAP_SHARED, fd, 0);
        if (fd < 0 || place == MAP_FAILED) abort();
        close(fd);
        known = place;
    }
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return known->ahead_s + known->drift * (seconds(now) - known->since_s);
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    int failed = syscall(SYS_clock_gettime, clock, t);
    if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return failed;
    double shift = shift_s();
    long whole = (long)shift;
    t->tv_sec += whole;
    t->tv_nsec += (long)((shift - whole) * 1e9);
    if (t->tv_nsec < 0) { t->tv_nsec += 1000000000; t->tv_sec--; }
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
