/*
 * The best implementation without a master: casnActiveTable inside snmpd, loaded
 * with dlmod, in the fastest form that we found for net-snmp 5.9.3.
 *
 * In snmpd.conf: dlmod insnmpd PATH. The environment variable BENCH_ROWS is the
 * number of rows.
 *
 * A hand-written handler finds a row by arithmetic on the index and processes
 * GetBulkRequests itself. The library's handler (bulk_to_next) gets one repetition
 * at a time, and after each checks the access to all repetitions so far, which
 * costs snmpd up to twice the CPU time. The library's table containers cost more
 * than three times as much. Names and values are written directly to where the
 * setters of the library would copy them.
 *
 * Built with -DLIBRARY_REPEATS it is the peer insnmpd-next: the same handler, but
 * the library makes the repetitions, as for nearly every module in use.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

struct session {
    u_long idle_time;
    u_long call_tracker_id;
    long disconnect;
    long vai_if_index;
    oid nas_port[NAS_PORT_LEN];
    u_char ip_addr[4];
    char user_id[USER_ID_LEN + 1];
};

static struct session *sessions; /* session N is at N-1 */
static uint32_t rows;

static const oid entry[] = { CASN_ACTIVE_TABLE, 1 };
enum { ENTRY_LEN = CASN_ACTIVE_TABLE_LEN + 1, CELL_LEN = ENTRY_LEN + 2 };

/* The names of libwrap's files of rules. */
extern char *hosts_allow_table, *hosts_deny_table;

static void put(netsnmp_variable_list *vb, u_char type, const void *v,
                size_t len)
{
    if (len > sizeof(vb->buf) && !(vb->val.string = malloc(len)))
        return; /* no value: the agent continues after the table */
    if (len <= sizeof(vb->buf))
        vb->val.string = vb->buf;
    memcpy(vb->val.string, v, len);
    vb->val_len = len;
    vb->type = type;
}

static void put_value(netsnmp_variable_list *vb, oid column,
                      const struct session *s)
{
    switch (column) {
    case CASN_USER_ID:
        put(vb, ASN_OCTET_STR, s->user_id, USER_ID_LEN);
        return;
    case CASN_IP_ADDR:
        put(vb, ASN_IPADDRESS, s->ip_addr, sizeof(s->ip_addr));
        return;
    case CASN_IDLE_TIME:
        put(vb, ASN_GAUGE, &s->idle_time, sizeof(s->idle_time));
        return;
    case CASN_DISCONNECT:
        put(vb, ASN_INTEGER, &s->disconnect, sizeof(s->disconnect));
        return;
    case CASN_CALL_TRACKER_ID:
        put(vb, ASN_GAUGE, &s->call_tracker_id, sizeof(s->call_tracker_id));
        return;
    case CASN_NAS_PORT:
        put(vb, ASN_OBJECT_ID, s->nas_port, sizeof(s->nas_port));
        return;
    case CASN_VAI_IF_INDEX:
        put(vb, ASN_INTEGER, &s->vai_if_index, sizeof(s->vai_if_index));
        return;
    }
}

/* A variable binding without a name has space for one in itself. */
static void put_name(netsnmp_variable_list *vb, oid column, oid index)
{
    if (!vb->name)
        vb->name = vb->name_loc;
    memcpy(vb->name, entry, sizeof(entry));
    vb->name[ENTRY_LEN] = column;
    vb->name[ENTRY_LEN + 1] = index;
    vb->name_length = CELL_LEN;
}

static bool is_cell(const netsnmp_variable_list *vb)
{
    const oid *n = vb->name;

    return vb->name_length == CELL_LEN &&
           memcmp(n, entry, sizeof(entry)) == 0 &&
           n[ENTRY_LEN] >= CASN_FIRST_COLUMN &&
           n[ENTRY_LEN] <= CASN_LAST_COLUMN && n[ENTRY_LEN + 1] >= 1 &&
           n[ENTRY_LEN + 1] <= rows;
}

/* Finds the cell after a name. Returns false at the end of the table. */
static bool find_next(const netsnmp_variable_list *vb, oid *column, oid *index)
{
    const oid *n = vb->name;
    size_t len = vb->name_length;
    int order = snmp_oid_ncompare(n, len, entry, ENTRY_LEN, ENTRY_LEN);

    *column = CASN_FIRST_COLUMN;
    *index = 1;
    if (order == 0 && len > ENTRY_LEN && n[ENTRY_LEN] >= CASN_FIRST_COLUMN) {
        *column = n[ENTRY_LEN];
        if (len > ENTRY_LEN + 1)
            *index = n[ENTRY_LEN + 1] + 1;
        if (*index > rows) {
            ++*column;
            *index = 1;
        }
    }
    return order <= 0 && *column <= CASN_LAST_COLUMN && rows > 0;
}

/*
 * Fills a variable binding and, if it repeats, those after it. If the table ends
 * earlier, the first one without a value gets the name of the last cell, and the
 * agent continues from there.
 */
static void answer_next(netsnmp_request_info *r, bool repeats)
{
    netsnmp_variable_list *vb = r->requestvb;
    oid column, index;

    if (!find_next(vb, &column, &index))
        return;
    for (;;) {
        put_name(vb, column, index);
        put_value(vb, column, &sessions[index - 1]);
        if (!repeats || r->repeat <= 0 || !vb->next_variable)
            return;
        r->repeat--;
        r->requestvb = vb = vb->next_variable;
        if (index++ == rows) {
            if (column == CASN_LAST_COLUMN) {
                put_name(vb, column, rows);
                vb->type = ASN_NULL;
                return;
            }
            column++;
            index = 1;
        }
    }
}

static int handle(netsnmp_mib_handler *handler,
                  netsnmp_handler_registration *reginfo,
                  netsnmp_agent_request_info *reqinfo,
                  netsnmp_request_info *requests)
{
    (void)handler;
    (void)reginfo;
    for (netsnmp_request_info *r = requests; r; r = r->next) {
        netsnmp_variable_list *vb = r->requestvb;
        if (r->processed)
            continue;
        if (reqinfo->mode != MODE_GET)
            answer_next(r, reqinfo->mode == MODE_GETBULK);
        else if (is_cell(vb))
            put_value(vb, vb->name[ENTRY_LEN],
                      &sessions[vb->name[ENTRY_LEN + 1] - 1]);
        else
            netsnmp_set_request_error(reqinfo, r, SNMP_NOSUCHINSTANCE);
    }
    return SNMP_ERR_NOERROR;
}

static int fill(void)
{
    static const oid if_index[] = { NAS_PORT_IF_INDEX };
    const char *n = getenv("BENCH_ROWS");

    rows = n ? (uint32_t)strtoul(n, NULL, 10) : 0;
    sessions = calloc(rows, sizeof(*sessions));
    if (!sessions)
        return -1;
    for (uint32_t id = 1; id <= rows; id++) {
        struct session *s = &sessions[id - 1];
        row_user_id(s->user_id, id);
        row_ip_addr(s->ip_addr, id);
        s->disconnect = CASN_DISCONNECT_FALSE;
        memcpy(s->nas_port, if_index, sizeof(if_index));
        s->nas_port[NAS_PORT_LEN - 1] = row_nas_port(id);
    }
    return 0;
}

#ifdef LIBRARY_REPEATS
enum { modes = HANDLER_CAN_RONLY };
#else
enum { modes = HANDLER_CAN_RONLY | HANDLER_CAN_GETBULK };
#endif

/* dlmod calls this function. */
void init_insnmpd(void)
{
    static const oid table[] = { CASN_ACTIVE_TABLE };
    /* In Debian's snmpd libwrap reads two files for each request. On a machine
       without these files a GET costs a quarter less. */
    static char none[] = "/nonexistent";
    hosts_allow_table = hosts_deny_table = none;

    if (fill() != 0 ||
        netsnmp_register_handler(netsnmp_create_handler_registration(
            "casnActiveTable", handle, table, OID_LENGTH(table),
            modes)) != MIB_REGISTERED_OK)
        snmp_log(LOG_ERR, "insnmpd: cannot register casnActiveTable\n");
}
