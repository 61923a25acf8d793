//go:build partners

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/cmd/internal/api"
	"aaasess/internal/partner"
	"aaasess/sessions"
)

// outageSlack is the longest time from the answer to the NAS to the arrival of a record while its
// servers work.
const outageSlack = 3 * time.Second

// recordTimes has the times of a record: when its NAS got the answer, and when it first arrived.
type recordTimes struct {
	record   crashtest.Record
	answered time.Duration // since the load began; 0: never
	arrived  time.Duration // likewise
}

// check compares the detail files with the records that were answered.
func (o *outages) check(spool *api.SpoolStatus) {
	o.t.Helper()
	h := o.load.history
	deliveries := o.deliveries()
	for group, servers := range map[string][]*partner.FreeRADIUSProc{"A": o.a, "B": {o.b}} {
		all := merged(servers)
		if group == "A" {
			all = o.checkOnOff(all)
		}
		for _, a := range all {
			got, err := arrivedRecord(a.Record)
			if err != nil {
				o.t.Errorf("%v: %v", err, a.Record)
				continue
			}
			h.add(got)
			if group != groupOf(got.Record) {
				o.t.Errorf("%s arrived at group %s", got.Record, group)
			}
			if f := deliveries[got.Record]; f != nil && f.arrived == 0 {
				f.arrived = a.At.Sub(h.began)
			}
		}
	}
	h.add(crashtest.Observation{Kind: crashtest.Drained})
	if len(h.violations()) > 0 {
		o.t.Error(h.report())
	}
	o.checkInterims(deliveries, spool)
	o.checkDelay(deliveries)
	if spool.SetAside != 0 {
		o.t.Errorf("%d records are set aside", spool.SetAside)
	}
	o.t.Log(h.summary())
	if h.counted("retransmissions of NASes") == 0 {
		o.t.Error("no NAS sent anything again: this proves little")
	}
}

// groupOf returns the group that receives records of this kind.
func groupOf(r crashtest.Record) string {
	if strings.HasPrefix(r.Session, sessions.Exec.String()) {
		return "B"
	}
	return "A"
}

// merged returns what servers have received, by time. The daemon sends the next record of a session
// only after an answer, so records of one session are in the right order.
func merged(servers []*partner.FreeRADIUSProc) (all []partner.Arrival) {
	for _, fr := range servers {
		all = append(all, fr.Arrivals()...)
	}
	slices.SortStableFunc(all, func(a, b partner.Arrival) int { return a.At.Compare(b.At) })
	return all
}

// deliveries returns the records that were answered.
func (o *outages) deliveries() map[crashtest.Record]*recordTimes {
	h := o.load.history
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[crashtest.Record]*recordTimes{}
	for i, e := range h.entries {
		if e.Kind == crashtest.Answered {
			all[e.Record] = &recordTimes{record: e.Record, answered: h.times[i]}
		}
	}
	return all
}

// arrivedRecord reads a record of a detail file.
func arrivedRecord(d partner.DetailRecord) (crashtest.Observation, error) {
	o := crashtest.Observation{Kind: crashtest.Arrived, Record: crashtest.Record{Session: d.Get("User-Name")}}
	switch kind := d.Get("Acct-Status-Type"); kind {
	case "Start":
		o.Record.Type = sessions.Start
	case "Interim-Update":
		o.Record.Type = sessions.Interim
	case "Stop":
		o.Record.Type = sessions.Stop
	default:
		return o, fmt.Errorf("an Acct-Status-Type %q", kind)
	}
	if octets := d.Get("Acct-Input-Octets"); octets != "" {
		n, err := strconv.Atoi(octets)
		if err != nil {
			return o, err
		}
		o.Record.Nth = n / octetsOf
	}
	number, err := strconv.ParseUint(d.Get("Acct-Session-Id"), 16, 32)
	o.Number = uint32(number)
	return o, err
}

// checkOnOff removes Accounting-On and -Off from the arrivals at A. On must be the first of all and
// the first at its server, and Off the last of all.
func (o *outages) checkOnOff(all []partner.Arrival) (records []partner.Arrival) {
	o.t.Helper()
	const on, off = "Accounting-On", "Accounting-Off"
	status := func(r partner.DetailRecord) string { return r.Get("Acct-Status-Type") }
	var session string
	for _, a := range all {
		r := a.Record
		if status(r) != on && status(r) != off {
			records = append(records, a)
			continue
		}
		if status(r) == on {
			session = r.Get("Acct-Session-Id")
		}
		if r.Get("NAS-Identifier") != "relay-1" || session == "" || r.Get("Acct-Session-Id") != session {
			o.t.Errorf("it is not of relay-1 and session %q: %v", session, r)
		}
	}
	if len(all)-len(records) < 2 {
		o.t.Fatalf("group A has %d records, of which %d are Accounting-On and -Off", len(all), len(all)-len(records))
	}
	if first, last := o.a[0].Detail()[0], all[len(all)-1].Record; status(all[0].Record) != on || status(first) != on {
		o.t.Errorf("at group A %v came first, at its first server %v: want an Accounting-On", all[0].Record, first)
	} else if status(last) != off || last.Get("Acct-Terminate-Cause") != "Admin-Reboot" {
		o.t.Errorf("at group A %v came last: want an Accounting-Off with Admin-Reboot", last)
	}
	for _, a := range all[:len(all)-1] {
		if status(a.Record) == off {
			o.t.Errorf("an Accounting-Off before the end: %v", a.Record)
		}
	}
	return records
}

// checkInterims checks that interims are missing only where a later record superseded them while no
// server of their group answered. The checker of the history checks that there is a later one.
func (o *outages) checkInterims(deliveries map[crashtest.Record]*recordTimes, spool *api.SpoolStatus) {
	o.t.Helper()
	missing := map[string]uint64{}
	for r, f := range deliveries {
		if f.arrived != 0 || r.Type != sessions.Interim {
			continue
		}
		group := groupOf(r)
		missing["group/"+group]++
		if !slices.ContainsFunc(o.away[group], func(s span) bool { return f.answered > s.from-outageSlack && f.answered < s.to }) {
			o.t.Errorf("%s was answered at %v and never arrived; group %s was away %v", r, f.answered, group, o.away[group])
		}
	}
	for _, q := range spool.Queues {
		o.t.Logf("%s: %d delivered, %d superseded, %d never arrived", q.Queue, q.Delivered, q.Superseded, missing[q.Queue])
		if missing[q.Queue] > q.Superseded {
			o.t.Errorf("%d interims never arrived at %s, and %d were superseded", missing[q.Queue], q.Queue, q.Superseded)
		}
	}
}

// checkDelay checks that the records of A were not late while B was down.
func (o *outages) checkDelay(deliveries map[crashtest.Record]*recordTimes) {
	o.t.Helper()
	n, latest := 0, recordTimes{}
	for r, f := range deliveries {
		if f.arrived == 0 || groupOf(r) != "A" || !slices.ContainsFunc(o.away["B"], func(s span) bool { return f.answered > s.from && f.answered < s.to }) {
			continue
		}
		n++
		if f.arrived-f.answered > latest.arrived-latest.answered {
			latest = *f
		}
	}
	delay := latest.arrived - latest.answered
	o.t.Logf("while B was away %d records arrived at A, %v after their answers at the latest", n, delay)
	if delay > outageSlack {
		o.t.Errorf("%s arrived at A %v after its answer, while B was away", latest.record, delay)
	}
}
