/*
 * syncer: a RADIUS accounting server on 127.0.0.1 that answers when the octets of the request are on disk,
 * and does nothing else: the least that a server must do to lose nothing.
 *
 *   syncer PORT BUFFER FILE
 *
 * BUFFER is the size of its receive buffer in octets. The requests that have arrived are written to FILE
 * together, with one fdatasync, and then answered. The file has its final size from the start, and is
 * written from its beginning again when it is full, so a sync never writes an inode, and only the last 64 MiB
 * of requests are kept.
 *
 * It is in C, with one thread and many packets per system call, because it shares the CPUs with the load
 * generator.
 */
#define _GNU_SOURCE
#include "server.h"
#include <fcntl.h>
#include <unistd.h>

#define ACCOUNTING_REQUEST 4
#define ACCOUNTING_RESPONSE 5
#define FILE_OCTETS (64 << 20)

static void die(const char *what)
{
    fprintf(stderr, "syncer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_file(const char *name)
{
    static uint8_t zeros[1 << 20];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0)
        die(name);
    for (int i = 0; i < FILE_OCTETS; i += sizeof zeros)
        if (write(fd, zeros, sizeof zeros) != sizeof zeros)
            die("write");
    if (fsync(fd) != 0)
        die("fsync");
    return fd;
}

/* Returns whether octets are an Accounting-Request (RFC 2866 section 3) with the right authenticator. */
static int is_request(const struct key *key, const uint8_t *request, unsigned octets)
{
    static const uint8_t zeros[AUTHENTICATOR];
    uint8_t sum[16];

    if (octets < HEADER || packet_length(request) < HEADER || packet_length(request) > octets || request[0] != ACCOUNTING_REQUEST)
        return 0;
    response_authenticator(key, request, zeros, sum);
    return memcmp(sum, request + 4, AUTHENTICATOR) == 0;
}

/* Makes the answer, with the Proxy-States of the request, and returns its length. */
static unsigned make_answer(const struct key *key, uint8_t *answer, const uint8_t *request)
{
    const uint8_t *end = request + packet_length(request);
    uint8_t *p = answer + HEADER;

    for (const uint8_t *a = request + HEADER; end - a >= 2 && a[1] >= 2 && a[1] <= end - a; a += a[1])
        if (a[0] == PROXY_STATE)
            p = put(p, PROXY_STATE, a + 2, a[1] - 2);
    answer[0] = ACCOUNTING_RESPONSE;
    answer[1] = request[1];
    end_packet(answer, p);
    response_authenticator(key, answer, request + 4, answer + 4);
    return p - answer;
}

/* Writes octets to the file, from its beginning again if they do not fit behind the last ones, and syncs. */
static void write_octets(int file, const uint8_t *octets, unsigned n)
{
    static off_t at;

    if (at + n > FILE_OCTETS)
        at = 0;
    if (pwrite(file, octets, n, at) != n || fdatasync(file) != 0)
        die("write");
    at += n;
}

int main(int argc, char **argv)
{
    static uint8_t octets[BATCH * MAX_PACKET];
    static struct exchange x;
    struct key key;
    int fd, file;

    if (argc != 4)
        return 2;
    fd = open_port(argv[1], argv[2]);
    file = open_file(argv[3]);
    set_key(&key, SECRET);
    for (;;) {
        int n = receive(fd, &x);
        unsigned size = 0;

        for (int k = 0; k < n; k++) {
            if (!is_request(&key, x.in[k], x.received[k].msg_len))
                continue;
            memcpy(octets + size, x.in[k], packet_length(x.in[k]));
            size += packet_length(x.in[k]);
            add_answer(&x, k, make_answer(&key, x.out[x.made], x.in[k]));
        }
        if (x.made == 0)
            continue;
        write_octets(file, octets, size);
        send_answers(fd, &x);
    }
}
