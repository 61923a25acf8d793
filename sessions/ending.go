package sessions

import "encoding/binary"

// Ending says how a session of this host, or of a NAS without RFC 5176, is ended (R30). Exactly one of Signal, Command, Event and
// OpenVPN is set.
type Ending struct {
	// PID is the process of the session, 0 if it has none. ProcessStart is when it began, in clock ticks
	// since the host started (field 22 of /proc/PID/stat, proc(5)), with a hash of the boot in the upper
	// 24 bits: another process that gets the same number later has another one.
	PID          int32
	ProcessStart uint64
	// Signal is the number of the signal that ends the process.
	Signal uint8
	// Command is the name of the command that ends the session.
	Command string
	// Event says that the program that reported the session ends it, when it is told to.
	Event bool
	// OpenVPN is the name of the OpenVPN server whose management interface ends the session.
	OpenVPN string
}

// IsValid reports whether exactly one way to end the session is set, and whether that way has all that
// it needs.
func (e *Ending) IsValid() bool {
	ways := 0
	for _, set := range [...]bool{e.Signal != 0, e.Command != "", e.Event, e.OpenVPN != ""} {
		if set {
			ways++
		}
	}
	return ways == 1 && e.PID >= 0 && (e.PID == 0) == (e.ProcessStart == 0) && (e.Signal == 0 || e.PID > 1)
}

// appendEnding appends what ending reads.
func appendEnding(b []byte, e *Ending) []byte {
	b = binary.AppendUvarint(b, uint64(e.PID))
	b = binary.AppendUvarint(b, e.ProcessStart)
	event := byte(0)
	if e.Event {
		event = 1
	}
	b = append(b, e.Signal, event)
	b = appendText(b, e.Command)
	return appendText(b, e.OpenVPN)
}

// ending reads how a session is ended, nil if nothing is stored.
func (d *decoder) ending(more byte) *Ending {
	if more&moreEnding == 0 {
		return nil
	}
	pid, start, signal, event := d.Uvarint32(), d.Uvarint(), d.Octet(), d.Octet()
	e := &Ending{PID: int32(pid), ProcessStart: start, Signal: signal, Event: event == 1, Command: d.text(), OpenVPN: d.text()}
	d.Require(event <= 1 && e.IsValid())
	return e
}
