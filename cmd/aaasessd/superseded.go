package main

import (
	"sync/atomic"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions"
)

// superseded counts the sessions that starts of others have ended, and limits the lines about them.
type superseded struct {
	lines throttle.Lines[supersededLine] // of the log

	nasPort, framedIPAddress, callingStationID, acctSessionID atomic.Uint64
}

// supersededLine identifies a line of the log. When a NAS has restarted, one line is enough.
type supersededLine struct {
	nas       string
	attribute radius.Type
}

// sessionSuperseded counts and logs that the start of a session has ended another one.
func (d *daemon) sessionSuperseded(s sessions.Supersession) {
	switch counts := &d.superseded; s.Attribute {
	case radius.NASPort:
		counts.nasPort.Add(1)
	case radius.FramedIPAddress:
		counts.framedIPAddress.Add(1)
	case radius.CallingStationID:
		counts.callingStationID.Add(1)
	case radius.AcctSessionID:
		counts.acctSessionID.Add(1)
	}
	nas := s.Session.NAS.String()
	v := d.superseded.lines.Allow(supersededLine{nas, s.Attribute}, time.Now())
	if !v.Write {
		return
	}
	d.log.Info("session is superseded by the start of another one, making the stop record",
		"session", s.Session.ID.String(), "user", s.Session.User(), "nas", nas, "client", d.clientName(s.Session.NAS.Addr),
		"attribute", d.dictionary.Load().Name(s.Attribute), "new_session", s.By.String(), "suppressed", v.Suppressed)
}

func (s *superseded) status() api.SupersededStatus {
	return api.SupersededStatus{
		NASPort: s.nasPort.Load(), FramedIPAddress: s.framedIPAddress.Load(), CallingStationID: s.callingStationID.Load(), AcctSessionID: s.acctSessionID.Load(),
	}
}
