// Package cursor reads stored fields from front to back, as the append functions of encoding/binary wrote them: big-endian
// numbers, varints and runs of octets. It knows no layout: that is the reader's. What comes from a network has readers of
// its own (agent/agentx, agent/snmp/wire), whose faults say what is wrong where.
package cursor
