// Opens connections of all kinds to a balancer, many at once, and checks that each answer is the one to its own request.
//   cc -O2 connections.c -o connections;  ./connections PORT COUNT [SEED [AT-ONCE]]          random mixes
//                                         ./connections PORT COUNT requests PER-CONNECTION DEPTH   one client, DEPTH pipelined
// Every request has a path of its own, which its Location must repeat. The balancer's head and idle timeouts are 1 s.
// Prints what it counted as NAME NUMBER lines; exits 1 when an answer was wrong or missing.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind {
    ONE,          // a plain request that closes
    KEPT,         // several requests, one after the other, then the client closes
    PIPELINED,    // several requests at once
    IN_PIECES,    // a head in two writes: handed over
    UNUSUAL,      // HTTP/1.0 or a JSON answer: handed over
    MIXED,        // plain ones, then half a head, then the rest: handed over in the middle
    HALF_CLOSED,  // the client ends its side after its requests
    RESET,        // a request, then a reset before or after the answer
    MUTE,         // connects and goes
    SLOW,         // half a head: 408 at the deadline
    IDLE,         // idle after an answer until it is closed
    SWEPT,        // the next request comes when the sweep does: an answer, or the end
    KINDS
};
static const int shares[KINDS] = {20, 14, 12, 10, 8, 8, 8, 12, 4, 1, 1, 2};

struct connection {
    int fd;
    enum kind kind;
    int sent, answered, wanted, half, got_bytes;
    uint64_t id;
    double due;  // when the client does its next step; 0 is never
    char in[8192];
    size_t length;
};

static uint64_t seed = 1488, next_id;
static long opened, answers, timeouts, wrong, missing, unexpected, swept, steps;
static struct sockaddr_in address;
static int set;

static uint64_t number(uint64_t bound) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t word = seed;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return (word ^ (word >> 31)) % bound;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void say(const char *what, struct connection *c) {
    if (wrong + missing + unexpected < 10)
        fprintf(stderr, "connection %lu, kind %d, answer %d of %d: %s: %.*s\n", c->id, c->kind, c->answered + 1, c->wanted, what,
                (int)strcspn(c->in, "\r"), c->in);
}

static int request(char *out, struct connection *c, int closes) {
    int index = c->sent++;
    if (c->kind == UNUSUAL && c->id % 2)
        return sprintf(out, "GET /s1/u/%lu-%d HTTP/1.0\r\nHost: b\r\nConnection: %s\r\n\r\n", c->id, index, closes ? "close" : "keep-alive");
    return sprintf(out, "GET /?video=http://s1.origin-cluster/u/%lu-%d HTTP/1.1\r\nHost: b\r\n%s%s\r\n", c->id, index,
                   c->kind == UNUSUAL ? "Accept: application/json\r\n" : "", closes ? "Connection: close\r\n" : "");
}

static void put(struct connection *c, const char *bytes, int length) {
    steps++;
    if (send(c->fd, bytes, length, MSG_NOSIGNAL) != length && c->kind != SWEPT && c->kind != SLOW && c->kind != RESET) {
        say(strerror(errno), c);
        missing++;
    }
}

static void end(struct connection *c, int with_reset) {
    if (with_reset) {
        struct linger now = {1, 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(c->fd);
    c->fd = -1;
}

static int open_socket(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval limit = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    // Many client addresses, so that ports do not run out.
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + opened++ % 64)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (fd < 0 || bind(fd, (void *)&own, sizeof own) || connect(fd, (void *)&address, sizeof address)) {
        perror("connect");
        exit(2);
    }
    return fd;
}

static void begin(struct connection *c) {
    char text[2048];
    int length = 0, pick = number(100);
    *c = (struct connection){.id = next_id++};
    while (c->kind < KINDS - 1 && pick >= shares[c->kind]) pick -= shares[c->kind++];
    c->fd = open_socket();
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    epoll_ctl(set, EPOLL_CTL_ADD, c->fd, &event);
    switch (c->kind) {
    case ONE:
        c->wanted = 1;
        length = request(text, c, 1);
        break;
    case KEPT:
        c->wanted = 1 + number(4);
        length = request(text, c, 0);
        break;
    case PIPELINED:
    case HALF_CLOSED:
        c->wanted = 1 + number(5);
        while (c->sent < c->wanted) length += request(text + length, c, c->sent + 1 == c->wanted && c->id % 2);
        break;
    case IN_PIECES:
    case SLOW:
        c->wanted = 1;
        length = request(text, c, 0);
        c->half = 1 + number(length - 1);
        length = c->half;
        if (c->kind == IN_PIECES) c->due = now() + number(20) / 1000.0;
        break;
    case UNUSUAL:
        c->wanted = 2;
        length = request(text, c, 0);
        break;
    case MIXED:
        c->wanted = 3;
        while (c->sent < c->wanted - 1) length += request(text + length, c, 0);
        c->half = 1 + number(30);
        memcpy(text + length, "GET /?video=http://s1.origin-cluster/", c->half);
        length += c->half;
        c->due = now() + number(10) / 1000.0;
        break;
    case RESET:
        length = request(text, c, number(2));
        c->due = number(3) ? now() + number(3) / 1000.0 : now();
        break;
    case MUTE: c->due = now() + number(5) / 1000.0; break;
    case IDLE:
    case SWEPT:
        c->wanted = c->kind == IDLE ? 1 : 2;
        length = request(text, c, 0);
        break;
    default: break;
    }
    if (length) put(c, text, length);
    if (c->kind == HALF_CLOSED) shutdown(c->fd, SHUT_WR);
}

// The client's next step, when its time has come.
static void step(struct connection *c) {
    char text[512], *rest = text;
    int length;
    c->due = 0;
    switch (c->kind) {
    case IN_PIECES:
        c->sent = 0;
        length = request(text, c, 0);
        put(c, text + c->half, length - c->half);
        break;
    case MIXED:
        length = request(text, c, 1);
        put(c, rest + c->half, length - c->half);
        break;
    case RESET: end(c, 1); break;
    case MUTE: end(c, c->id % 2); break;
    case SWEPT:
        length = request(text, c, 0);
        put(c, text, length);
        break;
    default: break;
    }
}

// Takes whole answers off the front; each must be the one that is due.
static void take(struct connection *c) {
    char *head_end;
    while (c->fd >= 0 && (c->in[c->length] = 0, head_end = strstr(c->in, "\r\n\r\n"))) {
        char *length_field = strstr(c->in, "Content-Length: ");
        size_t whole = head_end + 4 - c->in + (length_field && length_field < head_end ? strtoul(length_field + 16, NULL, 10) : 0);
        if (c->length < whole) return;
        char path[64], *location = strstr(c->in, "\r\nLocation: ");
        int size = sprintf(path, "/u/%lu-%d\r\n", c->id, c->answered);
        if (c->kind == SLOW && strncmp(c->in, "HTTP/1.1 408", 12) == 0) {
            timeouts++;
        } else if (strncmp(c->in, "HTTP/1.1 301", 12) || !location || location > head_end || c->answered >= c->wanted + (c->kind == RESET)) {
            say("unexpected", c);
            unexpected++;
        } else {
            char *line_end = strstr(location + 2, "\r\n");
            if (line_end + 2 - location < size || strncmp(line_end + 2 - size, path, size)) {
                say("the answer to another request", c);
                wrong++;
            }
            answers++;
        }
        c->answered++;
        memmove(c->in, c->in + whole, c->length -= whole);
        if (c->answered < c->wanted && c->answered == c->sent && (c->kind == KEPT || c->kind == UNUSUAL)) {
            char text[512];
            put(c, text, request(text, c, c->answered + 1 == c->wanted && c->id % 3 == 0));
        } else if (c->kind == SWEPT && c->answered == 1) {
            c->due = now() + 0.6 + number(1400) / 1000.0;
        } else if (c->answered == c->wanted && c->kind != IDLE && c->kind != HALF_CLOSED && c->kind != ONE && c->kind != SLOW) {
            end(c, number(8) == 0);
        }
    }
}

static void readable(struct connection *c) {
    ssize_t count = recv(c->fd, c->in + c->length, sizeof c->in - 1 - c->length, 0);
    if (count > 0) {
        c->length += count;
        take(c);
        return;
    }
    if (count < 0 && errno == EAGAIN) return;
    int is_due = c->kind == SLOW ? c->answered == 0 : c->answered < c->wanted;
    if (c->kind == SWEPT && is_due) {
        swept++;
    } else if (is_due && c->kind != RESET) {
        say(count ? strerror(errno) : "the end instead of an answer", c);
        missing++;
    }
    end(c, 0);
}

static void requests(long count, int per_connection, int depth) {
    char *batch = malloc(depth * 128), in[65536];
    for (long done = 0; done < count;) {
        int fd = open_socket();
        for (int inside = 0; inside < per_connection && done < count; inside += depth, done += depth) {
            int length = 0, due = depth, line_ends = 0;
            for (int i = 0; i < depth; i++)
                length += sprintf(batch + length, "GET /?video=http://s1.origin-cluster/u/%ld HTTP/1.1\r\nHost: b\r\n\r\n", done + i);
            if (send(fd, batch, length, MSG_NOSIGNAL) != length) missing++;
            // An answer ends in two line ends; nothing else in it does.
            while (due > 0) {
                ssize_t got = recv(fd, in, sizeof in, 0);
                if (got <= 0) {
                    missing += due;
                    break;
                }
                for (ssize_t i = 0; i < got; i++) {
                    if (in[i] == '\n') line_ends++;
                    else if (in[i] != '\r') line_ends = 0;
                    if (line_ends == 2) due--, answers++, line_ends = 0;
                }
            }
        }
        close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long count = atol(argv[2]);
    if (argc > 5 && strcmp(argv[3], "requests") == 0) {
        requests(count, atoi(argv[4]), atoi(argv[5]));
    } else {
        if (argc > 3) seed = strtoull(argv[3], NULL, 10);
        int slots = argc > 4 ? atoi(argv[4]) : 200;
        struct connection *all = calloc(slots, sizeof *all);
        for (int i = 0; i < slots; i++) all[i].fd = -1;
        set = epoll_create1(EPOLL_CLOEXEC);
        double progress = now();
        for (int open = 1; open;) {
            open = 0;
            double time = now();
            for (int i = 0; i < slots; i++) {
                if (all[i].fd >= 0 && all[i].due && all[i].due <= time) step(&all[i]);
                if (all[i].fd < 0 && opened < count) begin(&all[i]);
                open += all[i].fd >= 0;
            }
            struct epoll_event events[256];
            int ready = epoll_wait(set, events, 256, 1);
            for (int i = 0; i < ready; i++) {
                struct connection *c = events[i].data.ptr;
                if (c->fd >= 0) readable(c);
            }
            if (ready) progress = now();
            if (now() - progress > 20) {
                for (int i = 0; i < slots; i++)
                    if (all[i].fd >= 0) say("nothing for 20 s", &all[i]), missing++;
                break;
            }
        }
    }
    printf("connections %ld\nanswers %ld\ntimeouts %ld\nswept %ld\nsteps %ld\nwrong %ld\nmissing %ld\nunexpected %ld\n", opened, answers,
           timeouts, swept, steps, wrong, missing, unexpected);
    return wrong + missing + unexpected > 0;
}
