/*
 * load: sends requests as NASes do to a RADIUS accounting server on 127.0.0.1, and prints the result as
 * one line of JSON.
 *
 *   load FILE PORT FIRST COUNT INFLIGHT RATE TIMEOUT TRIES OVER
 *
 * FILE has the requests one after the other, each followed by the 16 octets of the Response
 * Authenticator of an answer without attributes (see bench/nasload/requests.go), so that no MD5 is
 * computed after the clock has started. COUNT requests are sent, starting with number FIRST.
 * - RATE 0 is a closed loop: INFLIGHT requests are kept without an answer. A latency begins when a
 *   request is sent.
 * - RATE > 0 is an open loop: that many requests are sent per second, whether or not the server
 *   answers. A latency begins when a request is due, so a late request counts its delay.
 * A request without an answer is retransmitted every TIMEOUT ms, is sent at most TRIES times, and is
 * given up TIMEOUT ms after the last time. Answers that take more than OVER ms are counted as slow.
 *
 * It is in C, with one thread and many packets per system call, because it shares the CPUs with the
 * contenders.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As in bench/nasload/requests.go: RUN requests in a row are sent from one socket, so that they share
   a system call. */
#define SOCKETS 64
#define RUN 16
#define IDENTIFIERS 256
#define BATCH 64
#define AUTHENTICATOR 16
#define HEADER 20
#define ACCOUNTING_RESPONSE 5

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

static struct request *requests;
static uint32_t first, count;
static struct expiry *expiries; /* a ring with one entry per request */
static uint32_t expiry_head, expiry_count;
static int64_t slots[SOCKETS][IDENTIFIERS]; /* request in flight, or -1 */
static int sockets[SOCKETS];
static int64_t timeout, last_answer;
static uint32_t tries, in_flight, done, answered, given_up;
static unsigned long retransmissions, bad, unexpected;
static int blocked; /* no socket has the next request's identifier free, until an answer or a timeout */

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

static unsigned packet_length(const uint8_t *p) { return p[2] << 8 | p[3]; }

/*
 * Returns the socket for a request: that of its run (the number counts from the beginning of the file,
 * as for the identifier), or another one where its identifier is free, or SOCKETS if there is none.
 */
static unsigned choose_socket(uint32_t i)
{
    unsigned s = (first + i) / RUN % SOCKETS;

    for (unsigned k = 0; k < SOCKETS; k++)
        if (slots[(s + k) % SOCKETS][requests[i].packet[1]] < 0)
            return (s + k) % SOCKETS;
    return SOCKETS;
}

static void read_requests(const char *path)
{
    struct stat st;
    const uint8_t *p, *end;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &st) < 0)
        die(path);
    p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED)
        die(path);
    end = p + st.st_size;
    for (uint32_t i = 0; i < first + count; i++) {
        if (end - p < HEADER || end - p < (int) packet_length(p) + AUTHENTICATOR) {
            fprintf(stderr, "load: %s: only %u requests\n", path, i);
            exit(1);
        }
        if (i >= first)
            requests[i - first].packet = p;
        p += packet_length(p) + AUTHENTICATOR;
    }
}

static void open_sockets(int epoll, uint16_t port)
{
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(port) };
    int size = 4 << 20;

    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned s = 0; s < SOCKETS; s++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = s };
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *) &server, sizeof server) < 0)
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
    expiries[(expiry_head + expiry_count++) % count] = (struct expiry) { at + timeout, request, tried };
}

/* Sends n requests from number i on, all from one socket. One that the kernel refuses is lost, as on a
   wire. */
static void send_run(uint32_t i, unsigned n)
{
    struct mmsghdr messages[RUN];
    struct iovec parts[RUN];
    unsigned sent = 0;

    memset(messages, 0, sizeof messages);
    for (unsigned k = 0; k < n; k++) {
        parts[k].iov_base = (void *) requests[i + k].packet;
        parts[k].iov_len = packet_length(requests[i + k].packet);
        messages[k].msg_hdr.msg_iov = &parts[k];
        messages[k].msg_hdr.msg_iovlen = 1;
    }
    while (sent < n) {
        int got = sendmmsg(sockets[requests[i].socket], messages + sent, n - sent, 0);

        sent += got > 0 ? got : 1; /* ECONNREFUSED is about an earlier one */
    }
}

/* Sends the requests that are due or, if rate is 0, up to limit in flight. Returns the number of the
   next request. */
static uint32_t send_due(uint32_t next, uint32_t limit, double rate, int64_t start)
{
    int64_t at = now();

    blocked = 0;
    while (next < count) {
        unsigned n = 0;

        while (n < RUN && next + n < count) {
            uint32_t i = next + n;
            unsigned s = choose_socket(i);
            int64_t due = rate > 0 ? start + (int64_t) (i / rate * 1e9) : at;

            if (due > at || (rate <= 0 && in_flight >= limit) || (n > 0 && s != requests[next].socket))
                break;
            if (s == SOCKETS) {
                blocked = 1;
                break;
            }
            requests[i].socket = s;
            slots[s][requests[i].packet[1]] = i;
            requests[i].begin = due;
            requests[i].state = IN_FLIGHT;
            expire_later(i, 1, at);
            in_flight++;
            n++;
        }
        if (n == 0)
            break;
        send_run(next, n);
        next += n;
    }
    return next;
}

static void expire(void)
{
    int64_t at = now();

    while (expiry_count > 0 && expiries[expiry_head].at <= at) {
        struct expiry e = expiries[expiry_head];
        struct request *r = &requests[e.request];

        expiry_head = (expiry_head + 1) % count;
        expiry_count--;
        if (r->state != IN_FLIGHT)
            continue;
        if (e.tries < tries) {
            expire_later(e.request, e.tries + 1, at);
            send_run(e.request, 1);
            retransmissions++;
            continue;
        }
        r->state = GIVEN_UP;
        slots[r->socket][r->packet[1]] = -1;
        in_flight--;
        done++;
        given_up++;
    }
}

static void match_answer(unsigned s, const uint8_t *answer, unsigned length, int64_t at)
{
    int64_t i = slots[s][answer[1]];
    struct request *r;

    if (length != HEADER || packet_length(answer) != HEADER || answer[0] != ACCOUNTING_RESPONSE) {
        bad++;
        return;
    }
    if (i < 0) {
        unexpected++; /* a duplicate answer */
        return;
    }
    r = &requests[i];
    if (memcmp(answer + 4, r->packet + packet_length(r->packet), AUTHENTICATOR) != 0) {
        bad++;
        return;
    }
    r->took = at - r->begin;
    r->state = ANSWERED;
    slots[s][answer[1]] = -1;
    in_flight--;
    done++;
    answered++;
    last_answer = at;
}

static void receive(unsigned s)
{
    static uint8_t buffers[BATCH][4096];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    int n;

    do {
        int64_t at;

        for (unsigned k = 0; k < BATCH; k++) {
            parts[k] = (struct iovec) { buffers[k], sizeof buffers[k] };
            messages[k].msg_hdr = (struct msghdr) { .msg_iov = &parts[k], .msg_iovlen = 1 };
        }
        n = recvmmsg(sockets[s], messages, BATCH, MSG_DONTWAIT, NULL);
        at = now();
        for (int k = 0; k < n; k++)
            if (messages[k].msg_len >= HEADER)
                match_answer(s, buffers[k], messages[k].msg_len, at);
            else
                bad++;
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

    for (uint32_t i = 0; i < count; i++) {
        if (requests[i].state != ANSWERED)
            continue;
        slow += requests[i].took > over;
        took[n++] = requests[i].took;
    }
    qsort(took, n, sizeof *took, compare);
    printf("{\"Sent\":%u,\"Answered\":%u,\"GivenUp\":%u,\"Retransmissions\":%lu,\"Bad\":%lu,\"Unexpected\":%lu,"
           "\"Took\":%lld,\"P50\":%lld,\"P99\":%lld,\"Max\":%lld,\"Over\":%u}\n",
           count, answered, given_up, retransmissions, bad, unexpected,
           (long long) (answered > 0 ? last_answer - start : 0),
           n > 0 ? (long long) took[n / 2] : 0LL, n > 0 ? (long long) took[(uint64_t) n * 99 / 100] : 0LL,
           n > 0 ? (long long) took[n - 1] : 0LL, slow);
}

int main(int argc, char **argv)
{
    uint32_t next = 0, limit;
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
    requests = calloc(count, sizeof *requests);
    expiries = calloc(count, sizeof *expiries);
    if (requests == NULL || expiries == NULL)
        die("memory");
    read_requests(argv[1]);
    open_sockets(epoll, strtoul(argv[2], NULL, 10));
    prctl(PR_SET_TIMERSLACK, 1);

    start = now();
    while (done < count) {
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
    report(start, over);
    return 0;
}
