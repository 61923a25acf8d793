/*
 * load: sends requests as NASes do to a RADIUS accounting server on 127.0.0.1.
 *
 *   load FILE PORT FIRST COUNT INFLIGHT RATE TIMEOUT TRIES OVER
 *
 * See load.h. FILE has the requests one after the other, each followed by the 16 octets of the Response
 * Authenticator of an answer without attributes (see bench/nasload/requests.go), so that no MD5 is
 * computed after the clock has started.
 */
#define _GNU_SOURCE
#include "load.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ACCOUNTING_RESPONSE 5

/*
 * Returns the socket of the request's run (the number counts from the beginning of the file, as for the
 * identifier), or another one where its identifier is free.
 */
static unsigned choose_socket(uint32_t i)
{
    unsigned s = (first + i) / RUN % SOCKETS;

    for (unsigned k = 0; k < SOCKETS; k++)
        if (slots[(s + k) % SOCKETS][requests[i].packet[1]] < 0)
            return (s + k) % SOCKETS;
    return SOCKETS;
}

static int make_request(uint32_t i) { return requests[i].packet != NULL; /* made already */ }

static void open_requests(const char *path)
{
    struct stat st;
    const uint8_t *p, *end;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &st) < 0)
        die(path);
    p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    requests = calloc(count, sizeof *requests);
    if (p == MAP_FAILED || requests == NULL)
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

static int is_correct(uint32_t i, const uint8_t *answer, unsigned octets)
{
    const uint8_t *packet = requests[i].packet;

    if (octets != HEADER || packet_length(answer) != HEADER || answer[0] != ACCOUNTING_RESPONSE)
        return 0;
    return memcmp(answer + 4, packet + packet_length(packet), AUTHENTICATOR) == 0;
}
