package snmpmib

import (
	"math/rand/v2"
	"slices"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/mib"
)

// Config provides the values of the objects. All fields are required unless their comment says
// otherwise. The functions are called from several goroutines and must not block.
type Config struct {
	System func() *System // returns the current system group
	// Modules are the agent's other modules, for the rows of sysORTable after ours.
	Modules []mib.Identity
	Engine  *usm.Engine // snmpEngine group, sysUpTime
	USM     *usm.USM    // usmStats and the current users
	// Policy returns the current policy. A policy is immutable, so a changed one has another
	// pointer.
	Policy func() *vacm.Policy
	// Targets returns the current targets of notifications. The list is immutable, so a changed one has
	// another pointer. nil, and a nil list, mean that there are none.
	Targets func() *[]notify.Target
	// Counts returns a copy of the engine's counters; nil means that all are 0.
	Counts func() Counts
	// MaxMessageSize is snmpEngineMaxMessageSize, 484..2147483647 octets.
	MaxMessageSize int
	// Settings keeps what managers SET in SNMPv2-MIB. nil means that they can SET only
	// snmpSetSerialNo.
	Settings *Settings
}

// System is the system group of SNMPv2-MIB, and snmpEnableAuthenTraps, as they are configured.
type System struct {
	Descr                   string  // sysDescr, at most 255 octets of ASCII, like the next three
	ObjectID                mib.OID // sysObjectID; empty means 0.0
	Contact, Name, Location string
	Services                int // sysServices, 0..127
	// AuthenTraps is snmpEnableAuthenTraps (RFC 3418): whether a request with a wrong community or
	// digest causes a notification.
	AuthenTraps bool
	// Fixed names the objects among sysContact, sysName, sysLocation and snmpEnableAuthenTraps that
	// the configuration gives a value. A SET of them is notWritable, as at snmpd. The values of the
	// others are the defaults until a manager SETs them.
	Fixed []string
}

// fixes reports whether the configuration gives the value of an object.
func (s *System) fixes(object string) bool { return slices.Contains(s.Fixed, object) }

// Counts are the counters of an engine since its start. Those of the snmp group have their MIB
// names without the prefix; the others are in SNMP-MPD-MIB and SNMP-TARGET-MIB. Counters that an
// engine does not have stay 0.
type Counts struct {
	InPkts, InBadVersions, InBadCommunityNames, InBadCommunityUses, InASNParseErrs uint64
	SilentDrops, ProxyDrops                                                        uint64

	// Obsolete since RFC 3418, but NMSes still read them.
	OutPkts                                                                uint64
	InTooBigs, InNoSuchNames, InBadValues, InReadOnlys, InGenErrs          uint64
	InTotalReqVars, InTotalSetVars                                         uint64
	InGetRequests, InGetNexts, InSetRequests, InGetResponses, InTraps      uint64
	OutTooBigs, OutNoSuchNames, OutBadValues, OutGenErrs                   uint64
	OutGetRequests, OutGetNexts, OutSetRequests, OutGetResponses, OutTraps uint64

	UnknownSecurityModels, InvalidMsgs, UnknownPDUHandlers uint64 // snmpMPDStats
	UnavailableContexts, UnknownContexts                   uint64 // SNMP-TARGET-MIB
}

// Parts returns the modules for [mib.New].
func Parts(cfg Config) []mib.Part {
	if cfg.Counts == nil {
		cfg.Counts = func() Counts { return Counts{} }
	}
	if cfg.Targets == nil {
		cfg.Targets = func() *[]notify.Target { return nil }
	}
	rows := &admin{policy: cfg.Policy, targets: cfg.Targets}
	return []mib.Part{
		system(cfg), snmp(cfg), snmpSet(&testAndIncr{}),
		snmpEngine(cfg), snmpMPDStats(cfg), targetMIB(cfg, rows), notificationMIB(rows),
		usmMIB(cfg), vacmMIB(cfg), communityMIB(cfg, rows),
	}
}

// newSpinLock returns the value of a spin lock after a start. The value does not survive a restart,
// so it is random (SNMPv2-TC TestAndIncr). Nothing can be changed under the locks of USM and VACM,
// so they keep it.
func newSpinLock() int32 { return rand.Int32() }
