/*
 * load.h: the engine of the load generators load.c and logins.c. It sends requests to a RADIUS server on
 * 127.0.0.1 and prints the result as one line of JSON.
 *
 *   PROGRAM WHAT PORT FIRST COUNT INFLIGHT RATE TIMEOUT TRIES OVER
 *
 * WHAT is up to the program. A sequence is one or more requests, each of which is sent when the one
 * before it is answered. COUNT sequences are sent, starting with number FIRST.
 * - RATE 0 is a closed loop: INFLIGHT sequences are kept unfinished. A latency begins when a request is
 *   sent.
 * - RATE > 0 is an open loop: that many sequences begin per second, whether or not the server answers. A
 *   latency begins when the first request is due, so a late request counts its delay.
 * A request without an answer is retransmitted every TIMEOUT ms, is sent at most TRIES times, and is
 * given up TIMEOUT ms after the last time. Answers that take more than OVER ms are counted as slow.
 * SIGTERM ends it early, with the result so far.
 *
 * It is in C, with one thread and many packets per system call, because it shares the CPUs with the
 * contenders.
 */
#include "header.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* As in bench/nasload/requests.go: RUN requests in a row are sent from one socket, so that they share
   a system call. */
#define SOCKETS 64
#define RUN 16
#define IDENTIFIERS 256
#define BATCH 64

enum state { WAITING, IN_FLIGHT, ANSWERED, GIVEN_UP };

struct request {
    const uint8_t *packet;
    int64_t begin; /* when it was first sent, or due */
    int64_t took;
    uint8_t state;
    uint8_t socket; /* from which it was sent */
};

/* All timeouts are equal, so the request that was sent last expires last. */
struct expiry {
    int64_t at;
    uint32_t request;
    uint32_t tries;
};

static struct request *requests; /* those of sequence i begin with number i * length */
static uint32_t first, count, length = 1; /* of sequences, and the requests in each */
static uint32_t source = INADDR_LOOPBACK;
static struct expiry *expiries; /* a ring with one entry per request */
static uint32_t expiry_head, expiry_count;
static int64_t slots[SOCKETS][IDENTIFIERS]; /* request in flight, or -1 */
static int sockets[SOCKETS];
static int64_t timeout, last_sent, last_answer;
static uint32_t tries, in_flight, done, sent, answered, given_up;
static unsigned long retransmissions, bad, unexpected;
static int blocked; /* no socket has a free identifier for the next request, until an answer or a timeout */

static volatile sig_atomic_t ended; /* by a signal */

/* What the including file defines. */

/* Reads what is sent. */
static void open_requests(const char *what);

/* Returns the socket for the first request of a sequence, or SOCKETS if there is none. */
static unsigned choose_socket(uint32_t sequence);

/* Sets requests[i].packet, whose identifier is free on its socket. Returns 0 if it has none. */
static int make_request(uint32_t i);

/* Reports whether octets, at least a header, are the correct answer to a request. */
static int is_correct(uint32_t i, const uint8_t *answer, unsigned octets);

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void open_sockets(int epoll, uint16_t port)
{
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(port) }, self = { .sin_family = AF_INET };
    int size = 4 << 20;

    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self.sin_addr.s_addr = htonl(source);
    for (unsigned s = 0; s < SOCKETS; s++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = s };
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *) &self, sizeof self) < 0 || connect(fd, (struct sockaddr *) &server, sizeof server) < 0)
            die("socket");
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll");
        sockets[s] = fd;
        for (unsigned id = 0; id < IDENTIFIERS; id++)
            slots[s][id] = -1;
    }
}

static void expire_later(uint32_t request, uint32_t tried, int64_t at)
{
    expiries[(expiry_head + expiry_count++) % (count * length)] = (struct expiry) { at + timeout, request, tried };
}

/* Sends requests, all from one socket. One that the kernel refuses is lost, as on a wire. */
static void send_run(const uint32_t *run, unsigned n)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    unsigned sent = 0;

    memset(messages, 0, n * sizeof *messages);
    for (unsigned k = 0; k < n; k++) {
        parts[k].iov_base = (void *) requests[run[k]].packet;
        parts[k].iov_len = packet_length(requests[run[k]].packet);
        messages[k].msg_hdr.msg_iov = &parts[k];
        messages[k].msg_hdr.msg_iovlen = 1;
    }
    while (sent < n) {
        int got = sendmmsg(sockets[requests[run[0]].socket], messages + sent, n - sent, 0);

        sent += got > 0 ? got : 1; /* ECONNREFUSED is about an earlier one */
    }
}

/* Makes a request ready to be sent from a socket. Returns 0 if none of its identifiers is free. */
static int begin_request(uint32_t i, unsigned s, int64_t due, int64_t at)
{
    requests[i].socket = s;
    if (!make_request(i))
        return 0;
    slots[s][requests[i].packet[1]] = i;
    requests[i].begin = due;
    requests[i].state = IN_FLIGHT;
    expire_later(i, 1, at);
    sent++;
    last_sent = at;
    return 1;
}

/* Sends the first requests of sequences: those that are due or, if rate is 0, so many that limit are
   unfinished. Returns the number of the next sequence. */
static uint32_t send_due(uint32_t next, uint32_t limit, double rate, int64_t start)
{
    int64_t at = now();

    blocked = 0;
    while (next < count) {
        uint32_t run[RUN];
        unsigned n = 0;

        while (n < RUN && next + n < count) {
            uint32_t i = next + n;
            unsigned s = choose_socket(i);
            int64_t due = rate > 0 ? start + (int64_t) (i / rate * 1e9) : at;

            if (due > at || (rate <= 0 && in_flight >= limit) || (n > 0 && s != requests[run[0]].socket))
                break;
            if (s == SOCKETS || !begin_request(i * length, s, due, at)) {
                blocked = 1;
                break;
            }
            in_flight++;
            run[n++] = i * length;
        }
        if (n == 0)
            break;
        send_run(run, n);
        next += n;
    }
    return next;
}

static void end_sequence(void)
{
    in_flight--;
    done++;
}

static void give_up(uint32_t i)
{
    requests[i].state = GIVEN_UP;
    given_up++;
    end_sequence();
}

static void expire(void)
{
    int64_t at = now();

    while (expiry_count > 0 && expiries[expiry_head].at <= at) {
        struct expiry e = expiries[expiry_head];
        struct request *r = &requests[e.request];

        expiry_head = (expiry_head + 1) % (count * length);
        expiry_count--;
        if (r->state != IN_FLIGHT)
            continue;
        if (e.tries < tries) {
            expire_later(e.request, e.tries + 1, at);
            send_run(&e.request, 1);
            retransmissions++;
            continue;
        }
        slots[r->socket][r->packet[1]] = -1;
        give_up(e.request);
    }
}

/* Returns the request to send next, or -1. */
static int64_t match_answer(unsigned s, const uint8_t *answer, unsigned octets, int64_t at)
{
    int64_t i = slots[s][answer[1]];
    struct request *r;

    if (i < 0) {
        unexpected++; /* a duplicate answer */
        return -1;
    }
    r = &requests[i];
    if (!is_correct(i, answer, octets)) {
        bad++;
        return -1;
    }
    r->took = at - r->begin;
    r->state = ANSWERED;
    slots[s][answer[1]] = -1;
    answered++;
    last_answer = at;
    if ((i + 1) % length == 0) {
        end_sequence();
        return -1;
    }
    if (begin_request(i + 1, s, at, at))
        return i + 1;
    give_up(i + 1); /* too many are in flight */
    return -1;
}

static void receive(unsigned s)
{
    static uint8_t buffers[BATCH][4096];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    int n;

    do {
        uint32_t run[BATCH] = { 0 };
        unsigned following = 0;
        int64_t at;

        for (unsigned k = 0; k < BATCH; k++) {
            parts[k] = (struct iovec) { buffers[k], sizeof buffers[k] };
            messages[k].msg_hdr = (struct msghdr) { .msg_iov = &parts[k], .msg_iovlen = 1 };
        }
        n = recvmmsg(sockets[s], messages, BATCH, MSG_DONTWAIT, NULL);
        at = now();
        for (int k = 0; k < n; k++) {
            int64_t next = -1;

            if (messages[k].msg_len >= HEADER)
                next = match_answer(s, buffers[k], messages[k].msg_len, at);
            else
                bad++;
            if (next >= 0)
                run[following++] = next;
        }
        if (following > 0)
            send_run(run, following);
    } while (n == BATCH);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}

static void report(int64_t start, int64_t over)
{
    int64_t *took = calloc(answered + 1, sizeof *took);
    uint32_t n = 0, slow = 0;

    for (uint32_t i = 0; i < count * length; i++) {
        if (requests[i].state != ANSWERED)
            continue;
        slow += requests[i].took > over;
        took[n++] = requests[i].took;
    }
    qsort(took, n, sizeof *took, compare);
    printf("{\"Sent\":%u,\"Answered\":%u,\"GivenUp\":%u,\"Retransmissions\":%lu,\"Bad\":%lu,\"Unexpected\":%lu,"
           "\"Sending\":%lld,\"Took\":%lld,\"P50\":%lld,\"P99\":%lld,\"Max\":%lld,\"Over\":%u}\n",
           sent, answered, given_up, retransmissions, bad, unexpected, (long long) (last_sent - start),
           (long long) (answered > 0 ? last_answer - start : 0),
           n > 0 ? (long long) took[n / 2] : 0LL, n > 0 ? (long long) took[(uint64_t) n * 99 / 100] : 0LL,
           n > 0 ? (long long) took[n - 1] : 0LL, slow);
}

static void send_all(int epoll, uint32_t limit, double rate, int64_t start)
{
    uint32_t next = 0;

    while (done < count && !ended) {
        struct epoll_event events[SOCKETS];
        struct timespec wait;
        int64_t until, left;
        int n;

        next = send_due(next, limit, rate, start);
        until = expiry_count > 0 ? expiries[expiry_head].at : INT64_MAX;
        if (rate > 0 && next < count && !blocked) {
            int64_t due = start + (int64_t) (next / rate * 1e9);

            if (due < until)
                until = due;
        }
        left = until - now();
        if (left < 0)
            left = 0;
        wait = (struct timespec) { left / 1000000000, left % 1000000000 };
        n = epoll_pwait2(epoll, events, SOCKETS, until == INT64_MAX ? NULL : &wait, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll");
        for (int k = 0; k < n; k++)
            receive(events[k].data.u32);
        expire();
    }
}

static void end(int signal) { ended = signal; }

int main(int argc, char **argv)
{
    uint32_t limit;
    int64_t start, over;
    double rate;
    int epoll = epoll_create1(0);

    if (argc != 10 || epoll < 0)
        return 2;
    first = strtoul(argv[3], NULL, 10);
    count = strtoul(argv[4], NULL, 10);
    limit = strtoul(argv[5], NULL, 10);
    rate = strtod(argv[6], NULL);
    timeout = strtoll(argv[7], NULL, 10) * 1000000;
    tries = strtoul(argv[8], NULL, 10);
    over = strtoll(argv[9], NULL, 10) * 1000000;
    if (count < 1 || timeout < 1 || (rate <= 0 && limit < 1))
        return 2;
    open_requests(argv[1]);
    expiries = calloc((size_t) count * length, sizeof *expiries);
    if (expiries == NULL)
        die("memory");
    open_sockets(epoll, strtoul(argv[2], NULL, 10));
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGTERM, end);

    start = now();
    send_all(epoll, limit, rate, start);
    report(start, over);
    return 0;
}
