package report

// End says how a session can be ended: exactly one of the fields is set. A command may also have the
// process of the session, as a Signal without the name of a signal: the field {pid} of the command.
type End struct {
	Signal  *Signal `json:"signal,omitempty"`
	Command string  `json:"command,omitempty"` // the name of an entry of local.commands
	Event   bool    `json:"event,omitempty"`   // the source ends it, when an event tells it to
	OpenVPN string  `json:"openvpn,omitempty"` // the name of an entry of local.openvpn
}

// Signal is a signal to a process.
type Signal struct {
	PID    int    `json:"pid"`
	Start  uint64 `json:"start,omitempty"`  // field 22 of /proc/PID/stat; absent: the daemon reads it
	Signal string `json:"signal,omitempty"` // default TERM
}
