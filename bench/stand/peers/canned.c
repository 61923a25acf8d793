/*
 * The limit: an AgentX subagent (RFC 2741) without a look-up. It increments the
 * index of the requested OID by one (at N it goes to the next column) and copies
 * a prepared varbind: one read, one write, no allocation, no table. No subagent
 * with real rows can answer faster.
 *
 * usage: canned -socket PATH -rows N
 *
 * It serves Get and GetNext, the only PDUs into which snmpd 5.9.3 translates
 * Get, GetNext and GetBulk. Both ends are on this machine, which must be
 * little-endian.
 *
 * Built with -DYIELDS=N it is the peer canned-yield, see read_some.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rows.h"

enum { /* RFC 2741 section 6.1 */
    PDU_OPEN = 1, PDU_REGISTER = 3, PDU_GET = 5, PDU_GET_NEXT = 6,
    PDU_CLEANUP_SET = 11, PDU_RESPONSE = 18
};
enum { FLAG_NON_DEFAULT_CONTEXT = 0x08, FLAG_NETWORK_BYTE_ORDER = 0x10 };
enum { HEADER_LEN = 20, RESPONSE_LEN = 8 };
enum { /* RFC 2741 section 5.4 */
    INTEGER = 2, OCTET_STRING = 4, OBJECT_IDENTIFIER = 6, IP_ADDRESS = 64,
    GAUGE32 = 66, NO_SUCH_INSTANCE = 129, END_OF_MIB_VIEW = 130
};
enum { ERROR_PROCESSING = 268, ERROR_NOT_WRITABLE = 17, PDU_TEST_SET = 8 };

struct header {
    uint8_t version, type, flags, reserved;
    uint32_t session, transaction, packet, length;
};

/* An OID on the wire: 1.3.6.1.prefix, then n_subid sub-identifiers. */
struct wire_oid {
    uint8_t n_subid, prefix, include, reserved;
    uint32_t sub[128];
};

/* The name of a cell: prefix 4 stands for 1.3.6.1.4, then these and C.I. */
static const uint32_t cell_sub[] = { 1, 9, 9, 150, 1, 1, 3, 1 };
enum { CELL_PREFIX = 4, CELL_SUBIDS = 10, CELL_COLUMN = 8, CELL_INDEX = 9 };
enum { VARBIND_MAX = 128, INDEX_OFFSET = 4 + 4 + 4 * CELL_INDEX };

/* A varbind of each column; only the index is written per answer. */
static struct { uint8_t bytes[VARBIND_MAX]; size_t len; }
    canned[CASN_LAST_COLUMN + 1];

static uint32_t rows;
static _Alignas(8) uint8_t in[65536], out[65536];

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

static uint8_t *put_type(uint8_t *p, uint16_t type)
{
    memcpy(p, &type, 2);
    memset(p + 2, 0, 2);
    return p + 4;
}

static uint8_t *put_octets(uint8_t *p, const void *v, uint32_t len)
{
    p = put32(p, len);
    memset(p, 0, (len + 3) & ~3u);
    memcpy(p, v, len);
    return p + ((len + 3) & ~3u);
}

static uint8_t *put_oid(uint8_t *p, uint8_t prefix, const uint32_t *sub,
                        uint8_t n)
{
    *p++ = n;
    *p++ = prefix;
    *p++ = 0;
    *p++ = 0;
    memcpy(p, sub, 4u * n);
    return p + 4u * n;
}

static uint8_t *put_value(uint8_t *p, uint32_t column)
{
    static const uint32_t nas_port[] = { NAS_PORT_IF_INDEX, 0 };
    uint32_t port[NAS_PORT_LEN];
    char user[USER_ID_LEN + 1];
    uint8_t ip[4];

    switch (column) {
    case CASN_USER_ID:
        row_user_id(user, 1);
        return put_octets(p, user, USER_ID_LEN);
    case CASN_IP_ADDR:
        row_ip_addr(ip, 1);
        return put_octets(p, ip, 4);
    case CASN_DISCONNECT:
        return put32(p, CASN_DISCONNECT_FALSE);
    case CASN_NAS_PORT: /* prefix 2 stands for the first five of them */
        memcpy(port, nas_port, sizeof(port));
        port[NAS_PORT_LEN - 1] = row_nas_port(1);
        return put_oid(p, 2, port + 5, NAS_PORT_LEN - 5);
    }
    return put32(p, 0);
}

static void prepare(void)
{
    static const uint16_t type[] = {
        [CASN_USER_ID] = OCTET_STRING,    [CASN_IP_ADDR] = IP_ADDRESS,
        [CASN_IDLE_TIME] = GAUGE32,       [CASN_DISCONNECT] = INTEGER,
        [CASN_CALL_TRACKER_ID] = GAUGE32, [CASN_NAS_PORT] = OBJECT_IDENTIFIER,
        [CASN_VAI_IF_INDEX] = INTEGER
    };
    uint32_t sub[CELL_SUBIDS];

    memcpy(sub, cell_sub, sizeof(cell_sub));
    for (uint32_t c = CASN_FIRST_COLUMN; c <= CASN_LAST_COLUMN; c++) {
        sub[CELL_COLUMN] = c;
        sub[CELL_INDEX] = 0;
        uint8_t *p = put_type(canned[c].bytes, type[c]);
        p = put_oid(p, CELL_PREFIX, sub, CELL_SUBIDS);
        canned[c].len = (size_t)(put_value(p, c) - canned[c].bytes);
    }
}

/* The slow path, for the first request of a walk: the position of any other OID. */
static void locate(const struct wire_oid *o, uint32_t *column, uint32_t *index)
{
    static const uint32_t entry[] = { CASN_ACTIVE_TABLE, 1 };
    enum { ENTRY_LEN = CASN_ACTIVE_TABLE_LEN + 1 };
    uint32_t full[5 + 128] = { 1, 3, 6, 1, o->prefix };
    size_t lead = o->prefix ? 5 : 0, len = lead + o->n_subid;

    memcpy(full + lead, o->sub, 4u * o->n_subid);
    *column = CASN_FIRST_COLUMN;
    *index = 0;
    for (size_t i = 0; i < ENTRY_LEN; i++) {
        if (i == len || full[i] < entry[i])
            return;
        if (full[i] > entry[i]) {
            *column = CASN_LAST_COLUMN + 1;
            return;
        }
    }
    if (len == ENTRY_LEN || full[ENTRY_LEN] < CASN_FIRST_COLUMN)
        return;
    *column = full[ENTRY_LEN];
    if (len > ENTRY_LEN + 1)
        *index = full[ENTRY_LEN + 1];
}

/* Appends the prepared varbind for one search range, with its index. */
static uint8_t *answer(uint8_t *p, const struct wire_oid *o, bool next)
{
    uint32_t column, index;
    bool cell = o->n_subid == CELL_SUBIDS && o->prefix == CELL_PREFIX &&
                memcmp(o->sub, cell_sub, sizeof(cell_sub)) == 0;

    if (cell) {
        column = o->sub[CELL_COLUMN];
        index = o->sub[CELL_INDEX];
    } else {
        locate(o, &column, &index);
    }
    if (next && !(cell && o->include && index > 0 && index <= rows)) {
        if (column < CASN_FIRST_COLUMN) {
            column = CASN_FIRST_COLUMN;
            index = 0;
        }
        if (index++ >= rows) {
            column++;
            index = 1;
        }
    }
    if (column < CASN_FIRST_COLUMN || column > CASN_LAST_COLUMN || index < 1 ||
        index > rows || (!next && !cell)) {
        p = put_type(p, next ? END_OF_MIB_VIEW : NO_SUCH_INSTANCE);
        return put_oid(p, o->prefix, o->sub, o->n_subid);
    }
    memcpy(p, canned[column].bytes, canned[column].len);
    memcpy(p + INDEX_OFFSET, &index, 4);
    return p + canned[column].len;
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

#ifndef YIELDS
#define YIELDS 0
#endif

/*
 * With YIELDS it yields the CPU that often before the read blocks. A reader that
 * blocks on a unix socket is also woken, without need, when the master reads our
 * answer; a reader that yields is not.
 */
static ssize_t read_some(int fd, void *p, size_t n)
{
    for (int i = 0; i < YIELDS; i++) {
        ssize_t r = recv(fd, p, n, MSG_DONTWAIT);
        if (r >= 0 || errno != EAGAIN)
            return r;
        sched_yield();
    }
    return read(fd, p, n);
}

/* Reads the next PDU, with one read unless the PDU is not complete. */
static bool read_pdu(int fd, struct header *h)
{
    size_t have = 0, want = HEADER_LEN;

    while (have < want) {
        ssize_t r = read_some(fd, in + have, sizeof(in) - have);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        have += (size_t)r;
        if (have >= HEADER_LEN) {
            memcpy(h, in, HEADER_LEN);
            want = HEADER_LEN + h->length;
            if (want > sizeof(in))
                return false;
        }
    }
    return have == want; /* the master never sends a PDU before the answer to the last */
}

static bool send_request(int fd, struct header h, uint8_t *end)
{
    h.version = 1;
    h.length = (uint32_t)(end - out) - HEADER_LEN;
    memcpy(out, &h, HEADER_LEN);
    return write_all(fd, out, (size_t)(end - out)) && read_pdu(fd, &h) &&
           h.type == PDU_RESPONSE && in[HEADER_LEN + 4] == 0 &&
           in[HEADER_LEN + 5] == 0;
}

static bool open_and_register(int fd)
{
    static const uint32_t table[] = { CASN_ACTIVE_TABLE };
    struct header h = { .type = PDU_OPEN };
    uint8_t *p = put32(out + HEADER_LEN, 0); /* 0: the master's own time-out */

    p = put_oid(p, 0, NULL, 0);
    p = put_octets(p, "bench-canned", 12);
    if (!send_request(fd, h, p))
        return false;

    memcpy(&h.session, in + 4, 4);
    h.type = PDU_REGISTER;
    h.packet = 1;
    p = put32(out + HEADER_LEN, 127u << 8); /* time-out 0, priority 127 */
    return send_request(fd, h, put_oid(p, 0, table, CASN_ACTIVE_TABLE_LEN));
}

static uint8_t *answer_all(uint8_t *p, const struct header *h)
{
    const uint8_t *r = in + HEADER_LEN, *end = r + h->length;

    while (r + 8 <= end) { /* a range is two OIDs; the upper bound is not needed */
        const struct wire_oid *start = (const void *)r;
        r += 4 + 4u * start->n_subid;
        r += 4 + 4u * ((const struct wire_oid *)(const void *)r)->n_subid;
        p = answer(p, start, h->type == PDU_GET_NEXT);
    }
    return p;
}

static void serve(int fd)
{
    struct header h;

    while (read_pdu(fd, &h)) {
        uint32_t error = 0;
        uint8_t *p = out + HEADER_LEN + RESPONSE_LEN;

        if (h.flags & (FLAG_NETWORK_BYTE_ORDER | FLAG_NON_DEFAULT_CONTEXT))
            return;
        if (h.type == PDU_RESPONSE || h.type == PDU_CLEANUP_SET)
            continue;
        if (h.type == PDU_GET || h.type == PDU_GET_NEXT)
            p = answer_all(p, &h);
        else
            error = h.type == PDU_TEST_SET ? ERROR_NOT_WRITABLE
                                           : ERROR_PROCESSING;
        h.type = PDU_RESPONSE;
        h.length = (uint32_t)(p - out) - HEADER_LEN;
        memcpy(out, &h, HEADER_LEN);
        put32(out + HEADER_LEN, 0); /* sysUpTime: set by the master */
        put32(out + HEADER_LEN + 4, error | (error ? 1u << 16 : 0));
        if (!write_all(fd, out, (size_t)(p - out)))
            return;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    if (argc != 5 || strcmp(argv[1], "-socket") != 0 ||
        strcmp(argv[3], "-rows") != 0 ||
        strlen(argv[2]) >= sizeof(addr.sun_path)) {
        fprintf(stderr, "usage: %s -socket PATH -rows N\n", argv[0]);
        return 2;
    }
    strcpy(addr.sun_path, argv[2]);
    rows = (uint32_t)strtoul(argv[4], NULL, 10);
    prepare();

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        !open_and_register(fd)) {
        perror("canned: cannot register casnActiveTable");
        return 1;
    }
    serve(fd); /* until the master goes away */
    return 0;
}
