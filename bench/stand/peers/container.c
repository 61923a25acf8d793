/*
 * The usual implementation: casnActiveTable with the container table handler of
 * libnetsnmp, as from mib2c's container template, over AgentX.
 *
 * usage: container -socket PATH -rows N
 *
 * The rows are in its default sorted container (a binary array). The values of a
 * row need no conversion. For each cell the library does its range check, one
 * binary search and the encoding of the answer. This program caches and computes
 * nothing.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/table_container.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

/* The container sorts by the first member, which must be a netsnmp_index. */
struct session {
    netsnmp_index index;
    oid id;
    oid nas_port[NAS_PORT_LEN];
    u_long idle_time;
    u_long call_tracker_id;
    long disconnect;
    long vai_if_index;
    u_char ip_addr[4];
    char user_id[USER_ID_LEN + 1];
};

static volatile sig_atomic_t running = 1;

static void stop(int signum)
{
    (void)signum;
    running = 0;
}

static int set_cell(netsnmp_variable_list *vb, unsigned int column,
                    const struct session *s)
{
    switch (column) {
    case CASN_USER_ID:
        return snmp_set_var_typed_value(vb, ASN_OCTET_STR, s->user_id,
                                        USER_ID_LEN);
    case CASN_IP_ADDR:
        return snmp_set_var_typed_value(vb, ASN_IPADDRESS, s->ip_addr,
                                        sizeof(s->ip_addr));
    case CASN_IDLE_TIME:
        return snmp_set_var_typed_value(vb, ASN_GAUGE, &s->idle_time,
                                        sizeof(s->idle_time));
    case CASN_DISCONNECT:
        return snmp_set_var_typed_value(vb, ASN_INTEGER, &s->disconnect,
                                        sizeof(s->disconnect));
    case CASN_CALL_TRACKER_ID:
        return snmp_set_var_typed_value(vb, ASN_GAUGE, &s->call_tracker_id,
                                        sizeof(s->call_tracker_id));
    case CASN_NAS_PORT:
        return snmp_set_var_typed_value(vb, ASN_OBJECT_ID, s->nas_port,
                                        sizeof(s->nas_port));
    case CASN_VAI_IF_INDEX:
        return snmp_set_var_typed_value(vb, ASN_INTEGER, &s->vai_if_index,
                                        sizeof(s->vai_if_index));
    }
    return -1;
}

/* The library has changed a GETNEXT into a GET of the row that it found. */
static int handle(netsnmp_mib_handler *handler,
                  netsnmp_handler_registration *reginfo,
                  netsnmp_agent_request_info *reqinfo,
                  netsnmp_request_info *requests)
{
    (void)handler;
    (void)reginfo;
    if (reqinfo->mode != MODE_GET)
        return SNMP_ERR_NOERROR;

    for (netsnmp_request_info *r = requests; r; r = r->next) {
        if (r->processed)
            continue;
        const struct session *s = netsnmp_container_table_row_extract(r);
        const netsnmp_table_request_info *info = netsnmp_extract_table_info(r);
        if (!s || !info) {
            netsnmp_set_request_error(reqinfo, r, SNMP_NOSUCHINSTANCE);
            continue;
        }
        if (set_cell(r->requestvb, info->colnum, s) != 0)
            netsnmp_set_request_error(reqinfo, r, SNMP_NOSUCHOBJECT);
    }
    return SNMP_ERR_NOERROR;
}

static int fill(netsnmp_container *table, uint32_t rows)
{
    static const oid if_index[] = { NAS_PORT_IF_INDEX };
    struct session *all = calloc(rows, sizeof(*all));

    if (!all)
        return -1;
    for (uint32_t id = 1; id <= rows; id++) {
        struct session *s = &all[id - 1];
        s->id = id;
        s->index.oids = &s->id;
        s->index.len = 1;
        row_user_id(s->user_id, id);
        row_ip_addr(s->ip_addr, id);
        s->disconnect = CASN_DISCONNECT_FALSE;
        memcpy(s->nas_port, if_index, sizeof(if_index));
        s->nas_port[NAS_PORT_LEN - 1] = row_nas_port(id);
        if (CONTAINER_INSERT(table, s) != 0)
            return -1;
    }
    return 0;
}

static int serve(uint32_t rows)
{
    static const oid table_oid[] = { CASN_ACTIVE_TABLE };
    netsnmp_container *table =
        netsnmp_container_find("casnActiveTable:table_container");
    netsnmp_table_registration_info *info =
        SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
    netsnmp_handler_registration *reg = netsnmp_create_handler_registration(
        "casnActiveTable", handle, table_oid, OID_LENGTH(table_oid),
        HANDLER_CAN_RONLY);

    if (!table || !info || !reg || fill(table, rows) != 0)
        return -1;
    netsnmp_table_helper_add_indexes(info, ASN_UNSIGNED, 0);
    info->min_column = CASN_FIRST_COLUMN;
    info->max_column = CASN_LAST_COLUMN;
    return netsnmp_container_table_register(reg, info, table,
                                            TABLE_CONTAINER_KEY_NETSNMP_INDEX);
}

int main(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], "-socket") != 0 ||
        strcmp(argv[3], "-rows") != 0) {
        fprintf(stderr, "usage: %s -socket PATH -rows N\n", argv[0]);
        return 2;
    }

    /* Ignore the configuration and the state of the machine. */
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                           NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                           NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    snmp_enable_stderrlog();
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
                          argv[2]);

    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    if (init_agent("bench-container") != 0 ||
        serve((uint32_t)strtoul(argv[4], NULL, 10)) != SNMPERR_SUCCESS) {
        fprintf(stderr, "container: cannot register casnActiveTable\n");
        return 1;
    }
    init_snmp("bench-container");

    while (running)
        agent_check_and_process(1);
    snmp_shutdown("bench-container");
    return 0;
}
