package serverstats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aaasess/internal/servers"
)

// version is that of the file's format.
const version = 1

// maxFile is the largest file that is read, in octets: some thousand servers.
const maxFile = 16 << 20

// file is the content of the file. Durations are in nanoseconds.
type file struct {
	Version int `json:"version"`
	// Saved is the host's clock, Boot and Uptime are its boot id and uptime. The durations below that
	// end in For are those of that moment.
	Saved  time.Time     `json:"saved"`
	Boot   string        `json:"boot"`
	Uptime time.Duration `json:"uptime"`
	// Orderly: the daemon has ended, and nothing was counted after this.
	Orderly              bool     `json:"orderly"`
	InvalidAuthAddresses uint64   `json:"invalidAuthAddresses"`
	InvalidAcctAddresses uint64   `json:"invalidAcctAddresses"`
	Servers              []server `json:"servers"`
}

// server is a server in the file.
type server struct {
	Protocol       servers.Protocol `json:"protocol"`
	Name           string           `json:"name"`
	Index          uint32           `json:"index"`
	Number         uint32           `json:"number"`
	State          state            `json:"state"`
	Accounting     counters         `json:"accounting"`
	Authentication counters         `json:"authentication"`
}

// state is the state of a server, or of one of its ports.
type state struct {
	Dead      bool          `json:"dead"`
	For       time.Duration `json:"for"`
	Previous  time.Duration `json:"previous"`
	TotalDead time.Duration `json:"totalDead"`
	Deaths    uint64        `json:"deaths"`
}

// counters are the [servers.Stats] that outlive the process.
type counters struct {
	CountedFor         time.Duration        `json:"countedFor"`
	Requests           uint64               `json:"requests"`
	Retransmissions    uint64               `json:"retransmissions"`
	Responses          uint64               `json:"responses"`
	Accepts            uint64               `json:"accepts"`
	Rejects            uint64               `json:"rejects"`
	Challenges         uint64               `json:"challenges"`
	MalformedResponses uint64               `json:"malformedResponses"`
	BadAuthenticators  uint64               `json:"badAuthenticators"`
	Timeouts           uint64               `json:"timeouts"`
	UnknownTypes       uint64               `json:"unknownTypes"`
	PacketsDropped     uint64               `json:"packetsDropped"`
	Tests              uint64               `json:"tests"`
	TestsFailed        uint64               `json:"testsFailed"`
	StatusServer       servers.StatusServer `json:"statusServer"`
	LateResponses      uint64               `json:"lateResponses"`
	Errors             uint64               `json:"errors"`
	Follows            uint64               `json:"follows"`
	Opened             uint64               `json:"opened"`
	SendErrors         uint64               `json:"sendErrors"`
	Successes          uint64               `json:"successes"`
	Failures           uint64               `json:"failures"`
	TimedResponses     uint64               `json:"timedResponses"`
	ResponseTime       time.Duration        `json:"responseTime"`
	ResponseTimes      []uint64             `json:"responseTimes"` // of the first bounds
	MaxResponseTime    time.Duration        `json:"maxResponseTime"`
	RoundTripTime      time.Duration        `json:"roundTripTime"`
	Port               state                `json:"port"`
}

// newServer returns the server of a record.
func newServer(p servers.Protocol, n number, r *servers.Record, now time.Time) server {
	return server{
		Protocol: p, Name: r.Name, Index: n.index, Number: n.number, State: newState(&r.State, now),
		Accounting: newCounters(&r.Accounting, now), Authentication: newCounters(&r.Authentication, now),
	}
}

func newState(l *servers.Lifetime, now time.Time) state {
	return state{l.Dead, min(l.Duration(now), longest), min(l.Previous, longest), min(l.TotalDead, longest), l.Deaths}
}

func newCounters(s *servers.Stats, now time.Time) counters {
	c := counters{
		CountedFor: min(s.Discontinuity(now), longest), Requests: s.Requests, Retransmissions: s.Retransmissions, Responses: s.Responses,
		Accepts: s.Accepts, Rejects: s.Rejects, Challenges: s.Challenges, MalformedResponses: s.MalformedResponses,
		BadAuthenticators: s.BadAuthenticators, Timeouts: s.Timeouts, UnknownTypes: s.UnknownTypes, PacketsDropped: s.PacketsDropped,
		Tests: s.Tests, TestsFailed: s.TestsFailed, StatusServer: s.StatusServer, LateResponses: s.LateResponses,
		Errors: s.Errors, Follows: s.Follows, Opened: s.Opened, SendErrors: s.SendErrors, Successes: s.Successes, Failures: s.Failures,
		TimedResponses: s.TimedResponses, ResponseTime: s.ResponseTime, MaxResponseTime: s.MaxResponseTime, RoundTripTime: s.RoundTripTime,
	}
	c.ResponseTimes = slices.Clone(s.ResponseTimes[:])
	if !s.StateSince.IsZero() {
		port := servers.Lifetime{Dead: s.State == servers.Dead, Since: s.StateSince, Previous: s.PreviousState, TotalDead: s.TotalDeadTime, Deaths: s.DeadCount}
		c.Port = newState(&port, now)
	}
	return c
}

// record returns the record of a server as it is now, gap after the file was saved.
func (s *server) record(now time.Time, gap time.Duration, orderly bool) servers.Record {
	return servers.Record{
		Name: s.Name, State: s.State.lifetime(now, gap),
		Accounting: s.Accounting.stats(now, gap, orderly), Authentication: s.Authentication.stats(now, gap, orderly),
	}
}

func (s *state) lifetime(now time.Time, gap time.Duration) servers.Lifetime {
	l := servers.Lifetime{Dead: s.Dead, Since: now.Add(-s.For - gap), Previous: s.Previous, TotalDead: s.TotalDead, Deaths: s.Deaths}
	if s.Dead {
		l.TotalDead += gap
	}
	return l
}

func (c *counters) stats(now time.Time, gap time.Duration, orderly bool) servers.Stats {
	port := c.Port.lifetime(now, gap)
	s := servers.Stats{
		CountedSince: now, Requests: c.Requests, Retransmissions: c.Retransmissions, Responses: c.Responses,
		Accepts: c.Accepts, Rejects: c.Rejects, Challenges: c.Challenges, MalformedResponses: c.MalformedResponses,
		BadAuthenticators: c.BadAuthenticators, Timeouts: c.Timeouts, UnknownTypes: c.UnknownTypes, PacketsDropped: c.PacketsDropped,
		Tests: c.Tests, TestsFailed: c.TestsFailed, StatusServer: c.StatusServer, LateResponses: c.LateResponses,
		Errors: c.Errors, Follows: c.Follows, Opened: c.Opened, SendErrors: c.SendErrors, Successes: c.Successes, Failures: c.Failures,
		TimedResponses: c.TimedResponses, ResponseTime: c.ResponseTime, MaxResponseTime: c.MaxResponseTime, RoundTripTime: c.RoundTripTime,
		StateSince: port.Since, PreviousState: port.Previous, TotalDeadTime: port.TotalDead, DeadCount: port.Deaths,
	}
	copy(s.ResponseTimes[:], c.ResponseTimes)
	if orderly {
		s.CountedSince = now.Add(-c.CountedFor - gap)
	}
	if port.Dead {
		s.State = servers.Dead
	}
	return s
}

// steady returns the file without what changes with time alone, to see whether it must be saved.
func (f *file) steady() file {
	out := *f
	out.Saved, out.Uptime, out.Servers = time.Time{}, 0, make([]server, len(f.Servers))
	for i := range f.Servers {
		s := f.Servers[i]
		s.Accounting.CountedFor, s.Authentication.CountedFor = 0, 0
		for _, st := range []*state{&s.State, &s.Accounting.Port, &s.Authentication.Port} {
			if st.Dead {
				st.TotalDead -= st.For
			}
			st.For = 0
		}
		out.Servers[i] = s
	}
	return out
}

// encode returns the text of a file.
func (f *file) encode() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", " ")
	return append(b, '\n'), err
}

// decode returns the file of a text. It checks everything that later steps rely on.
func decode(b []byte) (*file, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	switch {
	case d.More():
		return nil, errors.New("text after the end")
	case f.Version != version:
		return nil, fmt.Errorf("version %d, want %d", f.Version, version)
	case f.Saved.IsZero() || f.Uptime < 0:
		return nil, errors.New("no time at which it was saved")
	}
	names, indexes, others := map[servers.Key]bool{}, taken{}, taken{}
	for i := range f.Servers {
		s := &f.Servers[i]
		k := servers.Key{Protocol: s.Protocol, Name: s.Name}
		switch {
		case s.Protocol != servers.RADIUS && s.Protocol != servers.TACACS:
			return nil, fmt.Errorf("server %q: protocol %d is unknown", s.Name, uint8(s.Protocol))
		case s.Name == "" || names[k]:
			return nil, fmt.Errorf("server %q: the name is empty or not unique", s.Name)
		case s.Index == 0 || s.Number == 0 || s.Number > maxNumber || indexes.index(s.Protocol)[s.Index] || others.number(s.Protocol)[s.Number]:
			return nil, fmt.Errorf("server %q: numbers %d and %d are out of range or not unique", s.Name, s.Index, s.Number)
		case !s.State.valid() || !s.Accounting.valid() || !s.Authentication.valid():
			return nil, fmt.Errorf("server %q: a duration or the counts of response times are out of range", s.Name)
		}
		names[k], indexes.index(s.Protocol)[s.Index], others.number(s.Protocol)[s.Number] = true, true, true
	}
	return &f, nil
}

// longest is the longest duration that a file may have: a century. Sums of some cannot overflow then. A
// longer one, of a host whose clock was wrong, is saved as this.
const longest = 100 * 365 * 24 * time.Hour

func inRange(all ...time.Duration) bool {
	for _, d := range all {
		if d < 0 || d > longest {
			return false
		}
	}
	return true
}

func (s *state) valid() bool {
	return inRange(s.For, s.Previous, s.TotalDead) && (!s.Dead || s.TotalDead >= s.For)
}

func (c *counters) valid() bool {
	timed := uint64(0)
	for _, n := range c.ResponseTimes {
		if n > c.TimedResponses-timed {
			return false
		}
		timed += n
	}
	return c.Port.valid() && inRange(c.CountedFor, c.ResponseTime, c.MaxResponseTime, c.RoundTripTime)
}
