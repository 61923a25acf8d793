package snmpmib

import (
	"math/rand/v2"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/mib"
)

// Config is where the objects have their values from. All members are needed unless their comment
// says otherwise; the functions are called from several goroutines and must not block.
type Config struct {
	// System gives the system group at present, as [Config.Policy] the policy. Its ORs are those of the start.
	System func() *System
	Engine *usm.Engine // snmpEngine group, sysUpTime
	USM    *usm.USM    // usmStats, and the users at present
	// Policy gives the policy at present. A policy never changes: another one is another pointer.
	Policy func() *vacm.Policy
	// Counts gives a copy of the engine's counters; nil means that nothing is counted.
	Counts func() Counts
	// MaxMessageSize is snmpEngineMaxMessageSize, 484..2147483647 octets.
	MaxMessageSize int
	// AuthenTraps is snmpEnableAuthenTraps: whether authenticationFailure is sent; nil means never.
	AuthenTraps func() bool
}

// System is the system group of SNMPv2-MIB.
type System struct {
	Descr                   string  // sysDescr, at most 255 octets of ASCII, as the next three
	ObjectID                mib.OID // sysObjectID; empty means 0.0
	Contact, Name, Location string
	Services                int  // sysServices, 0..127
	ORs                     []OR // rows of sysORTable behind those for the modules of this package
}

// OR is a row of sysORTable: a part of the MIB that the agent supports.
type OR struct {
	ID    mib.OID // sysORID
	Descr string  // sysORDescr
}

// Counts are the counters of an engine since it started. Those of the snmp group have their names
// there without the prefix; what follows them is of SNMP-MPD-MIB and SNMP-TARGET-MIB. Counters that
// an engine does not keep stay 0.
type Counts struct {
	InPkts, InBadVersions, InBadCommunityNames, InBadCommunityUses, InASNParseErrs uint64
	SilentDrops, ProxyDrops                                                        uint64

	// Obsolete since RFC 3418, but read by NMSes all the same.
	OutPkts                                                                uint64
	InTooBigs, InNoSuchNames, InBadValues, InReadOnlys, InGenErrs          uint64
	InTotalReqVars, InTotalSetVars                                         uint64
	InGetRequests, InGetNexts, InSetRequests, InGetResponses, InTraps      uint64
	OutTooBigs, OutNoSuchNames, OutBadValues, OutGenErrs                   uint64
	OutGetRequests, OutGetNexts, OutSetRequests, OutGetResponses, OutTraps uint64

	UnknownSecurityModels, InvalidMsgs, UnknownPDUHandlers uint64 // snmpMPDStats
	UnavailableContexts, UnknownContexts                   uint64 // SNMP-TARGET-MIB
}

// Parts are the modules, for [mib.New].
func Parts(cfg Config) []mib.Part {
	if cfg.Counts == nil {
		cfg.Counts = func() Counts { return Counts{} }
	}
	if cfg.AuthenTraps == nil {
		cfg.AuthenTraps = func() bool { return false }
	}
	return []mib.Part{
		system(cfg), snmp(cfg), snmpSet(&testAndIncr{}),
		snmpEngine(cfg), snmpMPDStats(cfg), snmpTarget(cfg),
		usmMIB(cfg), vacmMIB(cfg),
	}
}

// newSpinLock is the value of a spin lock after a start: since it does not outlive the process, a
// random one (SNMPv2-TC TestAndIncr). Nothing can be changed under the locks of USM and VACM, so they
// keep it.
func newSpinLock() int32 { return rand.Int32() }
