// Keeps COUNT connections to a balancer open for SECONDS: each asks once, checks its answer, stays idle until it is ended, and is then opened anew.
//   cc -O2 crowd.c -o crowd;  ./crowd PORT COUNT SECONDS
// An answer that is no whole 301, or a connection that ends without one, is a failure; waiting in the kernel's queue is none.
// Prints what it counted as NAME NUMBER lines; exits 1 after a failure.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client {
    int answered;
    size_t length;
    char in[2048];
};

static const char request[] = "GET /?video=http://s1.origin-cluster/video/1488/a.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n";

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count_of_arguments, char **arguments) {
    if (count_of_arguments != 4) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int count = atoi(arguments[2]);
    double end = now() + atof(arguments[3]);
    struct pollfd *polled = calloc(count, sizeof *polled);
    struct client *clients = calloc(count, sizeof *clients);
    long opened = 0, answers = 0, ended = 0, failures = 0;
    for (int i = 0; i < count; i++) polled[i].fd = -1;
    while (now() < end) {
        for (int i = 0; i < count; i++) {
            if (polled[i].fd >= 0) continue;
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (fd < 0) return 3;
            if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
                close(fd);
                continue;
            }
            polled[i] = (struct pollfd){.fd = fd, .events = POLLOUT};
            clients[i] = (struct client){0};
            opened++;
        }
        if (poll(polled, count, 50) <= 0) continue;
        for (int i = 0; i < count; i++) {
            struct client *client = &clients[i];
            if (polled[i].revents == 0) continue;
            if (polled[i].events == POLLOUT) {
                // A full queue refuses nothing; a connect that fails is one that was never accepted.
                if (send(polled[i].fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) {
                    close(polled[i].fd);
                    polled[i].fd = -1;
                } else {
                    polled[i].events = POLLIN;
                }
                continue;
            }
            ssize_t got = recv(polled[i].fd, client->in + client->length, sizeof client->in - 1 - client->length, 0);
            if (got < 0 && errno == EAGAIN) continue;
            if (got > 0) {
                client->length += got;
                if (strstr(client->in, "\r\n\r\n") == NULL) continue;
                if (strncmp(client->in, "HTTP/1.1 301 ", 13) != 0 || client->answered) failures++;
                client->answered = 1;
                client->length = 0;
                answers++;
                continue;
            }
            if (client->answered) {
                ended++;
            } else {
                failures++;
                fprintf(stderr, "ended without an answer: %s\n", got < 0 ? strerror(errno) : "closed");
            }
            close(polled[i].fd);
            polled[i].fd = -1;
        }
    }
    printf("opened %ld\nanswers %ld\nended %ld\nfailures %ld\n", opened, answers, ended, failures);
    return failures != 0;
}
