package local

import (
	"errors"
	"math"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/local/ending"
)

// howToEnd returns how the session of a report is to be ended, and logs it if that cannot be known.
func (s *Server) howToEnd(c *caller, t *translation) *sessions.Ending {
	end, hidden := t.ending(c, s.cfg.Endings)
	if !hidden {
		return end
	}
	if suppressed, ok := s.hiddenLine.Allow(time.Now()); ok {
		s.cfg.Logger.Warn("process of a session is hidden in /proc: the session cannot be ended", "nas_session", acctSessionID(t.Source, t.Session), "suppressed", suppressed)
	}
	return end
}

// ending returns how the session is to be ended, nil if the report does not say it. A caller names only
// processes of its own; the daemon may signal others.
//
// hidden says that the daemon may not see the process. The session is more important than its end, so it
// begins without.
func (t *translation) ending(c *caller, endings *ending.Disconnector) (end *sessions.Ending, hidden bool) {
	if t.End == nil {
		return nil, false
	}
	end = &sessions.Ending{Command: t.End.Command, Event: t.End.Event, OpenVPN: t.End.OpenVPN}
	if s := t.End.Signal; s != nil {
		if s.PID < 2 || s.PID > math.MaxInt32 {
			t.reject("/end/signal/pid", "is no process that may be ended")
			return nil, false
		}
		end.PID = int32(s.PID)
		end.ProcessStart, hidden = t.processStart(c, end.PID, s.Start)
		switch {
		case hidden && end.Command == "":
			return nil, true
		case hidden:
			end.PID = 0
		}
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
		return nil, false
	case !end.IsValid():
		t.reject("/end", "must have exactly one of signal, command, event, openvpn")
	case !endings.Knows(end):
		pointer, name := "/end/command", end.Command
		if end.OpenVPN != "" {
			pointer, name = "/end/openvpn", end.OpenVPN
		}
		t.reject(pointer, "the configuration has no entry %q", name)
	}
	return end, hidden
}

// processStart checks the process of a session, and returns when it began.
func (t *translation) processStart(c *caller, pid int32, given uint64) (start uint64, hidden bool) {
	start, err := ending.ProcessStart(pid)
	switch {
	case errors.Is(err, ending.ErrHidden):
		return 0, true
	case errors.Is(err, ending.ErrNoProcess), err == nil && given != 0 && given != ending.Ticks(start):
		t.reject("/end/signal/pid", "process %d has ended", pid)
		return 0, false
	case err != nil:
		t.reject("/end/signal/pid", "process %d: %v", pid, err)
		return 0, false
	}
	if c.mayAll() {
		return start, false
	}
	if owner, err := ending.ProcessOwner(pid); err != nil || owner != c.uid {
		t.reject("/end/signal/pid", "process %d belongs to another user", pid)
	}
	return start, false
}
