package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"aaasess/internal/freeport"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// nasesSizes is how much the section on many NASes does.
type nasesSizes struct {
	runs     int
	nases    int           // that say Accounting-On at once, and that have all sessions
	rows     int           // sessions that they have then
	flapRows int           // sessions of the NASes while another one flaps
	quiet    time.Duration // how long the other NAS is measured while nobody says On
	rate     float64       // its requests a second, around the Accounting-Ons
	requests int           // of it, while one flaps and while none does
}

// The NAS that flaps, and what another one asks meanwhile.
const (
	flapRate    = 20  // times a second: a start, an Accounting-On
	besideFlaps = 100 // requests a second of the other NAS
)

// The numbers of the first sessions of the other NAS and of the one that flaps.
const (
	firstOfOther = 9_000_000
	firstOfFlaps = 8_000_000
)

// nasesFlags adds the section's flags; what they say is there after the flags are parsed.
func nasesFlags(flags *flag.FlagSet) func(quick bool) (nasesSizes, error) {
	s := nasesSizes{quiet: 5 * time.Second, rate: 400, requests: 500}
	flags.IntVar(&s.runs, "nases-runs", 3, "`runs` of the section on many NASes")
	flags.IntVar(&s.nases, "nases", 1000, "`NASes` that say Accounting-On at once")
	flags.IntVar(&s.rows, "nases-rows", 400_000, "`sessions` of these NASes")
	flags.IntVar(&s.flapRows, "flap-rows", 1_000_000, "`sessions` of the others while one NAS flaps")
	return func(quick bool) (nasesSizes, error) {
		if quick {
			s.runs, s.nases, s.rows, s.flapRows, s.quiet, s.requests = 1, 50, 5000, 5000, 500*time.Millisecond, 50
		}
		if min(s.runs, s.rows, s.flapRows) < 1 || s.nases < 2 || s.nases > 1<<16 || max(s.rows, s.flapRows) >= firstOfFlaps {
			return s, fmt.Errorf("bench: the section nases wants 2 to %d NASes and 1 to %d sessions", 1<<16, firstOfFlaps-1)
		}
		return s, nil
	}
}

// memberOf is NAS j of many. All are of one client entry of the daemon's.
func memberOf(j int) member {
	addr := netip.AddrFrom4([4]byte{127, 1, byte(j >> 8), byte(j)})
	return member{addr: addr, ip: addr, identifier: fmt.Sprintf("bras-%d.isp.example", j)}
}

// otherNAS has nothing to do with the many; flappingNAS neither.
var (
	otherNAS    = member{netip.AddrFrom4([4]byte{127, 2, 0, 1}), netip.AddrFrom4([4]byte{127, 2, 0, 1}), "other.isp.example"}
	flappingNAS = member{netip.AddrFrom4([4]byte{127, 2, 0, 2}), netip.AddrFrom4([4]byte{127, 2, 0, 2}), "flapping.isp.example"}
)

// on is the attributes of its nth Accounting-On.
func (m member) on(n int) []byte {
	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.On))
	a = radius.AppendAttribute(a, radius.NASIPAddress, string(m.ip.AsSlice()))
	a = radius.AppendAttribute(a, radius.NASIdentifier, m.identifier)
	return radius.AppendAttribute(a, radius.AcctSessionID, fmt.Sprintf("on-%d", n))
}

// usual is what a NAS sends all day: request i is the start of a session, or the interim of the one that came before.
func (m member) usual(i int) []byte {
	session := firstOfOther + i/2
	if i%2 == 0 {
		return m.attributes(sessions.Start, session)
	}
	a := m.attributes(sessions.Interim, session)
	a = radius.AppendUint32(a, radius.AcctSessionTime, 600)
	a = radius.AppendUint32(a, radius.AcctInputOctets, 1_000_000)
	return radius.AppendUint32(a, radius.AcctOutputOctets, 20_000_000)
}

// flap is what a NAS sends that starts again and again: a start, an Accounting-On.
func (m member) flap(i int) []byte {
	if i%2 == 0 {
		return m.attributes(sessions.Start, firstOfFlaps+i/2)
	}
	return m.on(i / 2)
}

// nasesBench is what a run of the section has built.
type nasesBench struct {
	host
	sizes    nasesSizes
	progress func(what string)
}

// runNASes is the section on what one NAS, or many at once, can do to another.
func runNASes(ctx context.Context, b *bench) (sectionText, error) {
	sizes := b.config.nases
	text := sectionText{title: "Many NASes", intro: nasesIntro, unpinned: true, runs: sizes.runs}
	dir, err := os.MkdirTemp(b.host.dir, "nases-")
	if err != nil {
		return text, err
	}
	n := &nasesBench{host: host{cpus: fmt.Sprintf("0-%d", onlineCPUs()-1), dir: dir, env: b.host.env}, sizes: sizes}
	n.progress = func(what string) { fmt.Fprintf(b.progress, "nases: %s\n", what) }
	if err := buildDaemon(ctx, dir); err != nil {
		return text, err
	}
	ons, latencies, err := n.measureOns(ctx)
	if err != nil {
		return text, err
	}
	flaps, err := n.measureFlaps(ctx)
	text.comparisons = []comparison{
		{title: onsTitle(sizes), note: n.onsNote(), contenders: []string{oursSpooling}, series: ons, metrics: onsTable},
		{
			title: "Another NAS meanwhile", note: n.meanwhileNote(), contenders: meanwhileContenders, series: latencies, metrics: latencyTable,
			pairs: []pair{{whileAnswered, whileQuiet}, {whileClosing, whileQuiet}},
		},
		{
			title: "One NAS that flaps", note: n.flapNote(), contenders: flapContenders, series: flaps, metrics: flapTable,
			pairs: []pair{{whileFlapping, whileSteady}},
		},
	}
	return text, err
}

// startFull starts the daemon on the state of so many sessions, and returns when it answers.
func (n *nasesBench) startFull(ctx context.Context, rows int) (d daemon, p *process, err error) {
	dir, err := os.MkdirTemp(n.dir, "daemon-")
	if err != nil {
		return d, nil, err
	}
	d = daemon{dir: dir}
	for _, port := range []*uint16{&d.port, &d.upstream, &d.snmp} { // nobody is at upstream
		if *port, err = freeport.UDP(); err != nil {
			return d, nil, err
		}
	}
	if err := n.fillState(ctx, filepath.Join(dir, "state"), rows, n.sizes.nases); err != nil {
		return d, nil, err
	}
	if p, err = d.start(ctx, n.host); err != nil {
		return d, nil, err
	}
	if err := awaitAnswer(ctx, d.port, p); err != nil {
		p.kill()
		return d, nil, err
	}
	return d, p, nil
}
