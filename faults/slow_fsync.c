/* LD_PRELOAD: every fdatasync takes SLOW_FSYNC_MS longer, as on a disk that is busy or worn. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd) {
    static int (*real)(int);
    const char *text = getenv("SLOW_FSYNC_MS");
    long ms = text ? atol(text) : 0;
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000};
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    nanosleep(&pause, NULL);
    return real(fd);
}
