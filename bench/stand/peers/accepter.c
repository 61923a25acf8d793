/*
 * accepter: a RADIUS authentication server on 127.0.0.1 that answers correctly and keeps nothing.
 *
 *   accepter PORT BUFFER
 *
 * BUFFER is the size of its receive buffer in octets. A request with User-Password gets an Access-Accept
 * if it is the user's password. One with EAP-Message gets an Access-Challenge, the next, with the State
 * of that, another, and the third an Access-Accept with MS-MPPE keys: the rounds, lengths and attributes
 * of EAP-MSCHAPv2. The State has the number of the user and of the round, and a checksum. Any other
 * request gets an Access-Reject. One without a correct Message-Authenticator gets no answer. Both count
 * as wrong. A datagram of one octet is answered with the counts, as one line of JSON.
 *
 * It is in C, with one thread and many packets per system call, because it shares the CPUs with the
 * contenders.
 */
#define _GNU_SOURCE
#include "server.h"

static struct key key;
static unsigned long requests, wrong;

static void die(const char *what)
{
    fprintf(stderr, "accepter: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void make_state(uint8_t state[STATE_OCTETS], uint32_t user, int round)
{
    uint8_t said[5] = { user >> 24, user >> 16, user >> 8, user, round }, sum[16];
    struct md5 m;

    md5_begin(&m);
    md5_add(&m, key.secret, strlen(key.secret));
    md5_add(&m, said, sizeof said);
    md5_end(&m, sum);
    memcpy(state, said, sizeof said);
    memcpy(state + sizeof said, sum, STATE_OCTETS - sizeof said);
}

/* Returns the round of a request with an EAP-Message, or -1 if it is none that a user sends. */
static int round_of(const uint8_t *request, uint32_t user)
{
    uint8_t want[STATE_OCTETS];
    unsigned n, length;
    const uint8_t *state = find(request, STATE, &n), *eap = find(request, EAP_MESSAGE, &length);
    int round = 0;

    if (length < 5 || eap[0] != EAP_RESPONSE || (eap[2] << 8 | eap[3]) != (int) length)
        return -1;
    if (state != NULL) {
        if (n != STATE_OCTETS || state[4] < 1 || state[4] >= ROUNDS)
            return -1;
        round = state[4];
        make_state(want, user, round);
        if (memcmp(state, want, STATE_OCTETS) != 0)
            return -1;
    }
    if (eap[1] != round || (round > 0 && length != response_octets[round]))
        return -1;
    return round;
}

static uint8_t *put_eap(uint8_t *p, int code, int identifier, unsigned length)
{
    uint8_t eap[253] = { code, identifier, 0, length, EAP_MSCHAPV2 };

    return put(p, EAP_MESSAGE, eap, length);
}

static uint8_t *put_key(uint8_t *p, int type, uint32_t user, const uint8_t *authenticator)
{
    uint8_t value[6 + ENCRYPTED_KEY] = { 0, 0, MICROSOFT >> 8, MICROSOFT & 255, type, 2 + ENCRYPTED_KEY, 0x80 | user, type }, plain[48];

    user_key(plain, user, type);
    hide_key(&key, authenticator, value + 6, plain, value + 8, 0);
    return put(p, VENDOR_SPECIFIC, value, sizeof value);
}

/* What an Access-Accept has for every user. */
static uint8_t *put_service(uint8_t *p, uint32_t user)
{
    char class[17];

    user_class(class, user);
    p = put_number(p, SERVICE_TYPE, 2);    /* Framed */
    p = put_number(p, FRAMED_PROTOCOL, 1); /* PPP */
    p = put_number(p, FRAMED_IP_ADDRESS, 0x0a000000 + user);
    p = put_number(p, SESSION_TIMEOUT, 86400);
    return put(p, CLASS, class, 16);
}

static uint8_t *answer_eap(uint8_t *answer, const uint8_t *request, uint32_t user, uint8_t *p)
{
    uint8_t state[STATE_OCTETS], success[4] = { EAP_SUCCESS, 0, 0, 4 };
    int round = round_of(request, user);

    if (round < 0)
        return p;
    if (round < ROUNDS - 1) {
        answer[0] = ACCESS_CHALLENGE;
        p = put_eap(p, EAP_REQUEST, round + 1, challenge_octets[round]);
        make_state(state, user, round + 1);
        return put(p, STATE, state, STATE_OCTETS);
    }
    answer[0] = ACCESS_ACCEPT;
    success[1] = round;
    p = put(p, EAP_MESSAGE, success, sizeof success);
    p = put_key(p, MPPE_RECV_KEY, user, request + 4);
    p = put_key(p, MPPE_SEND_KEY, user, request + 4);
    return put_service(p, user);
}

/* Makes the answer to a packet. Returns its length, 0 for none. */
static unsigned make_answer(uint8_t *answer, const uint8_t *request, unsigned length)
{
    unsigned n;
    const uint8_t *value;
    uint8_t sum[16], password[PASSWORD_OCTETS], *p;
    int64_t user;

    if (length == 1)
        return sprintf((char *) answer, "{\"Requests\":%lu,\"Wrong\":%lu}", requests, wrong);
    requests++;
    if (!is_packet(request, length) || request[0] != ACCESS_REQUEST || (value = find(request, MESSAGE_AUTHENTICATOR, &n)) == NULL || n != 16) {
        wrong++;
        return 0;
    }
    hmac(&key, request, request + 4, value, sum);
    if (memcmp(sum, value, 16) != 0) {
        wrong++;
        return 0;
    }
    p = begin_packet(answer, ACCESS_REJECT, request[1]);
    value = find(request, USER_NAME, &n);
    user = value == NULL ? -1 : user_number(value, n);
    if (user >= 0 && find(request, EAP_MESSAGE, &n) != NULL) {
        p = answer_eap(answer, request, user, p);
    } else if (user >= 0 && (value = find(request, USER_PASSWORD, &n)) != NULL && n == PASSWORD_OCTETS) {
        hide_password(&key, request + 4, value, sum);
        user_password(password, user);
        if (memcmp(sum, password, PASSWORD_OCTETS) == 0) {
            answer[0] = ACCESS_ACCEPT;
            p = put_service(p, user);
        }
    }
    wrong += answer[0] == ACCESS_REJECT;
    for (value = request + HEADER; value < request + length; value += value[1])
        if (value[0] == PROXY_STATE && p - answer + value[1] <= MAX_PACKET)
            p = put(p, PROXY_STATE, value + 2, value[1] - 2);
    end_packet(answer, p);
    hmac(&key, answer, request + 4, answer + HEADER + 2, answer + HEADER + 2);
    response_authenticator(&key, answer, request + 4, answer + 4);
    return p - answer;
}

int main(int argc, char **argv)
{
    static struct exchange x;
    int fd;

    if (argc != 3)
        return 2;
    fd = open_port(argv[1], argv[2]);
    set_key(&key, SECRET);
    for (;;) {
        int n = receive(fd, &x);

        for (int k = 0; k < n; k++) {
            unsigned length = make_answer(x.out[x.made], x.in[k], x.received[k].msg_len);

            if (length > 0)
                add_answer(&x, k, length);
        }
        send_answers(fd, &x);
    }
}
