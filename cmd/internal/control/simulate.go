package control

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// simulate is POST /v1/accounting/simulate.
func (s *Server) simulate(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.SimulateRequest
	var event sessions.OneOff
	err := decodeBody(r.Body, &req)
	if err == nil {
		event, err = oneOff(&req)
	}
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	durable := make(chan error, 1)
	id, err := s.table.Record(event, func(err error) { durable <- err })
	if err == nil {
		err = <-durable // the store outlives the server
	}
	switch {
	case errors.Is(err, sessions.ErrOneOff): // it has no text after trimming
		s.writeBodyError(w, fmt.Errorf("body: %w", err))
		return
	case err != nil:
		s.writeError(w, http.StatusServiceUnavailable, err)
		return
	}
	out := api.SimulateAnswer{}
	if id != 0 {
		out.ID = id.String()
	}
	s.cfg.Logger.Info("event simulated by command", "uid", r.Context().Value(peerKey{}), "type", req.Event, "session", out.ID)
	s.writeJSON(w, http.StatusOK, out)
}

// oneOff returns the event of a request, which happens now.
func oneOff(req *api.SimulateRequest) (sessions.OneOff, error) {
	o := sessions.OneOff{At: time.Now(), Level: req.Level, Text: req.Command}
	addr, err := netip.ParseAddr(req.NAS)
	if err != nil || addr.Zone() != "" {
		return o, fmt.Errorf("body: nas %q: want an IPv4 or IPv6 address", req.NAS)
	}
	o.NAS.Addr = addr.Unmap()
	for _, f := range []struct{ name, value string }{
		{"user", req.User}, {"line", req.Line}, {"callingStation", req.CallingStation}, {"calledStation", req.CalledStation},
	} {
		if len(f.value) > 253 {
			return o, fmt.Errorf("body: %s has %d octets, at most 253 are possible", f.name, len(f.value))
		}
	}
	switch req.Event {
	case api.SimulateCommand:
		o.Kind = sessions.Command
		if req.Level < 0 || req.Level > api.MaxPrivilegeLevel || req.Command == "" || req.Kind != "" || req.Accepted {
			return o, fmt.Errorf("body: a command has a text and a level of 0 to %d, and no kind and accepted", api.MaxPrivilegeLevel)
		}
	case api.SimulateFailure:
		if !slices.Contains(api.Kinds(), req.Kind) || req.Level != 0 || req.Command != "" {
			return o, fmt.Errorf("body: a failure has a kind of %q, and no level and command", api.Kinds())
		}
		_ = o.Kind.UnmarshalText([]byte(req.Kind)) // no error: it is one of Kinds
		o.Unstarted = sessions.AuthenticationFailed
		if req.Accepted {
			o.Unstarted = sessions.AuthenticatedRemotely
		}
	default:
		return o, fmt.Errorf("body: event %q: want %s or %s", req.Event, api.SimulateCommand, api.SimulateFailure)
	}
	o.Attrs = simulated(req, o.Kind)
	return o, nil
}

// simulated returns the attributes that a NAS would send, in the order of the examples of S1.
func simulated(req *api.SimulateRequest, kind sessions.Kind) radius.Attributes {
	var b []byte
	add := func(t radius.Type, v string) {
		if v != "" {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	if port, err := strconv.ParseUint(req.Line, 10, 32); err == nil {
		b = radius.AppendUint32(b, radius.NASPort, uint32(port))
	} else {
		add(radius.NASPortID, req.Line)
	}
	add(radius.UserName, req.User)
	add(radius.CalledStationID, req.CalledStation)
	add(radius.CallingStationID, req.CallingStation)
	// Values of Service-Type (RFC 2865 section 5.6).
	const login, framed, nasPrompt = 1, 2, 7
	services := map[sessions.Kind]uint32{sessions.Network: framed, sessions.Exec: nasPrompt, sessions.Connection: login}
	if service, is := services[kind]; is {
		b = radius.AppendUint32(b, radius.ServiceType, service)
	}
	return radius.Attributes(b)
}
