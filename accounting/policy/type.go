package policy

import (
	"fmt"

	"aaasess/accounting"
	"aaasess/sessions"
)

// Type is an accounting type (R40): what a list is for. System accounting is no Type, because its
// records are of the daemon and of no session.
type Type uint8

// The types. Those of sessions have the numbers of their kinds. [Commands] has those of commands.
const (
	Network    = Type(sessions.Network)
	Exec       = Type(sessions.Exec)
	Connection = Type(sessions.Connection)
	Resource   = Type(sessions.Resource) // calls, with or without a user (R51)
	// VRRS is the Virtual Router Redundancy Service: groups of routers of which a NAS is the master (S2).
	VRRS = Type(sessions.VRRS)

	commands = VRRS + 1 // of level 0; those of the other levels follow
	types    = commands + MaxLevel + 1
)

// MaxLevel is the highest privilege level of commands. The lowest is 0.
const MaxLevel = sessions.MaxLevel

// Commands returns the type for the commands of a privilege level, which a user types in a session of
// kind exec (R53). The level must be between 0 and MaxLevel.
func Commands(level int) Type { return commands + Type(level) }

// TypeOf returns the type of the sessions of a kind, or 0 if there is none. The type of a command
// depends on its level, see [Commands].
func TypeOf(k sessions.Kind) Type {
	if k > sessions.VRRS {
		return 0
	}
	return Type(k)
}

// isKnown reports whether there is a type with this number.
func (t Type) isKnown() bool { return Network <= t && t < types }

// IsCommands reports whether the type is of commands.
func (t Type) IsCommands() bool { return commands <= t && t < types }

// isOfUsers reports whether the type is of sessions that have a user from their beginning. Only these
// have interims, and only these may get a User-Name later that suppress-null-username waits for.
func (t Type) isOfUsers() bool { return Network <= t && t <= Connection }

// String returns the name of the type in the names of lists: "network", "commands/15".
func (t Type) String() string {
	switch {
	case t.IsCommands():
		return fmt.Sprintf("commands/%d", t-commands)
	case t.isKnown():
		return sessions.Kind(t).String()
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Records returns the record types of the type's lists, as S1 and S2 have them: "aaa accounting
// resource" has start-stop and stop-failure, the others have start-stop and stop-only. Every type
// has none.
func (t Type) Records() []accounting.RecordType {
	if t == Resource {
		return []accounting.RecordType{accounting.StartStop, accounting.StopFailure, accounting.None}
	}
	return []accounting.RecordType{accounting.StartStop, accounting.StopOnly, accounting.None}
}
