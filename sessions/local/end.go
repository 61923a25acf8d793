package local

import (
	"errors"
	"math"

	"aaasess/sessions"
	"aaasess/sessions/local/ending"
)

// ending returns how the session is to be ended, nil if the report does not say it. A caller names only
// processes of its own; the daemon may signal others.
func (t *translation) ending(c *caller, endings *ending.Disconnector) *sessions.Ending {
	if t.End == nil {
		return nil
	}
	end := &sessions.Ending{Command: t.End.Command, Event: t.End.Event, OpenVPN: t.End.OpenVPN}
	if s := t.End.Signal; s != nil {
		if s.PID < 2 || s.PID > math.MaxInt32 {
			t.reject("/end/signal/pid", "is no process that may be ended")
			return nil
		}
		end.PID, end.ProcessStart = int32(s.PID), t.processStart(c, int32(s.PID), s.Start)
		if end.Command == "" {
			number, ok := ending.SignalNumber(s.Signal)
			if !ok {
				t.reject("/end/signal/signal", "%q is not one of TERM, HUP, INT, QUIT, KILL, USR1, USR2", s.Signal)
			}
			end.Signal = number
		} else if s.Signal != "" {
			t.reject("/end/signal/signal", "a command ends the session")
		}
	}
	switch {
	case t.fault != nil:
		return nil
	case !end.IsValid():
		t.reject("/end", "must have exactly one of signal, command, event, openvpn")
	case !endings.Knows(end):
		pointer, name := "/end/command", end.Command
		if end.OpenVPN != "" {
			pointer, name = "/end/openvpn", end.OpenVPN
		}
		t.reject(pointer, "the configuration has no entry %q", name)
	}
	return end
}

// processStart checks the process of a session, and returns when it began.
func (t *translation) processStart(c *caller, pid int32, given uint64) uint64 {
	start, err := ending.ProcessStart(pid)
	switch {
	case errors.Is(err, ending.ErrNoProcess), err == nil && given != 0 && given != start:
		t.reject("/end/signal/pid", "process %d has ended, or is hidden from the daemon", pid)
		return 0
	case err != nil:
		t.reject("/end/signal/pid", "process %d: %v", pid, err)
		return 0
	}
	if c.mayAll() {
		return start
	}
	if owner, err := ending.ProcessOwner(pid); err != nil || owner != c.uid {
		t.reject("/end/signal/pid", "process %d belongs to another user", pid)
	}
	return start
}
