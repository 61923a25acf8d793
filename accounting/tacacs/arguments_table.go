package tacacs

import (
	"hash/fnv"
	"io"
	"net/netip"
	"strconv"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"
)

// addSystem appends the arguments of an Accounting-On or -Off.
func (b *builder) addSystem() {
	b.add("task_id", systemTask(b.rec))
	if b.tellsTimes() && b.rec.Type == sessions.On {
		b.addTime("start_time", b.rec.At)
	}
	if b.tellsTimes() {
		b.add("timezone", "UTC")
	}
	b.add("service", "system")
	b.add("event", "sys_acct")
	if b.rec.Reason != "" {
		b.add("reason", b.rec.Reason)
	}
	if b.tellsTimes() && b.rec.Type == sessions.Off {
		b.addTime("stop_time", b.rec.At)
	}
}

// systemTask returns the task_id of an Accounting-On and of the Off after it. It is above 2^32, so
// no session has it.
func systemTask(rec *accounting.Record) string {
	h := fnv.New32a()
	_, _ = io.WriteString(h, rec.SessionName()) // never fails
	return strconv.FormatUint(1<<32+uint64(h.Sum32()), 10)
}

// addSession appends the arguments of any other record, in the order of S1 and S2.
func (b *builder) addSession() {
	b.add("task_id", b.task())
	b.started, b.stopped = b.times()
	if !b.started.IsZero() {
		b.addTime("start_time", b.started)
	}
	if !b.started.IsZero() || !b.stopped.IsZero() {
		b.add("timezone", "UTC")
	}
	b.add("service", b.service())
	switch b.rec.Kind {
	case sessions.Command:
		b.addCommand()
	case sessions.VRRS:
		b.add("event", "vrrs")
	default:
		b.addProtocol()
		if b.rec.Kind == sessions.Connection {
			b.addTyped("")
		}
	}
	b.addUsage()
	if cause, ok := b.number(radius.AcctTerminateCause); ok {
		b.addNumber("disc-cause", uint64(cause))
	}
	if seconds, ok := b.number(radius.AcctSessionTime); ok {
		b.addNumber("elapsed_time", uint64(seconds))
	}
	if !b.stopped.IsZero() {
		b.addTime("stop_time", b.stopped)
	}
	b.addOthers()
}

// task returns the task_id: the number of the session. A record without one has the name of its NAS,
// a slash, and the NAS's own id. No number of a session has a slash.
func (b *builder) task() string {
	b.told[radius.AcctSessionID] = true
	if n := b.rec.Number(); n != 0 {
		return strconv.FormatUint(uint64(n), 10)
	}
	name := b.rec.Attrs.Text(radius.NASIdentifier)
	for _, t := range []radius.Type{radius.NASIPAddress, radius.NASIPv6Address} {
		octets, _ := b.rec.Attrs.Get(t)
		if addr, ok := netip.AddrFromSlice([]byte(octets)); ok && name == "" {
			name = addr.Unmap().String()
		}
	}
	task := ascii(name+"/"+b.rec.SessionName(), 2*tacacs.MaxField)
	if longest := tacacs.MaxField - len("task_id="); len(task) > longest {
		number := strconv.FormatUint(uint64(b.rec.Session), 10) // it stands for the whole
		task = number + "/" + task[len(task)-longest+len(number)+1:]
	}
	return task
}

// tellsTimes reports whether the request has the times of the record.
func (b *builder) tellsTimes() bool {
	switch b.Times {
	case TimesAlways:
		return true
	case TimesNever:
		return false
	}
	return b.rec.Resync || b.sent.Sub(b.rec.At) > lateAfter
}

// times returns when the session started and stopped, as far as the record says so and the request
// has times.
func (b *builder) times() (started, stopped time.Time) {
	if !b.tellsTimes() {
		return
	}
	at := b.happened()
	seconds, lasted := b.rec.Attrs.Uint32(radius.AcctSessionTime)
	switch b.rec.Type {
	case sessions.Start:
		started = at
	case sessions.Stop:
		stopped = at
	}
	if lasted {
		started = at.Add(-time.Duration(seconds) * time.Second)
	}
	return started, stopped
}

// happened returns the time of the event: that of the NAS if it has a clock, as for RADIUS.
func (b *builder) happened() time.Time {
	if stamp, ok := b.rec.Attrs.Uint32(radius.EventTimestamp); ok {
		return time.Unix(int64(stamp), 0)
	}
	return b.rec.At
}

// addTime appends a time in seconds since 1970.
func (b *builder) addTime(name string, at time.Time) {
	b.addNumber(name, uint64(max(0, at.Unix())))
}

func (b *builder) addNumber(name string, n uint64) { b.add(name, strconv.FormatUint(n, 10)) }

// service returns the service: for a network session its framing, PPP unless it has another.
func (b *builder) service() string {
	b.told[radius.ServiceType] = true
	switch b.rec.Kind {
	case sessions.Network:
		service, known := b.rec.Attrs.FramedService()
		if known {
			b.told[radius.FramedProtocol] = true
		}
		return service
	case sessions.Exec, sessions.Command:
		return "shell"
	case sessions.VRRS:
		return "system"
	}
	return b.rec.Kind.String()
}

// addProtocol appends protocol and addr.
func (b *builder) addProtocol() {
	switch b.rec.Kind {
	case sessions.Network:
		b.addNetworkAddress()
	case sessions.Connection:
		if protocol, ok := b.rec.Attrs.LoginProtocol(); ok {
			b.told[radius.LoginService] = protocol != radius.UnknownProtocol
			b.add("protocol", protocol)
		}
		b.addHost()
	}
}

// addNetworkAddress appends the address of the user and, unless the session only starts, the
// protocol that got it: as with S1, a start says that the service starts, and an update which
// protocol.
func (b *builder) addNetworkAddress() {
	for _, is := range []struct {
		t        radius.Type
		protocol string
	}{{radius.FramedIPAddress, "ip"}, {radius.FramedIPv6Address, "ipv6"}} {
		octets, _ := b.rec.Attrs.Get(is.t)
		addr, ok := netip.AddrFromSlice([]byte(octets))
		if !ok || is.t == radius.FramedIPAddress && radius.IsUnassigned(octets) {
			continue
		}
		b.told[is.t] = true
		if b.rec.Type != sessions.Start {
			b.add("protocol", is.protocol)
		}
		b.add("addr", addr.String())
		return
	}
}

// addHost appends the host of a connection. A Login-IP-Host of all zeros or all ones is no host: the
// NAS or the user chooses one (RFC 2865 section 5.14).
func (b *builder) addHost() {
	for _, t := range []radius.Type{radius.LoginIPHost, radius.LoginIPv6Host, radius.LoginLATNode} {
		octets, _ := b.rec.Attrs.Get(t)
		addr, ok := netip.AddrFromSlice([]byte(octets))
		switch {
		case t == radius.LoginLATNode && octets != "":
			b.add("addr", octets)
		case t == radius.LoginLATNode, !ok, addr.IsUnspecified(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			continue
		default:
			b.add("addr", addr.String())
		}
		b.told[t] = true
		return
	}
}

// counters are the names of the counters of octets and packets, with the upper halves of the octets.
var counters = []struct {
	name           string
	low, gigawords radius.Type
}{
	{"bytes_in", radius.AcctInputOctets, radius.AcctInputGigawords},
	{"bytes_out", radius.AcctOutputOctets, radius.AcctOutputGigawords},
	{"paks_in", radius.AcctInputPackets, 0},
	{"paks_out", radius.AcctOutputPackets, 0},
}

// addUsage appends the octets and packets.
func (b *builder) addUsage() {
	for _, c := range counters {
		n, ok := b.number(c.low)
		high, hasHigh := b.number(c.gigawords)
		if ok || hasHigh {
			b.addNumber(c.name, uint64(high)<<32|uint64(n))
		}
	}
}

// addOthers appends what has no argument in the table: the Cisco-AVPairs, which are arguments, and
// optional ones.
func (b *builder) addOthers() {
	if b.rec.Type == sessions.Other {
		b.addOptional("Acct-Status-Type", b.rec.TypeName())
	}
	b.told[radius.AcctStatusType] = true
	if b.tellsTimes() {
		if b.told[radius.EventTimestamp] = true; b.started.IsZero() && b.stopped.IsZero() {
			b.addOptional("Event-Timestamp", b.happened().UTC().Format(time.RFC3339))
		}
	}
	for value := range ciscoAVPair.Values(b.rec.Attrs) {
		if pair := value[ciscoHead:]; isPair(pair) {
			b.append(ascii(pair, tacacs.MaxField))
		}
	}
	if b.rec.Resync && b.ResyncMark != "" {
		b.addOptional(b.ResyncMark, "resync")
	}
	if b.Attributes {
		b.addAttributes()
	}
}

// addAttributes appends the attributes that nothing else in the request tells. Acct-Session-Id is
// the NAS's own: task_id has ours.
func (b *builder) addAttributes() {
	if b.rec.NASSession != "" && b.rec.Number() != 0 {
		b.addOptional("Acct-Session-Id", b.rec.NASSession)
	}
	names := b.names()
	for t, value := range b.rec.Attrs.All() {
		if b.told[t] { // the first value is
			b.told[t] = false
			continue
		}
		for p := range names.Print(radius.Attributes(radius.AppendAttribute(nil, t, value))) {
			if p.Name != "Cisco-AVPair" || !b.isTold(p.Text) {
				b.addOptional(p.Name, p.Text)
			}
		}
	}
}
