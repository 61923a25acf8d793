package api

// The values of SimulateRequest.Event.
const (
	SimulateCommand = "command" // a command of a user (R53)
	SimulateFailure = "failure" // the end of a session before its start (R49, R45a)
)

// MaxPrivilegeLevel is the highest privilege level of a command; the lowest is 0.
const MaxPrivilegeLevel = 15

// SimulateRequest reports an event that makes no session, as a NAS would do it. Nobody reports these
// by RADIUS accounting.
type SimulateRequest struct {
	Event string `json:"event"` // SimulateCommand or SimulateFailure
	NAS   string `json:"nas"`   // the address of the NAS
	// Who, and where: User-Name, NAS-Port-Id or NAS-Port in decimal, Calling-Station-Id,
	// Called-Station-Id. "" is left out.
	User           string `json:"user,omitempty"`
	Line           string `json:"line,omitempty"`
	CallingStation string `json:"callingStation,omitempty"`
	CalledStation  string `json:"calledStation,omitempty"`
	// Of a failure: the kind that the session would have had, one of Kinds.
	Kind string `json:"kind,omitempty"`
	// Of a failure: whether a remote server had accepted the user. If not, the login or the
	// negotiation failed.
	Accepted bool `json:"accepted,omitempty"`
	// Of a command: its privilege level and text.
	Level   int    `json:"level,omitempty"`
	Command string `json:"command,omitempty"`
}

// SimulateAnswer says that an event is durable.
type SimulateAnswer struct {
	ID string `json:"id"` // of its record; "" if no record is made
}
