package local

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

// translation makes the event of a report. The first fault stays.
type translation struct {
	*localreport.Report
	verb  localreport.Verb
	names *radius.Dictionary
	nasID string
	now   time.Time

	attrs []byte
	fault *localreport.Problem
}

func (t *translation) reject(pointer, format string, args ...any) {
	if t.fault == nil {
		t.fault = problem(http.StatusBadRequest, pointer, format, args...)
	}
}

// isSource reports whether a text may be a Source.
func isSource(s string) bool {
	return s != "" && len(s) <= localreport.MaxSource && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// acctSessionID is the Acct-Session-Id of a session in the table.
func acctSessionID(source, session string) string { return source + "/" + session }

// kinds are the kinds of sessions that begin and end, by their names.
var kinds = map[string]sessions.Kind{
	"": sessions.Network, sessions.Network.String(): sessions.Network, sessions.Exec.String(): sessions.Exec, sessions.Connection.String(): sessions.Connection,
	sessions.VRRS.String(): sessions.VRRS,
}

// serviceTypes are the Service-Types (RFC 2865 section 5.6) of a session that its source has given
// none: what the examples of S1 have.
var serviceTypes = map[sessions.Kind]uint32{
	sessions.Network: 2, sessions.Exec: 7, sessions.Connection: 1, sessions.Resource: radius.CallCheck,
}

// kind returns the kind of the session.
func (t *translation) kind() sessions.Kind {
	if t.verb == localreport.Call {
		if t.Kind != "" {
			t.reject("/kind", "a call has no kind")
		}
		return sessions.Resource
	}
	kind, ok := kinds[t.Kind]
	if !ok {
		t.reject("/kind", "%q is not one of network, exec, connection, vrrs", t.Kind)
	}
	if kind == sessions.VRRS {
		t.checkGroup()
	}
	return kind
}

// event returns the event of a start, update, stop or call.
func (t *translation) event() sessions.Event {
	t.checkMembers()
	ev := sessions.Event{
		Type: t.eventType(), NAS: t.nas(), SameClient: sessions.IsLocal, Kind: t.kind(), At: t.now,
		AcctSessionID: acctSessionID(t.Source, t.Session),
	}
	t.identify(ev.Kind)
	t.interfaceName("/interface", t.Interface)
	t.interfaceName("/portInterface", t.PortInterface)
	t.use(&ev)
	if ev.Type == sessions.Stop {
		t.cause()
	}
	t.addAttributes(ev.Kind)
	if t.At != nil {
		ev.EventTimestamp = t.timestamp()
		t.attrs = radius.AppendUint32(t.attrs, radius.EventTimestamp, ev.EventTimestamp)
		if t.At.Before(t.now) { // else the clock of this host has been set back
			ev.At = *t.At
		}
	}
	ev.Attrs = radius.Attributes(t.attrs)
	return ev
}

func (t *translation) eventType() sessions.EventType {
	switch {
	case t.verb == localreport.Update:
		return sessions.Interim
	case t.verb == localreport.Stop, t.verb == localreport.Call && t.Report.Stop:
		return sessions.Stop
	}
	return sessions.Start
}

func (t *translation) nas() sessions.NAS { return sessions.NAS{Identifier: t.nasID} }

// timestamp returns At as an Event-Timestamp.
func (t *translation) timestamp() uint32 {
	if n := t.At.Unix(); n > 0 && n < 1<<32 {
		return uint32(n)
	}
	t.reject("/at", "is not between 1970 and 2106")
	return 0
}

// identify adds the attributes that say whose session it is, and where.
func (t *translation) identify(kind sessions.Kind) {
	if !isSource(t.Source) {
		t.reject("/source", "must have 1 to %d lower-case letters, digits and hyphens, and no hyphen first", localreport.MaxSource)
	}
	t.name("/session", t.Session)
	t.text("/user", radius.UserName, t.User)
	t.attrs = radius.AppendAttribute(t.attrs, radius.NASIdentifier, t.nasID)
	if t.NASPort != nil {
		t.attrs = radius.AppendUint32(t.attrs, radius.NASPort, *t.NASPort)
	}
	t.text("/nasPortId", radius.NASPortID, t.NASPortID)
	t.attrs = radius.AppendAttribute(t.attrs, radius.AcctSessionID, acctSessionID(t.Source, t.Session))
	t.text("/callingStation", radius.CallingStationID, t.CallingStation)
	t.text("/calledStation", radius.CalledStationID, t.CalledStation)
	if t.verb == localreport.Start || t.verb == localreport.Fail || t.verb == localreport.Call {
		if !t.has("Service-Type") && kind != sessions.VRRS {
			t.attrs = radius.AppendUint32(t.attrs, radius.ServiceType, serviceTypes[kind])
		}
	}
	t.addresses()
	t.service()
}

// name checks what the source calls a session.
func (t *translation) name(pointer, name string) {
	switch {
	case name == "" || len(name) > localreport.MaxSession:
		t.reject(pointer, "must have 1 to %d octets", localreport.MaxSession)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		t.reject(pointer, "has a control character")
	}
}

// maxText is the maximum length of a value (RFC 2865 section 5).
const maxText = 253

// text adds an attribute of text, unless it is empty.
func (t *translation) text(pointer string, typ radius.Type, text string) {
	switch {
	case text == "":
	case len(text) > maxText:
		t.reject(pointer, "has %d octets, more than %d", len(text), maxText)
	default:
		t.attrs = radius.AppendAttribute(t.attrs, typ, text)
	}
}

func (t *translation) addresses() {
	if t.Address != "" {
		addr, err := netip.ParseAddr(t.Address)
		if addr = addr.Unmap(); err != nil || !addr.Is4() {
			t.reject("/address", "is not an IPv4 address")
		} else {
			t.attrs = radius.AppendAttribute(t.attrs, radius.FramedIPAddress, string(addr.AsSlice()))
		}
	}
	for i, text := range t.IPv6Addresses {
		addr, err := netip.ParseAddr(text)
		if err != nil || !addr.Is6() || addr.Is4In6() || addr.Zone() != "" {
			t.reject("/ipv6Addresses/"+strconv.Itoa(i), "is not an IPv6 address")
			continue
		}
		t.attrs = radius.AppendAttribute(t.attrs, radius.FramedIPv6Address, string(addr.AsSlice()))
	}
	t.prefixes("/ipv6Prefixes/", radius.FramedIPv6Prefix, t.IPv6Prefixes)
	t.prefixes("/delegatedPrefixes/", radius.DelegatedIPv6Prefix, t.DelegatedPrefixes)
}

// prefixes adds IPv6 prefixes (RFC 3162 section 2.3, RFC 4818 section 3).
func (t *translation) prefixes(pointer string, typ radius.Type, texts []string) {
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() || p != p.Masked() {
			t.reject(pointer+strconv.Itoa(i), "is not an IPv6 prefix")
			continue
		}
		b := append([]byte{0, byte(p.Bits())}, p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
		t.attrs = radius.AppendAttribute(t.attrs, typ, string(b))
	}
}

// service adds the service of a subscriber, as a Cisco ISG names it.
func (t *translation) service() {
	if t.Service == "" {
		if t.ParentSession != "" {
			t.reject("/parentSession", "needs a service")
		}
		return
	}
	t.named("/service", "Cisco-Service-Info", "N"+t.Service)
	if t.ParentSession != "" {
		t.name("/parentSession", t.ParentSession)
		t.named("/parentSession", "Cisco-AVPair", "parent-session-id="+acctSessionID(t.Source, t.ParentSession))
	}
}

// named adds an attribute by its name.
func (t *translation) named(pointer, name, text string) {
	typ, value, err := t.names.Parse(name, text)
	if err != nil {
		t.reject(pointer, "%v", err)
		return
	}
	t.attrs = radius.AppendAttribute(t.attrs, typ, value)
}

// use adds the counters to the event and to the attributes.
func (t *translation) use(ev *sessions.Event) {
	for _, c := range [...]struct {
		n         *uint64
		field     *uint64
		sent      sessions.UsageFields
		low, high radius.Type
	}{
		{t.InputOctets, &ev.Usage.InputOctets, sessions.InputOctets, radius.AcctInputOctets, radius.AcctInputGigawords},
		{t.OutputOctets, &ev.Usage.OutputOctets, sessions.OutputOctets, radius.AcctOutputOctets, radius.AcctOutputGigawords},
		{t.InputPackets, &ev.Usage.InputPackets, sessions.InputPackets, radius.AcctInputPackets, 0},
		{t.OutputPackets, &ev.Usage.OutputPackets, sessions.OutputPackets, radius.AcctOutputPackets, 0},
	} {
		if c.n == nil {
			continue
		}
		*c.field = *c.n
		ev.Sent |= c.sent
		t.attrs = radius.AppendUint32(t.attrs, c.low, uint32(*c.n))
		if c.high != 0 {
			t.attrs = radius.AppendUint32(t.attrs, c.high, uint32(*c.n>>32))
		}
	}
	if t.SessionTime != nil {
		ev.Usage.SessionTime = *t.SessionTime
		ev.Sent |= sessions.SessionTime
		t.attrs = radius.AppendUint32(t.attrs, radius.AcctSessionTime, *t.SessionTime)
	}
}

// cause adds the Acct-Terminate-Cause.
func (t *translation) cause() {
	if t.TerminateCause != "" {
		t.named("/terminateCause", "Acct-Terminate-Cause", t.TerminateCause)
	}
}

// addAttributes adds the further attributes of the report.
func (t *translation) addAttributes(kind sessions.Kind) {
	for i, a := range t.Attributes {
		pointer := "/attributes/" + strconv.Itoa(i)
		typ, value, err := t.names.Parse(a.Name, a.Value)
		switch {
		case err != nil:
			t.reject(pointer, "%v", err)
		case isOurs(typ):
			t.reject(pointer, "%s has a member of its own, or is made here", t.names.Name(typ))
		default:
			t.attrs = radius.AppendAttribute(t.attrs, typ, value)
		}
	}
	if kind == sessions.VRRS {
		t.addGroup()
	}
	if len(t.attrs) > maxAttributes {
		t.reject("/attributes", "all attributes together have %d octets, more than %d", len(t.attrs), maxAttributes)
	}
}

// maxAttributes is the most octets of attributes of a report. A record has room for them, for what we
// add, and for a Class of the user's login.
const maxAttributes = 3500

// has reports whether the further attributes of a report have one of this name.
func (t *translation) has(name string) bool {
	for i := range t.Attributes {
		if t.Attributes[i].Name == name {
			return true
		}
	}
	return false
}

// isOurs reports whether an attribute is not among the further ones of a report.
func isOurs(typ radius.Type) bool {
	switch typ {
	case radius.UserName, radius.UserPassword, radius.CHAPPassword, radius.NASIPAddress, radius.NASPort, radius.FramedIPAddress, radius.CalledStationID,
		radius.CallingStationID, radius.NASIdentifier, radius.ProxyState, radius.AcctStatusType, radius.AcctDelayTime, radius.AcctInputOctets,
		radius.AcctOutputOctets, radius.AcctSessionID, radius.AcctSessionTime, radius.AcctInputPackets, radius.AcctOutputPackets,
		radius.AcctTerminateCause, radius.AcctInputGigawords, radius.AcctOutputGigawords, radius.EventTimestamp, radius.NASPortID,
		radius.MessageAuthenticator, radius.NASIPv6Address, radius.FramedIPv6Prefix, radius.DelegatedIPv6Prefix, radius.FramedIPv6Address:
		return true
	}
	return false
}

// oneOff returns the event of a command or of a failed login.
func (t *translation) oneOff() sessions.OneOff {
	t.checkMembers()
	o := sessions.OneOff{NAS: t.nas(), At: t.now}
	if t.verb == localreport.Command {
		o.Kind, o.Level, o.Text = sessions.Command, t.Level, t.Text
		if t.Kind != "" {
			t.reject("/kind", "a command has no kind")
		}
		if o.Level < 0 || o.Level > sessions.MaxLevel {
			t.reject("/level", "is not between 0 and %d", sessions.MaxLevel)
		}
		if strings.TrimSpace(o.Text) == "" {
			t.reject("/text", "is empty")
		}
	} else {
		o.Kind, o.Unstarted = t.kind(), sessions.AuthenticationFailed
		if t.Accepted {
			o.Unstarted = sessions.AuthenticatedRemotely
		}
	}
	t.identify(o.Kind)
	t.cause()
	t.addAttributes(o.Kind)
	if t.At != nil {
		stamp := t.timestamp()
		t.attrs = radius.AppendUint32(t.attrs, radius.EventTimestamp, stamp)
		if t.At.Before(t.now) {
			o.At = *t.At
		}
	}
	o.Attrs = radius.Attributes(t.attrs)
	return o
}
