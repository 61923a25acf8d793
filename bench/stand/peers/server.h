/*
 * server.h: what the RADIUS servers accepter.c and syncer.c share: a port on 127.0.0.1, and the exchange
 * of many packets with one system call each way. The including file defines die.
 */
#include "packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#define BATCH 64

/* Ends the program with an error of the system. */
static void die(const char *what);

/* Requests that have arrived together, and the answers that are made so far. */
struct exchange {
    uint8_t in[BATCH][MAX_PACKET], out[BATCH][MAX_PACKET];
    struct sockaddr_in from[BATCH];
    struct iovec in_parts[BATCH], out_parts[BATCH];
    struct mmsghdr received[BATCH], answers[BATCH];
    int made;
};

/* Opens a port with a receive buffer of so many octets, or the system's default if they are 0. */
static int open_port(const char *port, const char *buffer)
{
    struct sockaddr_in self = { .sin_family = AF_INET };
    int size = atoi(buffer), fd = socket(AF_INET, SOCK_DGRAM, 0);

    self.sin_port = htons(strtoul(port, NULL, 10));
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *) &self, sizeof self) < 0)
        die("socket");
    if (size > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

/* Waits for requests, and returns how many have arrived. */
static int receive(int fd, struct exchange *x)
{
    int n;

    x->made = 0;
    for (int k = 0; k < BATCH; k++) {
        x->in_parts[k] = (struct iovec) { x->in[k], MAX_PACKET };
        x->received[k].msg_hdr =
            (struct msghdr) { .msg_name = &x->from[k], .msg_namelen = sizeof x->from[k], .msg_iov = &x->in_parts[k], .msg_iovlen = 1 };
    }
    n = recvmmsg(fd, x->received, BATCH, MSG_WAITFORONE, NULL);
    if (n < 0 && errno != EINTR)
        die("receive");
    return n < 0 ? 0 : n;
}

/* Adds the answer to request k, whose octets are in out[made]. */
static void add_answer(struct exchange *x, int k, unsigned octets)
{
    x->out_parts[x->made] = (struct iovec) { x->out[x->made], octets };
    x->answers[x->made].msg_hdr =
        (struct msghdr) { .msg_name = &x->from[k], .msg_namelen = sizeof x->from[k], .msg_iov = &x->out_parts[x->made], .msg_iovlen = 1 };
    x->made++;
}

/* Sends the answers. One that the kernel refuses is lost, as on a wire. */
static void send_answers(int fd, struct exchange *x)
{
    for (int sent = 0; sent < x->made;) {
        int got = sendmmsg(fd, x->answers + sent, x->made - sent, 0);

        sent += got > 0 ? got : 1;
    }
}
