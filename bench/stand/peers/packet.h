/*
 * packet.h: the parts of RADIUS authentication that logins.c, accepter.c and syncer.c need: MD5 (RFC 1321),
 * Message-Authenticator (RFC 3579 section 3.2), Response Authenticator (RFC 2865 section 3),
 * User-Password (RFC 2865 section 5.2) and MS-MPPE keys (RFC 2548 section 2.4.2).
 *
 * A user has a number, from which the first two derive name, password and keys, so each can check what
 * arrives.
 */
#include "header.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "testing123" /* nasload.SharedSecret */
#define MAX_PACKET 4096

enum { ACCESS_REQUEST = 1, ACCESS_ACCEPT = 2, ACCESS_REJECT = 3, ACCESS_CHALLENGE = 11 };
enum {
    USER_NAME = 1, USER_PASSWORD = 2, NAS_IP_ADDRESS = 4, NAS_PORT = 5, SERVICE_TYPE = 6, FRAMED_PROTOCOL = 7,
    FRAMED_IP_ADDRESS = 8, FRAMED_MTU = 12, STATE = 24, CLASS = 25, VENDOR_SPECIFIC = 26, SESSION_TIMEOUT = 27,
    CALLING_STATION_ID = 31, NAS_IDENTIFIER = 32, PROXY_STATE = 33, NAS_PORT_TYPE = 61, EAP_MESSAGE = 79,
    MESSAGE_AUTHENTICATOR = 80
};
enum { MICROSOFT = 311, MPPE_SEND_KEY = 16, MPPE_RECV_KEY = 17 };
enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_IDENTITY = 1, EAP_MSCHAPV2 = 26 };

#define STATE_OCTETS 16    /* as FreeRADIUS has */
#define PASSWORD_OCTETS 16 /* of the attribute */
#define KEY_OCTETS 32
/* Salt, and the key's length, the key and the padding in blocks. */
#define ENCRYPTED_KEY (2 + 48)
/* The EAP packets of a login have the lengths of EAP-MSCHAPv2. */
#define ROUNDS 3
static const uint8_t challenge_octets[] = { 42, 56 }, response_octets[] = { 0, 82, 6 };

struct md5 {
    uint32_t state[4];
    uint64_t length;
    uint8_t block[64];
};

static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t md5_turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

static inline uint32_t md5_mix(int i, uint32_t b, uint32_t c, uint32_t d)
{
    switch (i / 16) {
    case 0: return (b & c) | (~b & d);
    case 1: return (d & b) | (~d & c);
    case 2: return b ^ c ^ d;
    default: return c ^ (b | ~d);
    }
}

static void md5_block(uint32_t state[4], const uint8_t *p)
{
    static const uint8_t factors[4] = { 1, 5, 3, 7 }, offsets[4] = { 0, 1, 5, 0 };
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], words[16];

    memcpy(words, p, sizeof words); /* the octets are in the order of the CPUs that we have */
#pragma GCC unroll 64
    for (int i = 0; i < 64; i++) {
        uint32_t sum = a + md5_mix(i, b, c, d) + md5_sines[i] + words[(factors[i / 16] * i + offsets[i / 16]) % 16];
        int turn = md5_turns[i / 16][i % 4];

        a = d;
        d = c;
        c = b;
        b += sum << turn | sum >> (32 - turn);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static void md5_add(struct md5 *m, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        size_t used = m->length % 64, part = n < 64 - used ? n : 64 - used;

        memcpy(m->block + used, p, part);
        m->length += part;
        if (used + part == 64)
            md5_block(m->state, m->block);
        p += part;
        n -= part;
    }
}

static void md5_begin(struct md5 *m)
{
    *m = (struct md5) { .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

static void md5_end(struct md5 *m, uint8_t sum[16])
{
    static const uint8_t padding[64] = { 0x80 };
    uint64_t bits = m->length * 8;

    md5_add(m, padding, 1 + (119 - m->length % 64) % 64);
    md5_add(m, &bits, 8);
    memcpy(sum, m->state, 16);
}

/* A secret, and its HMAC-MD5 (RFC 2104) after the pads. */
struct key {
    const char *secret;
    struct md5 inner, outer;
};

static void set_key(struct key *k, const char *secret)
{
    uint8_t pad[64] = { 0 };

    k->secret = secret;
    memcpy(pad, secret, strlen(secret)); /* shorter than a block */
    for (int i = 0; i < 64; i++)
        pad[i] ^= 0x36;
    md5_begin(&k->inner);
    md5_add(&k->inner, pad, 64);
    for (int i = 0; i < 64; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    md5_begin(&k->outer);
    md5_add(&k->outer, pad, 64);
}

/* The Message-Authenticator of a packet. The value in it counts as zeros, and authenticator replaces the
   packet's own. */
static inline void hmac(const struct key *k, const uint8_t *packet, const uint8_t *authenticator, const uint8_t *value, uint8_t sum[16])
{
    static const uint8_t zeros[16];
    struct md5 m = k->inner;

    md5_add(&m, packet, 4);
    md5_add(&m, authenticator, AUTHENTICATOR);
    md5_add(&m, packet + HEADER, value - packet - HEADER);
    md5_add(&m, zeros, 16);
    md5_add(&m, value + 16, packet + packet_length(packet) - value - 16);
    md5_end(&m, sum);
    m = k->outer;
    md5_add(&m, sum, 16);
    md5_end(&m, sum);
}

static void response_authenticator(const struct key *k, const uint8_t *answer, const uint8_t *request_authenticator, uint8_t sum[16])
{
    struct md5 m;

    md5_begin(&m);
    md5_add(&m, answer, 4);
    md5_add(&m, request_authenticator, AUTHENTICATOR);
    md5_add(&m, answer + HEADER, packet_length(answer) - HEADER);
    md5_add(&m, k->secret, strlen(k->secret));
    md5_end(&m, sum);
}

static inline uint8_t *put(uint8_t *p, int type, const void *value, size_t n)
{
    *p++ = type;
    *p++ = 2 + n;
    memcpy(p, value, n);
    return p + n;
}

static inline uint8_t *put_number(uint8_t *p, int type, uint32_t n)
{
    uint8_t value[4] = { n >> 24, n >> 16, n >> 8, n };

    return put(p, type, value, 4);
}

/* Begins a packet with its Message-Authenticator, which is still zeros. */
static inline uint8_t *begin_packet(uint8_t *packet, int code, int identifier)
{
    memset(packet, 0, HEADER + 18);
    packet[0] = code;
    packet[1] = identifier;
    packet[HEADER] = MESSAGE_AUTHENTICATOR;
    packet[HEADER + 1] = 18;
    return packet + HEADER + 18;
}

static void end_packet(uint8_t *packet, const uint8_t *end)
{
    packet[2] = (end - packet) >> 8;
    packet[3] = end - packet;
}

/* Returns an attribute's value and its length, or NULL if there is none or the packet is malformed. */
static inline const uint8_t *find(const uint8_t *packet, int type, unsigned *n)
{
    const uint8_t *p = packet + HEADER, *end = packet + packet_length(packet);

    *n = 0;
    for (; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1])
        if (p[0] == type) {
            *n = p[1] - 2;
            return p + 2;
        }
    return NULL;
}

/* Reports whether these octets are a packet whose attributes fill it. */
static inline int is_packet(const uint8_t *b, unsigned n)
{
    const uint8_t *p = b + HEADER, *end;

    if (n < HEADER || packet_length(b) != n)
        return 0;
    for (end = b + n; end - p >= 2 && p[1] >= 2 && p[1] <= end - p; p += p[1])
        ;
    return p == end;
}

static const char user_format[] = "user%07u@isp.example"; /* nasload.UserName */

static inline int user_name(char *name, size_t size, uint32_t user) { return snprintf(name, size, user_format, user); }

/* Returns the number of a user, or -1. */
static inline int64_t user_number(const uint8_t *name, unsigned n)
{
    int64_t number = 0;
    unsigned i = 4;

    if (n < 4 || memcmp(name, "user", 4) != 0)
        return -1;
    for (; i < n && name[i] >= '0' && name[i] <= '9' && i < 14; i++)
        number = number * 10 + name[i] - '0';
    return i > 4 && n - i == 12 && memcmp(name + i, "@isp.example", 12) == 0 ? number : -1;
}

/* The Class of a user. */
static inline void user_class(char class[17], uint32_t user) { snprintf(class, 17, "class-%010u", user); }

/* The password of a user, with its padding. */
static inline void user_password(uint8_t password[PASSWORD_OCTETS], uint32_t user)
{
    memcpy(password, "secret-", 8);
    memset(password + 7, 0, PASSWORD_OCTETS - 7);
    for (int i = 14; i > 6; i--, user >>= 4)
        password[i] = "0123456789abcdef"[user & 15];
}

static inline void hide_password(const struct key *k, const uint8_t *authenticator, const uint8_t in[PASSWORD_OCTETS], uint8_t out[PASSWORD_OCTETS])
{
    struct md5 m;
    uint8_t sum[16];

    md5_begin(&m);
    md5_add(&m, k->secret, strlen(k->secret));
    md5_add(&m, authenticator, AUTHENTICATOR);
    md5_end(&m, sum);
    for (int i = 0; i < PASSWORD_OCTETS; i++)
        out[i] = in[i] ^ sum[i];
}

/* An MS-MPPE key of a user, with its length and padding. */
static inline void user_key(uint8_t key[48], uint32_t user, int type)
{
    memset(key, 0, 48);
    key[0] = KEY_OCTETS;
    for (int i = 1; i <= KEY_OCTETS; i++)
        key[i] = (user >> i % 24) + i * type;
}

/* Encrypts (or decrypts, if back) an MS-MPPE key. */
static inline void hide_key(const struct key *k, const uint8_t *authenticator, const uint8_t salt[2], const uint8_t in[48], uint8_t out[48], int back)
{
    const uint8_t *before = NULL;

    for (int block = 0; block < 48; block += 16) {
        struct md5 m;
        uint8_t sum[16];

        md5_begin(&m);
        md5_add(&m, k->secret, strlen(k->secret));
        if (before != NULL) {
            md5_add(&m, before, 16);
        } else {
            md5_add(&m, authenticator, AUTHENTICATOR);
            md5_add(&m, salt, 2);
        }
        md5_end(&m, sum);
        for (int i = 0; i < 16; i++)
            out[block + i] = in[block + i] ^ sum[i];
        before = (back ? in : out) + block;
    }
}
