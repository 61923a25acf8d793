package snmp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// show formats an answer: error-status, error-index and the variables.
func show(p *gosnmp.SnmpPacket) string {
	if p == nil {
		return "none"
	}
	var b strings.Builder
	if p.Error != gosnmp.NoError {
		fmt.Fprintf(&b, "%v %d ", p.Error, p.ErrorIndex)
	}
	root := testRoot.String() + "."
	for i, v := range p.Variables {
		if i > 0 {
			b.WriteString(", ")
		}
		value := fmt.Sprint(v.Value)
		if text, ok := v.Value.([]byte); ok {
			value = string(text)
		}
		switch v.Type {
		case gosnmp.NoSuchInstance, gosnmp.NoSuchObject, gosnmp.EndOfMibView, gosnmp.Null:
			value = v.Type.String()
		}
		fmt.Fprintf(&b, "%s=%s", strings.TrimPrefix(v.Name, root), strings.TrimPrefix(value, root))
	}
	return b.String()
}

// TestRead covers RFC 3416 sections 4.2.1 to 4.2.3.
func TestRead(t *testing.T) {
	name, count, last := testEntry.Append(1), testEntry.Append(2), testEntry.Append(3)
	get, next, bulk := gosnmp.GetRequest, gosnmp.GetNextRequest, gosnmp.GetBulkRequest
	tests := []struct {
		name      string
		community string
		kind      gosnmp.PDUType
		vars      []gosnmp.SnmpPDU
		bulk      [2]uint32 // non-repeaters, max-repetitions
		want      string
	}{
		{"get a scalar", "public", get, names(testNumber.Append(0)), [2]uint32{}, "1.0=7"},
		{"get several", "public", get, names(testText.Append(0), count.Append(2), testText.Append(0)), [2]uint32{}, "3.0=hello, 2.1.2.2=2199023255552, 3.0=hello"},
		{"get nothing", "public", get, nil, [2]uint32{}, ""},
		{"get no instance", "public", get, names(testNumber.Append(1), testNumber, name.Append(1001)), [2]uint32{}, "1.1=NoSuchInstance, 1=NoSuchInstance, 2.1.1.1001=NoSuchInstance"},
		{"get no object", "public", get, names(testRoot.Append(9, 0), testRoot), [2]uint32{}, "9.0=NoSuchObject, .1.3.6.1.4.1.32473.1=NoSuchObject"},
		{"get outside of the view", "limited", get, names(name.Append(1), testNumber.Append(0)), [2]uint32{}, "2.1.1.1=NoSuchObject, 1.0=7"},
		{"next", "public", next, names(testRoot, testNumber.Append(0), name.Append(1), name.Append(1000)), [2]uint32{}, "1.0=7, 2.1.1.1=a row of the table, 2.1.1.2=a row of the table, 2.1.2.1=1099511627776"},
		{"next of the last", "public", next, names(testText.Append(0)), [2]uint32{}, "3.0=EndOfMibView"},
		{"next jumps over what the view has not", "limited", next, names(testNumber.Append(0), name.Append(500)), [2]uint32{}, "3.0=hello, 3.0=hello"},
		{"next before the view", "limited", next, names(mib.MustOID("1.3")), [2]uint32{}, "1.0=7"},
		{"next at the end of the view", "limited", next, names(testText.Append(0)), [2]uint32{}, "3.0=EndOfMibView"},
		{"no access entry has no view", "orphan", get, names(testText.Append(0)), [2]uint32{}, "AuthorizationError 0 3.0=Null"},
		{"an entry without a view", "blind", get, names(testText.Append(0)), [2]uint32{}, "AuthorizationError 0 3.0=Null"},
		{"the same, next", "blind", next, names(testText.Append(0)), [2]uint32{}, "AuthorizationError 0 3.0=Null"},
		{"the same, bulk", "blind", bulk, names(testText.Append(0)), [2]uint32{0, 5}, "AuthorizationError 0 3.0=Null"},
		{"unknown community", "secret", get, names(testText.Append(0)), [2]uint32{}, "none"},

		{"bulk", "public", bulk, names(count, last), [2]uint32{0, 2}, "2.1.2.1=1099511627776, 2.1.3.1=1, 2.1.2.2=2199023255552, 2.1.3.2=2"},
		{"bulk with non-repeaters", "public", bulk, names(testRoot, count), [2]uint32{1, 2}, "1.0=7, 2.1.2.1=1099511627776, 2.1.2.2=2199023255552"},
		{"bulk, all non-repeaters", "public", bulk, names(testRoot, count), [2]uint32{9, 2}, "1.0=7, 2.1.2.1=1099511627776"},
		{"bulk, no repetition", "public", bulk, names(testRoot, count), [2]uint32{1, 0}, "1.0=7"},
		{"bulk of nothing", "public", bulk, nil, [2]uint32{0, 10}, ""},
		{"bulk over the end of columns", "public", bulk, names(name.Append(999)), [2]uint32{0, 3}, "2.1.1.1000=a row of the table, 2.1.2.1=1099511627776, 2.1.2.2=2199023255552"},
		{"bulk to the end", "public", bulk, names(last.Append(999)), [2]uint32{0, 9}, "2.1.3.1000=1000, 3.0=hello, 3.0=EndOfMibView"},
		{"bulk, one at the end before the other", "public", bulk, names(testText.Append(0), last.Append(999)), [2]uint32{0, 9}, "3.0=EndOfMibView, 2.1.3.1000=1000, 3.0=EndOfMibView, 3.0=hello, 3.0=EndOfMibView, 3.0=EndOfMibView"},
		{"bulk jumps", "limited", bulk, names(testRoot), [2]uint32{0, 9}, "1.0=7, 3.0=hello, 3.0=EndOfMibView"},
	}
	f := newFixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := request(t, tt.community, tt.kind, tt.vars...)
			p.NonRepeaters, p.MaxRepetitions = uint8(tt.bulk[0]), tt.bulk[1]
			answer := f.ask(manager, p)
			if got := show(answer); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if answer != nil && (answer.RequestID != 4711 || answer.PDUType != gosnmp.GetResponse || answer.Community != tt.community) {
				t.Errorf("request-id %d, PDU %v, community %q", answer.RequestID, answer.PDUType, answer.Community)
			}
		})
	}
}

// TestSet covers RFC 3416 section 4.2.5, and access control for SETs.
func TestSet(t *testing.T) {
	number := func(n int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: n}
	}
	text := gosnmp.SnmpPDU{Name: testText.Append(0).String(), Type: gosnmp.OctetString, Value: "x"}
	tests := []struct {
		name      string
		community string
		vars      []gosnmp.SnmpPDU
		want      string
		after     int32
	}{
		{"right", "private", []gosnmp.SnmpPDU{number(42)}, "1.0=42", 42},
		{"a community that reads", "public", []gosnmp.SnmpPDU{number(42)}, "AuthorizationError 0 1.0=42", 7},
		{"outside of the view", "private", []gosnmp.SnmpPDU{number(42), {Name: testEntry.Append(1, 1).String(), Type: gosnmp.Integer, Value: 1}}, "NoAccess 2 1.0=42, 2.1.1.1=1", 7},
		{"not writable", "private", []gosnmp.SnmpPDU{number(42), text}, "NotWritable 2 1.0=42, 3.0=x", 7},
		{"no such object", "private", []gosnmp.SnmpPDU{{Name: testRoot.Append(9, 0).String(), Type: gosnmp.Integer, Value: 1}}, "NotWritable 1 9.0=1", 7},
		{"wrong type", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: "1"}}, "WrongType 1 1.0=1", 7},
		{"null, as of CVE-2022-44792", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.Null}}, "WrongType 1 1.0=Null", 7},
		{"wrong value", "private", []gosnmp.SnmpPDU{number(100)}, "WrongValue 1 1.0=100", 7},
		{"no creation", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(1).String(), Type: gosnmp.Integer, Value: 1}}, "NoCreation 1 1.1=1", 7},
		{"commit fails", "private", []gosnmp.SnmpPDU{number(13)}, "CommitFailed 1 1.0=13", 7},
		{"nothing", "private", nil, "", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			if got := show(f.ask(manager, request(t, tt.community, gosnmp.SetRequest, tt.vars...))); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if f.numbers.number.Load() != tt.after {
				t.Errorf("the number is %d, want %d", f.numbers.number.Load(), tt.after)
			}
		})
	}
}

// TestRequester: the module learns the security name of the sender of a SET, not the community,
// which is a secret.
func TestRequester(t *testing.T) {
	f := newFixture(t)
	f.ask(manager, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 42}))
	if got, want := *f.numbers.by.Load(), (mib.Requester{Name: "writers", Address: "192.0.2.1:40000"}); got != want {
		t.Errorf("a community: %+v, want %+v", got, want)
	}
	e := f.acquire()
	e.securityName, e.from = "of the request before", manager
	e.msg.Version, e.session.UserName = wire.Version3, []byte("noc")
	if got, want := e.requester(), (mib.Requester{Name: "noc", Address: "192.0.2.1:40000"}); got != want {
		t.Errorf("a user: %+v, want %+v", got, want)
	}
}

// TestSize: an answer that does not fit is tooBig; a GETBULK is answered with the part that fits.
func TestSize(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.MaxMessageSize = MinMessageSize })
	f.numbers.text = strings.Repeat("x", 300)
	text := testText.Append(0)
	if got := f.ask(manager, request(t, "public", gosnmp.GetRequest, names(text)...)); len(got.Variables) != 1 {
		t.Errorf("one text: %s", show(got))
	}
	for _, kind := range []gosnmp.PDUType{gosnmp.GetRequest, gosnmp.GetNextRequest} {
		if got := show(f.ask(manager, request(t, "public", kind, names(text, testText, text, testText)...))); got != "TooBig 0 " {
			t.Errorf("several texts, %v: %s", kind, got)
		}
	}
	bulk := request(t, "public", gosnmp.GetBulkRequest, names(testEntry.Append(1))...)
	bulk.MaxRepetitions = 1<<31 - 1
	out := f.exchange(manager, marshal(t, bulk))
	if n := len(decode(t, out).Variables); len(out) > MinMessageSize || len(out) < MinMessageSize-60 || n < 8 {
		t.Errorf("a bulk of as many as possible has %d octets and %d variables", len(out), n)
	}
	bulk = request(t, "public", gosnmp.GetBulkRequest, names(testText, testText)...)
	bulk.NonRepeaters = 2
	if got := f.ask(manager, bulk); len(got.Variables) != 1 {
		t.Errorf("two non-repeaters of which one fits: %s", show(got))
	}
	if c := f.Stats(); c.OutTooBigs != 2 || c.SilentDrops != 0 {
		t.Errorf("tooBig %d, silent drops %d", c.OutTooBigs, c.SilentDrops)
	}
	long := strings.Repeat("y", 700)
	set := request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: long})
	if got := show(f.ask(manager, set)); got != "TooBig 0 " {
		t.Errorf("a SET that cannot be answered: %s", got)
	}
}

// TestLargest: a GETBULK fills a datagram up to the limit of UDP.
func TestLargest(t *testing.T) {
	f := newFixture(t)
	f.numbers.rows = 100_000
	bulk := request(t, "public", gosnmp.GetBulkRequest, names(testEntry.Append(1), testEntry.Append(2), testEntry.Append(3))...)
	bulk.MaxRepetitions = 1<<31 - 1
	out := f.exchange(manager, marshal(t, bulk))
	if len(out) > MaxMessageSize || len(out) < MaxMessageSize-100 {
		t.Errorf("an answer of %d octets, up to %d are possible", len(out), MaxMessageSize)
	}
	for i, v := range decode(t, out).Variables {
		if want := testEntry.Append(uint32(i%3+1), uint32(i/3+1)).String(); v.Name != want {
			t.Fatalf("variable %d is %s, want %s", i, v.Name, want)
		}
	}
}

// TestWalkEqualsTree: a walk through the view of everything returns the whole tree, without
// snmpCommunityName, which needs authPriv.
func TestWalkEqualsTree(t *testing.T) {
	f := newFixture(t)
	f.numbers.rows = 20
	var want []string
	secrets := 0
	reader := f.tree.NewReader()
	for vb := (mib.Varbind{}); ; {
		reader.Next(append(mib.OID(nil), vb.Name...), false, nil, &vb)
		if vb.Value.Type == mib.EndOfMibView {
			break
		}
		if vb.Name.HasPrefix(vacm.CommunityName) {
			secrets++
			continue
		}
		want = append(want, vb.Name.String())
	}
	if secrets != 6 {
		t.Errorf("%d values of snmpCommunityName, want 6", secrets)
	}
	for _, repetitions := range []uint32{0, 1, 7, 50} {
		var got []string
		last := mib.OID{1, 3}.String()
		for done := false; !done; {
			p := request(t, "everything", gosnmp.GetNextRequest, gosnmp.SnmpPDU{Name: last})
			if repetitions > 0 {
				p = request(t, "everything", gosnmp.GetBulkRequest, gosnmp.SnmpPDU{Name: last})
				p.MaxRepetitions = repetitions
			}
			for _, v := range f.ask(manager, p).Variables {
				if done = v.Type == gosnmp.EndOfMibView; done {
					break
				}
				got, last = append(got, v.Name), v.Name
			}
		}
		if len(want) < 100 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%d repetitions: %d names, the tree has %d", repetitions, len(got), len(want))
		}
	}
}
