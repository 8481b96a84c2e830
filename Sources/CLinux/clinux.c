#define _GNU_SOURCE
#include "clinux.h"
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

int clinux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
