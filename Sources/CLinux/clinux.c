#define _GNU_SOURCE
#include "clinux.h"
#include <time.h>
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_add(int set, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_add_edge(int set, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_rearm(int set, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
}

int clinux_epoll_add_shared(int set, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_remove(int set, int fd) { return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL); }

int clinux_epoll_wait(int set, struct clinux_event *events, int capacity, int milliseconds) {
    struct epoll_event ready[256];
    int count = epoll_wait(set, ready, capacity < 256 ? capacity : 256, milliseconds);
    for (int i = 0; i < count; i++) {
        events[i].tag = ready[i].data.u64;
        events[i].ends = ready[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    }
    return count;
}

union socket_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static void read_address(const union socket_address *from, struct clinux_address *to) {
    *to = (struct clinux_address){0};
    if (from->any.sa_family == AF_INET) {
        to->low = UINT64_C(0xffff00000000) | ntohl(from->four.sin_addr.s_addr);
    } else if (from->any.sa_family == AF_INET6) {
        memcpy(to, &from->six.sin6_addr, sizeof *to);
        to->high = be64toh(to->high);
        to->low = be64toh(to->low);
    }
}

int clinux_accept(int listener, struct clinux_address *peer) {
    union socket_address address = {0};
    socklen_t length = sizeof address;
    int fd = accept4(listener, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    read_address(&address, peer);
    return fd;
}

long clinux_receive(int fd, void *bytes, size_t count) { return syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL); }

long clinux_send(int fd, const void *bytes, size_t count, int flags) {
    return syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
}

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int clinux_refuse_handshakes(int listener) {
    struct sock_filter drop_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),             // the flags of the TCP header
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),   // SYN
        BPF_STMT(BPF_RET | BPF_K, 0),                       // drop
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),              // keep
    };
    struct sock_fprog program = {.len = sizeof drop_syn / sizeof *drop_syn, .filter = drop_syn};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

// <linux/sched/types.h> has it, which the C library's <sched.h> collides with.
struct turns {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void clinux_take_short_turns(void) {
    struct turns turns = {.size = sizeof turns};
    if (syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0) != 0 || turns.policy != SCHED_OTHER) return;
    turns.runtime = 100000;
    syscall(SYS_sched_setattr, 0, &turns, 0);
}

void clinux_give_way(int steps) {
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, getpid());
    if (errno == 0) setpriority(PRIO_PROCESS, 0, nice + steps);
}

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_adopt_listener(int fd, struct clinux_address *bound, uint16_t *port) {
    int type = 0, listens = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return errno == ENOTSOCK ? 0 : -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return -1;
    union socket_address address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) != 0) return -1;
    int is_internet = address.any.sa_family == AF_INET || address.any.sa_family == AF_INET6;
    if (type != SOCK_STREAM || !listens || !is_internet) return 0;
    read_address(&address, bound);
    *port = ntohs(address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return -1;
    return 1;
}

int clinux_notify(const char *socket_path, const char *state) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(socket_path);
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, socket_path, length);
    if (address.sun_path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + length;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int error = errno;
    close(fd);
    errno = error;
    return sent < 0 ? -1 : 0;
}

int64_t clinux_monotonic_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int clinux_close_on_exec_from(int first) { return (int)syscall(SYS_close_range, first, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */); }

int clinux_close_from(int first) { return (int)syscall(SYS_close_range, first, ~0U, 0); }

static void *wait_for_the_others(void *others) {
    free(malloc(1)); // Has the thread choose its arena, as one that works would.
    pthread_rwlock_rdlock(others);
    pthread_rwlock_unlock(others);
    return NULL;
}

int clinux_rehearse_threads(int count) {
    pthread_rwlock_t others = PTHREAD_RWLOCK_INITIALIZER;
    pthread_t *threads = calloc(count, sizeof *threads);
    if (threads == NULL) return ENOMEM;
    int made = 0, error = 0;
    pthread_rwlock_wrlock(&others);
    while (made < count && (error = pthread_create(&threads[made], NULL, wait_for_the_others, &others)) == 0) made++;
    pthread_rwlock_unlock(&others);
    for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
    free(threads);
    return error;
}

void clinux_spare_address_space(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 2);
}

void clinux_end_at_crash(void) {
    static const int signals[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
}
