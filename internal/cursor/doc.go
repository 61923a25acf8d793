// Package cursor reads stored fields from front to back, as written by the append functions of
// encoding/binary: big-endian numbers, varints and runs of octets. The caller knows the layout.
// Network input has its own readers (agent/agentx, agent/snmp/wire), whose errors name the problem
// and its place.
package cursor
