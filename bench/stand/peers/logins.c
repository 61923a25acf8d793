/*
 * logins: sends Access-Requests as NASes do to a RADIUS server on 127.0.0.1.
 *
 *   logins KIND PORT FIRST COUNT INFLIGHT RATE TIMEOUT TRIES OVER
 *
 * See load.h. A sequence is a login, and its number that of the user. KIND is
 * - "pap": a login is one request with User-Password;
 * - "eap": a login is three requests with EAP-Message, and the second and third have the State of the
 *   answer to the one before;
 * - "flood": as "pap", with a wrong secret and from another address. All answers are wrong.
 *
 * Each request has a Message-Authenticator in front. Of each answer it checks the Response Authenticator,
 * the Message-Authenticator if there is one, the code and what the server sent to this user; it decrypts
 * the MS-MPPE keys. Packets are made when they are sent, because those of EAP depend on answers. This
 * takes about a microsecond.
 */
#define _GNU_SOURCE
#include "load.h"
#include "packet.h"
#include <sys/random.h>

#define FLOODER 0x7f030001 /* 127.3.0.1, see stand.authConf */
#define MOST_OCTETS 384    /* of a request */

static struct key key;
static int with_eap;
static uint8_t packets[SOCKETS][IDENTIFIERS][MOST_OCTETS];
static uint8_t last_state[STATE_OCTETS]; /* of the challenge that was checked last */
static uint32_t last_user[IDENTIFIERS];  /* the last request with an identifier, plus one */
static uint8_t last_identifier;
static uint64_t seed[2];

static void open_requests(const char *kind)
{
    set_key(&key, strcmp(kind, "flood") == 0 ? "wrong" : SECRET);
    if (strcmp(kind, "flood") == 0) {
        source = FLOODER;
    } else if (strcmp(kind, "eap") == 0) {
        with_eap = 1;
        length = ROUNDS;
    } else if (strcmp(kind, "pap") != 0) {
        fprintf(stderr, "logins: no kind %s\n", kind);
        exit(2);
    }
    requests = calloc((size_t) count * length, sizeof *requests);
    if (requests == NULL || getrandom(seed, sizeof seed, 0) != sizeof seed)
        die("requests");
    memset(packets, 0xff, sizeof packets); /* the pages exist before the clock starts */
}

/* RUN logins in a row begin at one socket. */
static unsigned choose_socket(uint32_t i) { return (first + i) / RUN % SOCKETS; }

/*
 * Returns an identifier that is free on a socket, or -1. If there are few in flight, it is free on all
 * sockets, because some servers count identifiers by address.
 */
static int choose_identifier(unsigned s)
{
    for (unsigned k = 1; k <= IDENTIFIERS && in_flight + RUN < IDENTIFIERS; k++) {
        uint8_t id = last_identifier + k;

        if (slots[s][id] < 0 && (last_user[id] == 0 || requests[last_user[id] - 1].state != IN_FLIGHT))
            return id;
    }
    for (unsigned k = 1; k <= IDENTIFIERS; k++)
        if (slots[s][(uint8_t) (last_identifier + k)] < 0)
            return (uint8_t) (last_identifier + k);
    return -1;
}

/* A Request Authenticator: xorshift128+, whose first values nobody knows. */
static void put_random(uint8_t *p)
{
    for (int i = 0; i < AUTHENTICATOR; i += 8) {
        uint64_t a = seed[0], b = seed[1];

        a ^= a << 23;
        a ^= a >> 17 ^ b ^ b >> 26;
        seed[0] = b;
        seed[1] = a;
        a += b;
        memcpy(p + i, &a, 8);
    }
}

static uint8_t *put_response(uint8_t *p, int round, const char *name, unsigned octets)
{
    uint8_t eap[128] = { EAP_RESPONSE, round, 0, response_octets[round], EAP_MSCHAPV2 };

    if (round == 0) {
        eap[3] = 5 + octets;
        eap[4] = EAP_IDENTITY;
        memcpy(eap + 5, name, octets);
    }
    return put(p, EAP_MESSAGE, eap, eap[3]);
}

static int make_request(uint32_t i)
{
    unsigned s = requests[i].socket;
    uint32_t user = first + i / length;
    int round = i % length, octets, id = choose_identifier(s);
    uint8_t *packet, *p, password[PASSWORD_OCTETS];
    char name[64], mac[18];

    if (id < 0)
        return 0;
    last_identifier = id;
    last_user[id] = i + 1;
    packet = packets[s][id];
    requests[i].packet = packet;
    octets = user_name(name, sizeof name, user);
    snprintf(mac, sizeof mac, "02-00-%02X-%02X-%02X-%02X", user >> 24 & 255, user >> 16 & 255, user >> 8 & 255, user & 255);

    p = begin_packet(packet, ACCESS_REQUEST, id);
    put_random(packet + 4);
    p = put(p, USER_NAME, name, octets);
    if (with_eap) {
        p = put_response(p, round, name, octets);
        if (round > 0)
            p = put(p, STATE, last_state, STATE_OCTETS);
    } else {
        user_password(password, user);
        hide_password(&key, packet + 4, password, password);
        p = put(p, USER_PASSWORD, password, PASSWORD_OCTETS);
    }
    p = put_number(p, NAS_IP_ADDRESS, 0xc0000201);
    p = put_number(p, NAS_PORT, user);
    p = put_number(p, SERVICE_TYPE, 2);    /* Framed */
    p = put_number(p, FRAMED_PROTOCOL, 1); /* PPP */
    p = put(p, CALLING_STATION_ID, mac, 17);
    p = put(p, NAS_IDENTIFIER, "bras-1.isp.example", 18);
    p = put_number(p, NAS_PORT_TYPE, 15); /* Ethernet */
    end_packet(packet, p);
    hmac(&key, packet, packet + 4, packet + HEADER + 2, packet + HEADER + 2);
    return 1;
}

static int has_class(const uint8_t *answer, uint32_t user)
{
    char want[17];
    unsigned n;
    const uint8_t *class = find(answer, CLASS, &n);

    user_class(want, user);
    return class != NULL && n == 16 && memcmp(class, want, 16) == 0;
}

static int has_key(const uint8_t *answer, uint32_t user, const uint8_t *authenticator, int type)
{
    const uint8_t *p = answer + HEADER, *end = answer + packet_length(answer);
    uint8_t want[48], got[48];

    for (; p < end; p += p[1]) {
        if (p[0] != VENDOR_SPECIFIC || p[1] != 8 + ENCRYPTED_KEY || (p[4] << 8 | p[5]) != MICROSOFT || p[6] != type)
            continue;
        user_key(want, user, type);
        hide_key(&key, authenticator, p + 8, p + 10, got, 1);
        return memcmp(want, got, sizeof want) == 0;
    }
    return 0;
}

static int has_eap(const uint8_t *answer, int code, int identifier, unsigned octets)
{
    unsigned n;
    const uint8_t *eap = find(answer, EAP_MESSAGE, &n);

    return eap != NULL && n == octets && eap[0] == code && eap[1] == identifier;
}

static int is_correct(uint32_t i, const uint8_t *answer, unsigned octets)
{
    const uint8_t *authenticator = requests[i].packet + 4, *value;
    uint32_t user = first + i / length;
    int round = i % length, last = round == (int) length - 1;
    uint8_t sum[16];
    unsigned n;

    if (!is_packet(answer, octets) || answer[0] != (last ? ACCESS_ACCEPT : ACCESS_CHALLENGE))
        return 0;
    response_authenticator(&key, answer, authenticator, sum);
    if (memcmp(sum, answer + 4, AUTHENTICATOR) != 0)
        return 0;
    value = find(answer, MESSAGE_AUTHENTICATOR, &n);
    if (value != NULL) {
        hmac(&key, answer, authenticator, value, sum);
        if (n != 16 || memcmp(sum, value, 16) != 0)
            return 0;
    }
    if (last && !has_class(answer, user))
        return 0;
    if (!with_eap)
        return 1;
    if (last)
        return has_eap(answer, EAP_SUCCESS, round, 4) && has_key(answer, user, authenticator, MPPE_RECV_KEY) &&
            has_key(answer, user, authenticator, MPPE_SEND_KEY);
    value = find(answer, STATE, &n);
    if (value == NULL || n != STATE_OCTETS || !has_eap(answer, EAP_REQUEST, round + 1, challenge_octets[round]))
        return 0;
    memcpy(last_state, value, STATE_OCTETS);
    return 1;
}
