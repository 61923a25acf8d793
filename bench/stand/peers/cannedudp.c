/*
 * The limit of UDP and client: an SNMPv2c responder without a look-up. It parses
 * only the names of a GetRequest, GetNextRequest or GetBulkRequest (RFC 3416),
 * increments the index by one (at N it goes to the next column) and copies a
 * prepared variable binding of that column: one recvfrom, one sendto, no
 * allocation, no table, no access control, no counters. No responder with real
 * rows can answer faster.
 *
 * usage: cannedudp -port PORT -rows N
 *
 * Every row has the values of the first one, and the same lengths as in rows.h.
 * It listens on 127.0.0.1, answers the community "public" and drops all other
 * messages. It assumes that non-repeaters is 0.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rows.h"

enum { /* BER tags: RFC 3416 section 3, RFC 2578 section 7.1 */
    INTEGER = 0x02, OCTET_STRING = 0x04, OBJECT_IDENTIFIER = 0x06,
    SEQUENCE = 0x30, IP_ADDRESS = 0x40, GAUGE32 = 0x42,
    NO_SUCH_INSTANCE = 0x81, END_OF_MIB_VIEW = 0x82,
    GET_REQUEST = 0xa0, GET_NEXT_REQUEST = 0xa1, RESPONSE = 0xa2,
    GET_BULK_REQUEST = 0xa5
};

/* The octets of casnActiveEntry in a name. The column (one octet) and the index
   follow. */
static const uint8_t entry[] = { 0x2b, 6, 1, 4, 1, 9, 9, 0x81, 0x16, 1, 1, 3,
                                 1 };
enum { ENTRY_LEN = sizeof(entry), INDEX_OFFSET = 4 + ENTRY_LEN + 1 };
enum { INDEX_MAX = 5, NAME_MAX_LEN = 120, ASKED_MAX = 128 };
enum { CANNED_SIZE = 64, HEAD_ROOM = 512, ANSWER_MAX = 65507 - 256 };

/* A variable binding of each column for each length of the index. An answer
   changes only the octets of the index. */
static struct { uint8_t bytes[CANNED_SIZE]; uint32_t len; }
    canned[CASN_LAST_COLUMN + 1][INDEX_MAX + 1];

static uint32_t rows;
static uint8_t in[65536], out[HEAD_ROOM + 65536];

/* The octets of a requested name and its position: on a cell (which may not
   exist), or before the next cell. */
struct asked {
    const uint8_t *name;
    uint32_t len, column, index;
    bool cell;
};

static uint8_t *put(uint8_t *p, const void *v, size_t len)
{
    memcpy(p, v, len);
    return p + len;
}

static uint8_t *put_value(uint8_t *p, uint32_t column)
{
    static const uint8_t if_index[] = { 0x2b, 6, 1, 2, 1, 2, 2, 1, 1 };
    char user[USER_ID_LEN + 1];
    bool integer = column == CASN_DISCONNECT || column == CASN_VAI_IF_INDEX;

    switch (column) {
    case CASN_USER_ID:
        row_user_id(user, 1);
        *p++ = OCTET_STRING;
        *p++ = USER_ID_LEN;
        return put(p, user, USER_ID_LEN);
    case CASN_IP_ADDR:
        *p++ = IP_ADDRESS;
        *p++ = 4;
        row_ip_addr(p, 1);
        return p + 4;
    case CASN_NAS_PORT:
        *p++ = OBJECT_IDENTIFIER;
        *p++ = sizeof(if_index) + 1;
        p = put(p, if_index, sizeof(if_index));
        *p++ = (uint8_t)row_nas_port(1);
        return p;
    }
    *p++ = integer ? INTEGER : GAUGE32;
    *p++ = 1;
    *p++ = column == CASN_DISCONNECT ? CASN_DISCONNECT_FALSE : 0;
    return p;
}

static void prepare(void)
{
    for (uint32_t c = CASN_FIRST_COLUMN; c <= CASN_LAST_COLUMN; c++) {
        for (uint32_t n = 1; n <= INDEX_MAX; n++) {
            uint8_t *b = canned[c][n].bytes, *p = b;
            *p++ = SEQUENCE;
            p++; /* the length is written below */
            *p++ = OBJECT_IDENTIFIER;
            *p++ = (uint8_t)(ENTRY_LEN + 1 + n);
            p = put(p, entry, ENTRY_LEN);
            *p++ = (uint8_t)c;
            p = put_value(p + n, c);
            b[1] = (uint8_t)(p - b - 2);
            canned[c][n].len = (uint32_t)(p - b);
        }
    }
}

static uint8_t *put_cell(uint8_t *p, const struct asked *a)
{
    uint32_t i = a->index;
    uint32_t n = 1u + (i >> 7 != 0) + (i >> 14 != 0) + (i >> 21 != 0) +
                 (i >> 28 != 0);
    uint8_t *last = p + INDEX_OFFSET + n - 1;

    memcpy(p, canned[a->column][n].bytes, CANNED_SIZE);
    *last = i & 0x7f;
    while (i >>= 7)
        *--last = 0x80 | (i & 0x7f);
    return p + canned[a->column][n].len;
}

/* Appends a variable binding with the requested name and an exception. */
static uint8_t *put_exception(uint8_t *p, const struct asked *a, uint8_t tag)
{
    *p++ = SEQUENCE;
    *p++ = (uint8_t)(a->len + 4);
    *p++ = OBJECT_IDENTIFIER;
    *p++ = (uint8_t)a->len;
    p = put(p, a->name, a->len);
    *p++ = tag;
    *p++ = 0;
    return p;
}

/* The octets of a name compare with those of entry as the sub-identifiers do,
   because a longer encoding begins with a higher octet. */
static void locate(struct asked *a)
{
    const uint8_t *p = a->name + ENTRY_LEN, *end = a->name + a->len;
    bool shorter = a->len < ENTRY_LEN;
    int order = memcmp(a->name, entry, shorter ? a->len : ENTRY_LEN);

    a->cell = false;
    a->index = 0;
    a->column = order > 0 ? CASN_LAST_COLUMN + 1 : CASN_FIRST_COLUMN;
    if (order != 0 || shorter || p == end || *p < CASN_FIRST_COLUMN)
        return;
    a->column = *p++;
    while (p < end) {
        a->index = a->index << 7 | (*p & 0x7f);
        if (!(*p++ & 0x80)) {
            a->cell = p == end;
            return;
        }
    }
}

static uint8_t *answer_get(uint8_t *p, const struct asked *a)
{
    if (!a->cell || a->column > CASN_LAST_COLUMN || a->index < 1 ||
        a->index > rows)
        return put_exception(p, a, NO_SUCH_INSTANCE);
    return put_cell(p, a);
}

static uint8_t *answer_next(uint8_t *p, struct asked *a)
{
    if (a->column > CASN_LAST_COLUMN)
        return put_exception(p, a, END_OF_MIB_VIEW);
    if (a->index++ >= rows) {
        a->index = 1;
        if (++a->column > CASN_LAST_COLUMN)
            return put_exception(p, a, END_OF_MIB_VIEW);
    }
    return put_cell(p, a);
}

/* Reads a tag and a length. Returns NULL if the content does not end before end. */
static const uint8_t *enter(const uint8_t *p, const uint8_t *end, uint8_t tag,
                            uint32_t *len)
{
    if (end - p < 2 || p[0] != tag)
        return NULL;
    *len = p[1];
    p += 2;
    if (*len & 0x80) {
        uint32_t n = *len & 0x7f;
        if (n > 4 || end - p < n)
            return NULL;
        for (*len = 0; n > 0; n--)
            *len = *len << 8 | *p++;
    }
    return (size_t)(end - p) < *len ? NULL : p;
}

static const uint8_t *get_integer(const uint8_t *p, const uint8_t *end,
                                  uint32_t *v)
{
    uint32_t len;

    p = p ? enter(p, end, INTEGER, &len) : NULL;
    if (!p)
        return NULL;
    for (*v = 0; len > 0; len--)
        *v = *v << 8 | *p++;
    return p;
}

/* Parses the names of a VarBindList. Returns their number, or -1. */
static int get_names(const uint8_t *p, const uint8_t *end, struct asked *asked)
{
    uint32_t len;
    int n = 0;

    if (!(p = enter(p, end, SEQUENCE, &len)))
        return -1;
    for (end = p + len; p < end; n++) {
        const uint8_t *vb = enter(p, end, SEQUENCE, &len);
        if (!vb || n == ASKED_MAX)
            return -1;
        p = vb + len;
        struct asked *a = &asked[n];
        a->name = enter(vb, p, OBJECT_IDENTIFIER, &a->len);
        if (!a->name || a->len > NAME_MAX_LEN)
            return -1;
        locate(a);
    }
    return n;
}

static uint8_t *put_varbinds(uint8_t *p, uint8_t tag, struct asked *asked,
                             int n, uint32_t repetitions)
{
    const uint8_t *full = p + ANSWER_MAX - CANNED_SIZE - NAME_MAX_LEN;

    if (tag != GET_BULK_REQUEST)
        repetitions = 1;
    for (; repetitions > 0 && n > 0 && p < full; repetitions--)
        for (int i = 0; i < n && p < full; i++)
            p = tag == GET_REQUEST ? answer_get(p, &asked[i])
                                   : answer_next(p, &asked[i]);
    return p;
}

/* Writes a header in front of the octets from p to end. */
static uint8_t *wrap(uint8_t *p, const uint8_t *end, uint8_t tag)
{
    size_t len = (size_t)(end - p);

    *--p = (uint8_t)len;
    *--p = (uint8_t)(len >> 8);
    *--p = 0x82;
    *--p = tag;
    return p;
}

static uint8_t *put_before(uint8_t *p, const void *v, size_t len)
{
    return memcpy(p - len, v, len);
}

/* Makes the answer to the n octets at in, up to *end. Returns NULL if there is none. */
static uint8_t *answer(size_t n, uint8_t **end)
{
    /* version 1 stands for v2c (RFC 1901) */
    static const uint8_t head[] = { INTEGER, 1, 1, OCTET_STRING, 6, 'p', 'u',
                                    'b', 'l', 'i', 'c' };
    static const uint8_t no_error[] = { INTEGER, 1, 0, INTEGER, 1, 0 };
    static struct asked asked[ASKED_MAX];
    uint32_t len, request_id, non_repeaters, repetitions;
    const uint8_t *in_end = in + n, *p = enter(in, in_end, SEQUENCE, &len), *id;

    if (!p || (size_t)(in_end - p) < sizeof(head) + 1 ||
        memcmp(p, head, sizeof(head)) != 0)
        return NULL;
    p += sizeof(head);
    uint8_t tag = *p;
    if (tag != GET_REQUEST && tag != GET_NEXT_REQUEST && tag != GET_BULK_REQUEST)
        return NULL;
    id = enter(p, in_end, tag, &len);
    p = get_integer(id, in_end, &request_id);
    size_t id_len = (size_t)(p - id);
    p = get_integer(p, in_end, &non_repeaters);
    p = get_integer(p, in_end, &repetitions);
    int names = p ? get_names(p, in_end, asked) : -1;
    if (names < 0)
        return NULL;

    uint8_t *begin = out + HEAD_ROOM;
    *end = put_varbinds(begin, tag, asked, names, repetitions);
    begin = wrap(begin, *end, SEQUENCE);
    begin = put_before(begin, no_error, sizeof(no_error));
    begin = put_before(begin, id, id_len);
    begin = wrap(begin, *end, RESPONSE);
    begin = put_before(begin, head, sizeof(head));
    return wrap(begin, *end, SEQUENCE);
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = { .sin_family = AF_INET }, from;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (argc != 5 || strcmp(argv[1], "-port") != 0 ||
        strcmp(argv[3], "-rows") != 0) {
        fprintf(stderr, "usage: %s -port PORT -rows N\n", argv[0]);
        return 2;
    }
    addr.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rows = (uint32_t)strtoul(argv[4], NULL, 10);
    prepare();
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        perror("cannedudp: cannot listen");
        return 1;
    }
    for (;;) {
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from,
                             &from_len);
        uint8_t *end, *begin = n > 0 ? answer((size_t)n, &end) : NULL;
        if (begin)
            (void)!sendto(fd, begin, (size_t)(end - begin), 0,
                          (struct sockaddr *)&from, from_len);
    }
}
