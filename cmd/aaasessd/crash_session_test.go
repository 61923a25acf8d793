package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
)

// crashSession is a session at its NAS, or an Accounting-On. Only the goroutine that runs it uses
// it; after that has ended, the NAS does.
type crashSession struct {
	nas   *crashNAS
	rng   *rand.Rand
	id    string // unique
	name  string // Acct-Session-Id
	began time.Time
	sent  int      // number of records sent
	ends  []string // sessions that have ended when the first record is answered

	isOn   bool
	stays  bool // it is still live at the end
	gaveUp bool // the newest record was given up: the daemon may or may not have it
}

// octetsOf returns the counters of a record. They differ for all records of a session.
const octetsOf = 1000

// crashReport is a record that is being sent.
type crashReport struct {
	*crashSession
	crashtest.Record
	happened   time.Time
	stamp      int64 // Event-Timestamp
	octets     uint32
	answered   chan struct{}
	request    *crashRequest // the newest transmission
	identifier byte          // and its identifier
}

// run runs a session from start to stop. When the campaign ends, it may stay live. run returns
// false if ctx is done.
func (s *crashSession) run(ctx context.Context) bool {
	slow := 1
	if s.nas.behavior.reuses { // few sessions in a life, so that ids are soon reused
		slow = 4
	}
	if !s.report(ctx, sessions.Start) {
		return false
	}
	for range s.rng.IntN(6) {
		if !pause(ctx, s.between(5, 150*slow)) || !s.report(ctx, sessions.Interim) {
			return false
		}
	}
	staysOpen := s.rng.IntN(2) == 0
	if !pause(ctx, s.between(5, 250*slow)) {
		return false
	}
	if s.nas.closing.Load() && staysOpen && !s.gaveUp {
		s.stays = true
		return true
	}
	return s.report(ctx, sessions.Stop)
}

// between returns a random number of milliseconds.
func (s *crashSession) between(lo, hi int) time.Duration {
	return time.Duration(lo+s.rng.IntN(hi-lo)) * time.Millisecond
}

// again returns how long the NAS waits for an answer.
func (s *crashSession) again(try int) time.Duration {
	if s.nas.behavior.backOff {
		return []time.Duration{100, 200, 400}[min(try-1, 2)] * time.Millisecond
	}
	return s.between(40, 300)
}

// report sends a record until it is answered. It may give up an interim, because the next record
// includes it.
func (s *crashSession) report(ctx context.Context, kind sessions.EventType) bool {
	if ctx.Err() != nil {
		return false
	}
	r := s.begin(kind)
	givesUp := 0
	if kind == sessions.Interim && s.rng.IntN(4) == 0 {
		givesUp = 2
	}
	for try := 1; ; try++ {
		s.nas.transmit(r, try)
		again := time.NewTimer(s.again(try))
		select {
		case <-r.answered:
			again.Stop()
			s.nas.ended(r)
			return true
		case <-ctx.Done():
			again.Stop()
			return false
		case <-again.C:
		}
		if try == givesUp {
			s.gaveUp = true
			s.nas.history.count("interims given up")
			return true
		}
		s.nas.history.count("retransmissions of NASes")
	}
}

// begin makes a record and adds it to the history.
func (s *crashSession) begin(kind sessions.EventType) *crashReport {
	n := s.nas
	if n.behavior.steps && s.rng.IntN(20) == 0 {
		n.clock.Add([]int64{-9000, -40, -5, 5, 40, 9000}[s.rng.IntN(6)])
		n.history.count("steps of NASes' clocks")
	}
	now := time.Now()
	if now.Unix()+n.clock.Load() < 1 { // a clock never shows a time before 1970
		n.clock.Store(1 - now.Unix())
	}
	r := &crashReport{
		crashSession: s, Record: crashtest.Record{Session: s.id, Type: kind, Nth: s.sent},
		happened: now, stamp: now.Unix() + n.clock.Load(), octets: uint32(s.sent * octetsOf), answered: make(chan struct{}),
	}
	o := crashtest.Observation{Kind: crashtest.Sent, Record: r.Record, Octets: uint64(r.octets)}
	if s.isOn = kind == sessions.On; s.isOn || kind == sessions.Start {
		o.Ends = s.ends
	}
	s.sent++
	s.gaveUp = false
	n.history.sends(crashKey{s.name, kind, r.stamp, r.octets}, o)
	return r
}

// ended handles the answer to a start: the lost sessions of that name have ended.
func (n *crashNAS) ended(r *crashReport) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.Type == sessions.Start {
		delete(n.lost, r.name)
		n.starts[r.name] = append(n.starts[r.name], r.stamp)
	}
}

// transmit sends a record once. The network may lose, delay or double it.
func (n *crashNAS) transmit(r *crashReport, try int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.move(r, try)
	if n.looksEarlier(r) {
		n.history.count("starts that R25 cannot distinguish from an earlier one")
		return
	}
	conn := n.conns[len(n.conns)-1]
	if r.request == nil || n.behavior.resend != sameOctets {
		p := r.packet()
		p.Identifier = n.next
		r.identifier = n.next
		n.next++
		data, err := p.Encode()
		if err != nil {
			panic(err) // all attributes are short enough
		}
		r.request = &crashRequest{data: data, record: r.Record, answered: r.answered}
	}
	n.waiting[r.identifier] = r.request
	send := func() { _, _ = conn.WriteToUDPAddrPort(r.request.data, n.daemon) } // a failed send is a lost packet
	if try > 1 {
		n.again(r, "from "+conn.LocalAddr().String())
	}
	send()
	switch { // the network doubles the packet
	case r.rng.IntN(20) == 0:
		send()
	case r.rng.IntN(40) == 0 && r.Type != sessions.On:
		data := r.request.data
		wait := r.between(20, 1000)
		n.serving.Go(func() {
			<-time.After(wait)
			if n.behavior.steps && !r.isAnswered() {
				return // after the clock was set back, its Event-Timestamp would be that of a later session (R25)
			}
			n.again(r, "late from the network")
			_, _ = conn.WriteToUDPAddrPort(data, n.daemon)
		})
		n.history.count("copies that are late")
	}
}

// again adds a retransmission to the history.
func (n *crashNAS) again(r *crashReport, how string) {
	n.history.add(crashtest.Observation{Kind: crashtest.Again, Record: r.Record, Text: how})
}

// move changes the source address or port of the NAS, if its behavior says so.
func (n *crashNAS) move(r *crashReport, try int) {
	address := 0
	switch {
	case n.behavior.moves && r.rng.IntN(12) == 0:
		address = r.rng.IntN(3)
		n.history.count("moves of NASes")
	case n.behavior.resend != newPort || try == 1:
		return
	default:
		address = int(n.conns[len(n.conns)-1].LocalAddr().(*net.UDPAddr).IP.To4()[2])
	}
	_ = n.connect(address) // on an error it keeps its address
}

// looksEarlier reports whether a start cannot be distinguished from one of an earlier session of
// that name, whose NAS uses a new Event-Timestamp for each transmission (R25).
func (n *crashNAS) looksEarlier(r *crashReport) bool {
	if r.Type != sessions.Start || n.behavior.resend == sameOctets {
		return false
	}
	for _, was := range n.starts[r.name] {
		if began := r.stamp - r.delay() - was; -1 <= began && began <= 1 {
			return true
		}
	}
	return false
}

func (r *crashReport) isAnswered() bool {
	select {
	case <-r.answered:
		return true
	default:
		return false
	}
}

func (r *crashReport) delay() int64 { return int64(time.Since(r.happened) / time.Second) }

func (r *crashReport) packet() *layeh.Packet {
	p := layeh.New(layeh.CodeAccountingRequest, []byte(nasSecret))
	w := &r.nas.behavior
	err := errors.Join(
		rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType(r.Type)),
		rfc2869.EventTimestamp_Set(p, time.Unix(r.stamp, 0)),
		rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(r.delay())),
	)
	if w.names != 1 {
		err = errors.Join(err, rfc2865.NASIdentifier_SetString(p, r.nas.name))
	}
	if w.names != 0 {
		err = errors.Join(err, rfc2865.NASIPAddress_Set(p, net.IPv4(192, 0, 2, r.nas.index)))
	}
	if r.Type == sessions.On {
		return done(p, err)
	}
	err = errors.Join(err,
		rfc2866.AcctSessionID_SetString(p, r.name),
		rfc2865.UserName_SetString(p, r.name),
		rfc2865.CallingStationID_SetString(p, "station of "+r.name),
	)
	if r.Type != sessions.Start {
		err = errors.Join(err,
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(r.happened.Sub(r.began)/time.Second)),
			rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(r.octets)))
	}
	if r.Type == sessions.Stop {
		err = errors.Join(err, rfc2866.AcctTerminateCause_Set(p, rfc2866.AcctTerminateCause_Value_UserRequest))
	}
	return done(p, err)
}

func done(p *layeh.Packet, err error) *layeh.Packet {
	if err != nil {
		panic(err) // only for values that are too long
	}
	return p
}

// pause waits for a time. It returns false if ctx is done first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
