/*
 * The rows of the C peers: casnActiveTable of CISCO-AAA-SESSION-MIB with the rows
 * 1 to N. Every peer serves the same cells with the same types and lengths, so
 * that none is faster because it answers less.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdint.h>
#include <stdio.h>

/* casnActiveTable, without its entry (.1). */
#define CASN_ACTIVE_TABLE 1, 3, 6, 1, 4, 1, 9, 9, 150, 1, 1, 3
#define CASN_ACTIVE_TABLE_LEN 12

enum casn_column {
    CASN_USER_ID = 2,         /* OCTET STRING */
    CASN_IP_ADDR = 3,         /* IpAddress */
    CASN_IDLE_TIME = 4,       /* Gauge32 */
    CASN_DISCONNECT = 5,      /* INTEGER (TruthValue) */
    CASN_CALL_TRACKER_ID = 6, /* Gauge32 */
    CASN_NAS_PORT = 7,        /* OBJECT IDENTIFIER */
    CASN_VAI_IF_INDEX = 8     /* INTEGER */
};

#define CASN_FIRST_COLUMN CASN_USER_ID
#define CASN_LAST_COLUMN CASN_VAI_IF_INDEX

/* TruthValue false(2): this session is not being disconnected. */
#define CASN_DISCONNECT_FALSE 2

#define USER_ID_LEN 23 /* "user" + ten digits + "@isp.test" */

static inline void row_user_id(char out[USER_ID_LEN + 1], uint32_t id)
{
    snprintf(out, USER_ID_LEN + 1, "user%010lu@isp.test", (unsigned long)id);
}

/* Addresses of 10.0.0.0/8 in sequence: four octets in network byte order. */
static inline void row_ip_addr(uint8_t out[4], uint32_t id)
{
    out[0] = 10;
    out[1] = (uint8_t)(id >> 16);
    out[2] = (uint8_t)(id >> 8);
    out[3] = (uint8_t)id;
}

/* ifIndex.N of RFC 2863, N from 1 to 48: the port that carries the session. */
#define NAS_PORT_IF_INDEX 1, 3, 6, 1, 2, 1, 2, 2, 1, 1
#define NAS_PORT_LEN 11

static inline uint32_t row_nas_port(uint32_t id)
{
    return 1 + id % 48;
}

#endif
