/* Stands between a process and the C library for the files of one directory: counts every call that
 * changes them, and on request dies before one, dies in the middle of one, or lets it fail. With a
 * log it also records every change with its bytes, so that a test can rebuild the directory as it was
 * at any moment. Loaded with LD_PRELOAD, driven through the functions crash_*.
 *
 * Kernel calls are made directly: no lookup of the functions that are replaced, nothing to recurse into.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* replay.py reads these numbers. */
enum { CREATE = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, MARK };
/* program.py arms with these. */
enum { OFF, DIE_BEFORE, DIE_WITHIN, FAIL_ONCE, FAIL_FROM };
enum { FILES = 4096, STATUS = 77 };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char directory[PATH_MAX];
static char *paths[FILES];
static int recording = -1;
static int mode, failure;
static long calls, moment;

/* Only files below this directory are watched. */
void crash_watch(const char *path) {
    snprintf(directory, sizeof directory, "%s", path);
}

void crash_arm(int how, long when, int number) {
    mode = how;
    moment = when;
    failure = number;
    calls = 0;
}

long crash_calls(void) {
    return calls;
}

void crash_record(const char *path) {
    recording = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void log_bytes(const void *data, size_t size) {
    while (size) {
        ssize_t n = syscall(SYS_write, recording, data, size);
        if (n <= 0)
            abort();
        data = (const char *)data + n;
        size -= n;
    }
}

static void record(int64_t what, const char *path, int64_t at, const void *data, int64_t size) {
    if (recording < 0)
        return;
    int64_t head[4] = {what, (int64_t)strlen(path), at, size};
    log_bytes(head, sizeof head);
    log_bytes(path, strlen(path));
    log_bytes(data, size);
}

/* Notes what the program has been told: a commit that was reported, say. */
void crash_mark(const char *text) {
    pthread_mutex_lock(&lock);
    record(MARK, text, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
}

static int watched(const char *path) {
    size_t length = strlen(directory);
    return length && !strncmp(path, directory, length) && (path[length] == '/' || !path[length]);
}

static const char *path_of(int fd) {
    return fd >= 0 && fd < FILES ? paths[fd] : NULL;
}

/* A change is about to be made: 0 make it, 1 make half of it and die, -1 fail. A full disk, FAIL_FROM, refuses what takes space. */
static int step(int takes_space) {
    long now = calls++;
    if (mode == OFF || (mode == FAIL_FROM ? now < moment || !takes_space : now != moment))
        return 0;
    if (mode == DIE_BEFORE)
        _exit(STATUS);
    if (mode == DIE_WITHIN)
        return 1;
    errno = failure;
    return -1;
}

/* Calls that have no half die before it. */
static int whole_step(int takes_space) {
    int how = step(takes_space);
    if (how == 1)
        _exit(STATUS);
    return how;
}

static int open_path(int at, const char *path, int flags, mode_t permissions) {
    /* The engine and SQLite name files by absolute paths. */
    if (path[0] != '/' || !watched(path))
        return syscall(SYS_openat, at, path, flags, permissions);
    pthread_mutex_lock(&lock);
    struct stat status;
    int exists = !stat(path, &status);
    int created = (flags & O_CREAT) && !exists, emptied = (flags & O_TRUNC) && exists;
    int fd = created || emptied ? whole_step(1) : 0;
    if (!fd) {
        fd = syscall(SYS_openat, at, path, flags, permissions);
        if (fd >= 0 && fd < FILES) {
            free(paths[fd]);
            paths[fd] = strdup(path);
        }
        if (fd >= 0 && (created || emptied))
            record(created ? CREATE : TRUNCATE, path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static mode_t permissions_of(int flags, va_list more) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...) {            \
        va_list more;                                       \
        va_start(more, flags);                              \
        mode_t permissions = permissions_of(flags, more);   \
        va_end(more);                                       \
        return open_path(AT_FDCWD, path, flags, permissions); \
    }
#define OPENAT(name)                                        \
    int name(int at, const char *path, int flags, ...) {    \
        va_list more;                                       \
        va_start(more, flags);                              \
        mode_t permissions = permissions_of(flags, more);   \
        va_end(more);                                       \
        return open_path(at, path, flags, permissions);     \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t permissions) {
    return open_path(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, permissions);
}

int close(int fd) {
    if (path_of(fd)) {
        pthread_mutex_lock(&lock);
        free(paths[fd]);
        paths[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t at, int positioned) {
    const char *path = path_of(fd);
    if (!path)
        return positioned ? syscall(SYS_pwrite64, fd, data, size, at) : syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    int how = step(1);
    ssize_t n = -1;
    if (how >= 0) {
        if (!positioned)
            at = syscall(SYS_lseek, fd, 0, SEEK_CUR);
        n = syscall(SYS_pwrite64, fd, data, how ? size / 2 : size, at);
        if (how)
            _exit(STATUS);
        if (n > 0) {
            record(WRITE, path, at, data, n);
            if (!positioned)
                syscall(SYS_lseek, fd, at + n, SEEK_SET);
        }
    }
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t write(int fd, const void *data, size_t size) {
    return write_at(fd, data, size, 0, 0);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return write_at(fd, data, size, at, 1);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
    return write_at(fd, data, size, at, 1);
}

/* A writer may give less than it was asked: the first part alone is enough. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!path_of(fd))
        return syscall(SYS_writev, fd, parts, count);
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len)
            return write_at(fd, parts[i].iov_base, parts[i].iov_len, 0, 0);
    return 0;
}

static int sync_file(int fd, long call) {
    const char *path = path_of(fd);
    if (!path)
        return syscall(call, fd);
    pthread_mutex_lock(&lock);
    int result = whole_step(0);
    if (!result) {
        result = syscall(call, fd);
        if (!result)
            record(SYNC, path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) {
    return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd) {
    return sync_file(fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t size) {
    const char *path = path_of(fd);
    if (!path)
        return syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int result = whole_step(1);
    if (!result) {
        result = syscall(SYS_ftruncate, fd, size);
        if (!result)
            record(TRUNCATE, path, size, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t size) {
    return ftruncate(fd, size);
}

int unlinkat(int at, const char *path, int flags) {
    if (path[0] != '/' || !watched(path))
        return syscall(SYS_unlinkat, at, path, flags);
    pthread_mutex_lock(&lock);
    int result = whole_step(0);
    if (!result) {
        result = syscall(SYS_unlinkat, at, path, flags);
        if (!result)
            record(UNLINK, path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    if (from[0] != '/' || !watched(from))
        return syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    pthread_mutex_lock(&lock);
    int result = whole_step(0);
    if (!result) {
        result = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
        if (!result)
            record(RENAME, from, 0, to, strlen(to));
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}
