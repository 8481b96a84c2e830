#define _GNU_SOURCE
#include "clinux.h"
#include <arpa/inet.h>
#include <endian.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_add(int set, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_remove(int set, int fd) { return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL); }

int clinux_epoll_wait(int set, uint64_t *tags, int capacity, int milliseconds) {
    struct epoll_event events[256];
    int count = epoll_wait(set, events, capacity < 256 ? capacity : 256, milliseconds);
    for (int i = 0; i < count; i++) tags[i] = events[i].data.u64;
    return count;
}

int clinux_accept(int listener, struct clinux_address *peer) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address;
    socklen_t length = sizeof address;
    int fd = accept4(listener, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    *peer = (struct clinux_address){0};
    if (fd >= 0 && address.any.sa_family == AF_INET) {
        peer->low = UINT64_C(0xffff00000000) | ntohl(address.four.sin_addr.s_addr);
    } else if (fd >= 0 && address.any.sa_family == AF_INET6) {
        memcpy(peer, &address.six.sin6_addr, sizeof *peer);
        peer->high = be64toh(peer->high);
        peer->low = be64toh(peer->low);
    }
    return fd;
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

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
