// Asks a server by TLS 1.3 on one thread: kept connections, or full or resumed handshakes with one request each. It warms up by one request a
// connection and says "ready"; from a line of input on it asks, and says what it counted, as JSON; another line ends it.
//   cc -O2 load.c -o load -lssl -lcrypto;  ./load -B -p PORT -m keep|full|resume [-n REQUESTS] [-s SECONDS] [-c CONNECTIONS] [-G GROUPS]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef BORING
#include <CNIOBoringSSL.h>
#include <CNIOBoringSSL_ssl.h>
#include <CNIOBoringSSL_err.h>
#else
#include <openssl/ssl.h>
#include <openssl/err.h>
#endif
static const char *mode = "full"; static int port = 9443, nconn = 64, gap = 0; static double secs = 2; static long maxreq = 1L << 60;
static const char *suites, *groups = "X25519:P-256:P-384";
struct conn { int fd; SSL *ssl; SSL_SESSION *sess; int st; size_t got; char buf[2048]; int respdone; int idx; };
enum { CONNECTING, HS, SENDREQ, RESP, IDLE };
static SSL_CTX *ctx; static int ep; static struct conn *cs;
static long done, resumed, full, failed, wrong, bytes, suite128, suite256; static int closing;
static const char req_close[] = "GET /?video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8 HTTP/1.1\r\nHost: 127.0.0.1:9443\r\nConnection: close\r\n\r\n";
static const char req_keep[] = "GET /?video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8 HTTP/1.1\r\nHost: 127.0.0.1:9443\r\n\r\n";
static int barrier; static long started_total, budget = 1L << 60; static int live;
static int on_sess(SSL *s, SSL_SESSION *ss) {
  struct conn *c = SSL_get_app_data(s);
  if (c->sess) SSL_SESSION_free(c->sess);
  c->sess = ss; return 1;
}
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static void start(struct conn *c) {
  started_total++; live++;
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); int one = 1; setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (void *)&a, sizeof a) && errno != EINPROGRESS) { perror("connect"); exit(1); }
  c->ssl = SSL_new(ctx); SSL_set_app_data(c->ssl, c); SSL_set_fd(c->ssl, c->fd); SSL_set_connect_state(c->ssl);
  SSL_set_tlsext_host_name(c->ssl, "localhost");
  if (!strcmp(mode, "resume") && c->sess) SSL_set_session(c->ssl, c->sess);
  c->st = CONNECTING; c->got = 0; c->respdone = 0;
  struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
}
static struct conn *later[8192]; static int nlater;
static void drive(struct conn *c);
static void finish(struct conn *c, int ok) {
  if (!ok) failed++;
  live--;
  SSL_set_quiet_shutdown(c->ssl, 1); SSL_shutdown(c->ssl);
  SSL_free(c->ssl); c->ssl = 0; close(c->fd);
  if (started_total < budget) start(c);
}
static void send_req(struct conn *c) {
  const char *r = closing ? req_close : req_keep; int l = closing ? sizeof req_close - 1 : sizeof req_keep - 1;
  c->got = 0; c->respdone = 0;
  if (SSL_write(c->ssl, r, l) != l) { finish(c, 0); return; }
  c->st = RESP;
}
static void drive(struct conn *c) {
  ERR_clear_error();
  if (c->st == CONNECTING) c->st = HS;
  if (c->st == HS) {
    int r = SSL_do_handshake(c->ssl);
    if (r != 1) { int e = SSL_get_error(c->ssl, r); if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return; finish(c, 0); return; }
    if (SSL_session_reused(c->ssl)) resumed++; else full++;
    if (SSL_CIPHER_get_bits(SSL_get_current_cipher(c->ssl), 0) == 128) suite128++; else suite256++;
    if (gap) { c->st = SENDREQ; later[nlater++] = c; return; }
    send_req(c);
    if (c->st != RESP) return;
  }
  if (c->st == SENDREQ) return;
  if (c->st == IDLE) { char b[64]; int r = SSL_read(c->ssl, b, 64); if (r <= 0 && SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ) failed++; return; }
  while (c->st == RESP) {
    int r = SSL_read(c->ssl, c->buf + c->got, sizeof c->buf - 1 - c->got);
    if (r > 0) {
      bytes += r; c->got += r; c->buf[c->got] = 0;
      if (!c->respdone && strstr(c->buf, "\r\n\r\n")) {
        char *h = strstr(c->buf, "ength: "); size_t len = h ? atoi(h + 7) : 0, head = strstr(c->buf, "\r\n\r\n") + 4 - c->buf;
        if (c->got < head + len) continue;
        c->respdone = 1; done++;
        if (strncmp(c->buf, "HTTP/1.1 301", 12)) wrong++;
        if (!closing) {
          if (!strcmp(mode, "idle")) { c->st = IDLE; return; }
          if (started_total >= budget) { live--; c->st = SENDREQ; return; }
          started_total++; send_req(c); continue;
        }
      }
      continue;
    }
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ) return;
    finish(c, c->respdone); return;
  }
}
int main(int argc, char **argv) {
  int o; while ((o = getopt(argc, argv, "p:m:c:s:n:C:G:gB")) != -1) switch (o) {
    case 'p': port = atoi(optarg); break; case 'm': mode = optarg; break; case 'c': nconn = atoi(optarg); break; case 's': secs = atof(optarg); break;
    case 'n': maxreq = atol(optarg); break; case 'C': suites = optarg; break; case 'G': groups = optarg; break; case 'g': gap = 1; break; case 'B': barrier = 1; break; default: return 2; }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit rl = { 20000, 20000 }; setrlimit(RLIMIT_NOFILE, &rl);
  closing = !strcmp(mode, "full") || !strcmp(mode, "resume");
  ctx = SSL_CTX_new(TLS_client_method()); SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, 0); SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); SSL_CTX_set_read_ahead(ctx, 1);
#ifndef BORING
  if (suites) SSL_CTX_set_ciphersuites(ctx, suites);
#endif
  if (SSL_CTX_set1_groups_list(ctx, groups) != 1) return 3;
  static const unsigned char h1[] = "\x08http/1.1"; SSL_CTX_set_alpn_protos(ctx, h1, 9);
  if (!strcmp(mode, "resume")) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL); SSL_CTX_sess_set_new_cb(ctx, on_sess); }
  else SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  ep = epoll_create1(0); cs = calloc(nconn, sizeof *cs);
  struct epoll_event evs[256]; int idle = !strcmp(mode, "idle"), started = 0; char line[16];
  // Phase 0 warms up: one request a connection. Phase 1 is measured, between two lines of the harness.
  budget = nconn; double t0 = now(), t1 = 0;
  for (int phase = 0; phase < 2; phase++) {
    if (phase == 1) {
      if (barrier) { printf("ready\n"); fflush(stdout); if (!fgets(line, sizeof line, stdin)) return 1; }
      if (idle) break;
      done = full = resumed = bytes = 0; started_total = 0; budget = maxreq; t0 = now();
      for (int i = 0; i < nconn && started_total < budget; i++) { if (closing) start(&cs[i]); else { started_total++; live++; send_req(&cs[i]); } }
    } else for (; started < nconn && started < 64; started++) start(&cs[started]);
    while (idle ? done < nconn : live > 0) {
      int n = epoll_wait(ep, evs, 256, 100);
      for (int i = 0; i < n; i++) { struct conn *c = evs[i].data.ptr; if (c->ssl) drive(c); }
      int k = nlater; static struct conn *tmp[8192]; memcpy(tmp, later, k * sizeof *tmp); nlater = 0;
      for (int i = 0; i < k; i++) if (tmp[i]->ssl && tmp[i]->st == SENDREQ) { send_req(tmp[i]); if (tmp[i]->ssl && tmp[i]->st == RESP) drive(tmp[i]); }
      if (idle || started < nconn) while (started < nconn && started - done < 64) { start(&cs[started]); started++; }
      if (now() - t0 > secs) { if (phase) budget = 0; if (now() - t0 > secs + 3) { fprintf(stderr, "stuck: live %d phase %d\n", live, phase); break; } }
    }
    t1 = now();
  }
  printf("{\"done\":%ld,\"full\":%ld,\"resumed\":%ld,\"failed\":%ld,\"wrong\":%ld,\"bytes\":%ld,\"aes128\":%ld,\"aes256\":%ld,\"wall\":%.3f}\n", done, full, resumed, failed, wrong, bytes, suite128, suite256, t1 - t0);
  fflush(stdout);
  if (barrier && !fgets(line, sizeof line, stdin)) return 1;
  return 0;
}
