/*
 * getter: a client with libnetsnmp that gets one cell at a time, as pollers with that library do, and
 * prints the median time of a request in nanoseconds.
 *
 *   getter PORT ROWS COUNT
 *
 * A client in Go also measures its own runtime. Depending on the timing of the agent's answers, sysmon
 * takes the processor (P) away from the client during its system calls.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <stdlib.h>
#include <time.h>

static int compare(const void *a, const void *b)
{
    long x = *(const long *) a, y = *(const long *) b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    /* casnUserId, then one sub-identifier for casnSessionId */
    oid name[] = { 1, 3, 6, 1, 4, 1, 9, 9, 150, 1, 1, 3, 1, 2, 0 };
    const size_t length = sizeof name / sizeof *name;
    netsnmp_session session, *s;
    char peer[64];
    long rows, count, *took;

    if (argc != 4)
        return 2;
    rows = atol(argv[2]);
    count = atol(argv[3]);
    took = calloc(count, sizeof *took);
    if (rows < 1 || count < 1 || took == NULL)
        return 2;
    snmp_sess_init(&session);
    snprintf(peer, sizeof peer, "127.0.0.1:%s", argv[1]);
    session.version = SNMP_VERSION_2c;
    session.peername = peer;
    session.community = (u_char *) "public";
    session.community_len = 6;
    session.timeout = 5000000;
    session.retries = 0;
    s = snmp_open(&session);
    if (s == NULL)
        return 1;
    srand(1);
    for (long i = 0; i < count; i++) {
        netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GET), *answer = NULL;
        struct timespec begin, end;
        int status;

        name[length - 1] = 1 + rand() % rows;
        snmp_add_null_var(request, name, length);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        status = snmp_synch_response(s, request, &answer);
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (status != STAT_SUCCESS || answer->errstat != SNMP_ERR_NOERROR ||
            answer->variables->type != ASN_OCTET_STR) {
            fprintf(stderr, "getter: request %ld failed\n", i + 1);
            return 1;
        }
        took[i] = (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec;
        snmp_free_pdu(answer);
    }
    snmp_close(s);
    qsort(took, count, sizeof *took, compare);
    printf("%ld\n", took[count / 2]);
    return 0;
}
