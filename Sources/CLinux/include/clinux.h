// System calls that Swift's Glibc module does not carry, or not in this form: epoll(7), accept4(2), eventfd(2), memfd_create(2).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Creates an epoll set, closed on exec. Returns -1 and sets errno on failure.
int clinux_epoll_create(void);
/// Adds `fd` for reading, level-triggered; events carry `tag`.
int clinux_epoll_add(int set, int fd, uint64_t tag);
/// Adds a connection, edge-triggered: it is reported once for what has come, and again when more comes or its end does. What the reader
/// leaves in the socket is not reported again until `clinux_epoll_rearm`.
int clinux_epoll_add_edge(int set, int fd, uint64_t tag);
/// Reports a connection again if there is something to read, or as soon as there is.
int clinux_epoll_rearm(int set, int fd, uint64_t tag);
/// The same as `clinux_epoll_add` for a listening socket that other sets watch too: a connection wakes one of them or a few, not all (EPOLLEXCLUSIVE).
int clinux_epoll_add_shared(int set, int fd, uint64_t tag);
/// Takes `fd` out of the set.
int clinux_epoll_remove(int set, int fd);
/// A descriptor that is ready.
struct clinux_event {
    /// As it was added with.
    uint64_t tag;
    /// The peer will send no more, or the connection is broken: the end comes after what there is to read.
    bool ends;
};
/// Waits up to `milliseconds` (-1: for ever) and writes what is ready. Returns the count of events, or -1 and errno.
int clinux_epoll_wait(int set, struct clinux_event *events, int capacity, int milliseconds);
/// An IPv6 address in host byte order; IPv4 as ::ffff:a.b.c.d; zero for other families.
struct clinux_address {
    uint64_t high, low;
};
/// Accepts one connection, non-blocking and closed on exec, and writes the peer's address.
int clinux_accept(int listener, struct clinux_address *peer);
/// recv(2) and send(2) that are no cancellation points of pthreads(7): in a process of several threads the C library pays two atomic
/// operations around each call for being one.
long clinux_receive(int fd, void *bytes, size_t count);
long clinux_send(int fd, const void *bytes, size_t count, int flags);
/// Drops every SYN that comes to a listening socket from now on, by a socket filter; handshakes under way go on. Needs no privilege.
int clinux_refuse_handshakes(int listener);
/// Takes over a listening TCP socket: makes it non-blocking and closed on exec, and tells its address and port.
/// Returns 0 when `fd` is no such socket, and -1 and errno on failure.
int clinux_adopt_listener(int fd, struct clinux_address *bound, uint16_t *port);
/// Sends one datagram to the socket of the service manager (sd_notify(3)); a leading @ is an abstract name. Returns -1 and sets errno on failure.
int clinux_notify(const char *socket_path, const char *state);
/// Microseconds of CLOCK_MONOTONIC, which sd_notify(3) asks for.
int64_t clinux_monotonic_microseconds(void);
/// Names the calling thread for `top -H`; at most 15 bytes.
void clinux_name_thread(const char *name);
/// The calling thread is to run as soon as it has something to do, and gives way as soon again: it asks for turns of 100 µs (sched_setattr(2),
/// Linux 6.12; without effect before). Its share of the processor stays what it is. Without effect too under another policy than SCHED_OTHER.
void clinux_take_short_turns(void);
/// Lowers the calling thread's priority by `steps` of nice(2) below the process's.
void clinux_give_way(int steps);
/// An eventfd for waking an epoll set; non-blocking, closed on exec.
int clinux_eventfd(void);
/// A file without a name that lives in memory, closed on exec (memfd_create(2)). Returns -1 and sets errno on failure.
int clinux_memory_file(const char *name);
/// Sets close-on-exec on all descriptors from `first` on (close_range(2), Linux 5.11). Returns -1 and sets errno on failure.
int clinux_close_on_exec_from(int first);
/// Closes every descriptor from `first` on (close_range(2)): for the end of a process one of whose threads cannot end.
int clinux_close_from(int first);
/// Starts `count` threads with stacks and arenas of malloc as usual, and ends them when all have run. What they got stays with the C library
/// for later ones. Returns 0, or the error of pthread_create(3).
int clinux_rehearse_threads(int count);
/// Where the address space is limited (`RLIMIT_AS`), malloc makes two arenas only, which reserve 64 MiB each, instead of eight a core.
void clinux_spare_address_space(void);
/// Signals of a crash end the process at once, as without anybody's handlers.
void clinux_end_at_crash(void);
