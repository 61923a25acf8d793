package snmpmib

import "aaasess/mib"

var engineRoot = mib.MustOID("1.3.6.1.6.3.10.2.1")

// engineState is a consistent pair of snmpEngineBoots and snmpEngineTime.
type engineState struct{ boots, time int32 }

// snmpEngine is the snmpEngine group (RFC 3411 section 5).
func snmpEngine(cfg Config) *mib.Module[*engineState] {
	type state = *engineState
	id := string(cfg.Engine.ID())
	integer := func(sub uint32, name string, get func(state) int32) mib.Scalar[state] {
		return scalar(engineRoot, sub, name, mib.Integer32, mib.ReadOnly, func(s state, v *mib.Value) { v.SetInteger32(get(s)) })
	}
	return &mib.Module[state]{
		Name: "SNMP-FRAMEWORK-MIB", Root: engineRoot,
		Pin: func() state {
			boots, time := cfg.Engine.BootsTime()
			return &engineState{boots, time}
		},
		Objects: []mib.Object[state]{
			scalar(engineRoot, 1, "snmpEngineID", mib.OctetString, mib.ReadOnly, func(_ state, v *mib.Value) { v.SetOctets(id) }),
			integer(2, "snmpEngineBoots", func(s state) int32 { return s.boots }),
			integer(3, "snmpEngineTime", func(s state) int32 { return s.time }),
			integer(4, "snmpEngineMaxMessageSize", func(state) int32 { return int32(cfg.MaxMessageSize) }),
		},
	}
}
