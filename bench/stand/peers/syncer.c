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
#include "packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
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

static void serve(int fd, int file, const struct key *key)
{
    static uint8_t in[BATCH][MAX_PACKET], out[BATCH][MAX_PACKET], octets[BATCH * MAX_PACKET];
    static struct sockaddr_in from[BATCH];
    static struct iovec in_parts[BATCH], out_parts[BATCH];
    static struct mmsghdr received[BATCH], answers[BATCH];
    off_t at = 0;

    for (;;) {
        int n, made = 0, sent = 0;
        unsigned size = 0;

        for (int k = 0; k < BATCH; k++) {
            in_parts[k] = (struct iovec) { in[k], MAX_PACKET };
            received[k].msg_hdr = (struct msghdr) { .msg_name = &from[k], .msg_namelen = sizeof from[k], .msg_iov = &in_parts[k], .msg_iovlen = 1 };
        }
        n = recvmmsg(fd, received, BATCH, MSG_WAITFORONE, NULL);
        if (n < 0 && errno != EINTR)
            die("receive");
        for (int k = 0; k < n; k++) {
            if (!is_request(key, in[k], received[k].msg_len))
                continue;
            memcpy(octets + size, in[k], packet_length(in[k]));
            size += packet_length(in[k]);
            out_parts[made] = (struct iovec) { out[made], make_answer(key, out[made], in[k]) };
            answers[made].msg_hdr = (struct msghdr) { .msg_name = &from[k], .msg_namelen = sizeof from[k], .msg_iov = &out_parts[made], .msg_iovlen = 1 };
            made++;
        }
        if (made == 0)
            continue;
        if (at + size > FILE_OCTETS)
            at = 0;
        if (pwrite(file, octets, size, at) != size || fdatasync(file) != 0)
            die("write");
        at += size;
        while (sent < made) {
            int got = sendmmsg(fd, answers + sent, made - sent, 0);

            sent += got > 0 ? got : 1; /* one that the kernel refuses is lost, as on a wire */
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in self = { .sin_family = AF_INET };
    int size, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct key key;

    if (argc != 4 || fd < 0)
        return 2;
    size = atoi(argv[2]);
    self.sin_port = htons(strtoul(argv[1], NULL, 10));
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *) &self, sizeof self) < 0)
        die("bind");
    if (size > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    set_key(&key, SECRET);
    serve(fd, open_file(argv[3]), &key);
}
