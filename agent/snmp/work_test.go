package snmp

import (
	"errors"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// TestJumps: a view of many subtrees without objects costs a request a bounded amount of work.
func TestJumps(t *testing.T) {
	f := newFixture(t)
	f.numbers.rows = 100_000
	families := []vacm.Family{{Subtree: testText}}
	for i := range uint32(1000) { // between existing rows
		families = append(families, vacm.Family{Subtree: testEntry.Append(1, 10*i+5, 7)})
	}
	sparse, err := vacm.NewView("sparse", families)
	if err != nil {
		t.Fatal(err)
	}
	from := []vacm.Community{{Name: "sparse", SecurityName: "sparse"}}
	policy, err := vacm.New([]*vacm.View{sparse}, []vacm.AccessEntry{{Group: "sparse", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: sparse}},
		[]vacm.Member{{Model: wire.ModelV2c, SecurityName: "sparse", Group: "sparse"}}, from)
	if err != nil {
		t.Fatal(err)
	}
	f.SetPolicy(policy)
	first := testEntry.Append(1)
	if got := show(f.ask(manager, request(t, "sparse", gosnmp.GetNextRequest, names(first)...))); got != "3.0=hello" {
		t.Errorf("behind all of them: %s", got)
	}
	many := make([]mib.OID, 30)
	for i := range many {
		many[i] = first
	}
	if got := f.ask(manager, request(t, "sparse", gosnmp.GetNextRequest, names(many...)...)); got.Error != gosnmp.GenErr || got.ErrorIndex != maxJumps/1001+1 {
		t.Errorf("%d variables: %v %d", len(many), got.Error, got.ErrorIndex)
	}
	bulk := request(t, "sparse", gosnmp.GetBulkRequest, names(many...)...)
	bulk.MaxRepetitions = 10
	if got := f.ask(manager, bulk); got.Error != gosnmp.NoError || len(got.Variables) != maxJumps/1001 {
		t.Errorf("a bulk of them: %v, %d variables", got.Error, len(got.Variables))
	}
}

// TestNothingFits: a GETBULK without room for one variable gets tooBig, because otherwise its
// manager would repeat it forever.
func TestNothingFits(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.MaxMessageSize = MinMessageSize })
	f.numbers.text = strings.Repeat("x", 600)
	for _, single := range []uint8{0, 1} {
		bulk := request(t, "public", gosnmp.GetBulkRequest, names(testText)...)
		bulk.NonRepeaters, bulk.MaxRepetitions = single, 10
		if got := show(f.ask(manager, bulk)); got != "TooBig 0 " {
			t.Errorf("%d non-repeaters: %s", single, got)
		}
	}
}

// TestForgeable: answers to requests with a forgeable source are limited in octets, answers to
// authenticated ones are not.
func TestForgeable(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Limits = Limits{ResponseOctets: 1} })
	f.numbers.text = strings.Repeat("x", 40_000)
	get := guestMessageFor(f, testText.Append(0), MaxMessageSize)
	answered := 0
	for range 10 {
		if f.exchange(manager, get) != nil {
			answered++
		}
	}
	if s := f.Stats(); answered != 1 || s.OverResponseOctets != 9 || s.OutGetResponses != 1 {
		t.Errorf("%d of 10 are answered, %d dropped, %d counted as sent", answered, s.OverResponseOctets, s.OutGetResponses)
	}
}

func guestMessageFor(fx *fixture, oid mib.OID, size int32) []byte {
	return openMessage("guest", fx.cfg.Engine.ID(), oid, size)
}

// openMessage returns a GET at noAuthNoPriv, whose answer may have size octets.
func openMessage(user string, engine []byte, oid mib.OID, size int32) []byte {
	var f wire.Frame
	f.Reset()
	f.AppendVarbind(&mib.Varbind{Name: oid, Value: mib.Value{Type: mib.Null}})
	f.ClosePDU(wire.GetRequest, 4711, 0, 0)
	f.CloseScoped(engine, nil)
	f.CloseV3(&wire.HeaderV3{ID: 4712, MaxSize: size, Flags: wire.FlagReportable, Model: wire.ModelUSM},
		&wire.SecurityParameters{EngineID: engine, Boots: 1, UserName: []byte(user)})
	return append([]byte(nil), f.Bytes()...)
}

// TestReceiverMaxSize: an answer is no larger than the maximum size that its receiver announces.
func TestReceiverMaxSize(t *testing.T) {
	f := newFixture(t)
	f.numbers.text = strings.Repeat("x", 700)
	get := func(size int32) (tooLarge bool, octets int) {
		out := f.exchange(manager, guestMessageFor(f, testText.Append(0), size))
		var m wire.Message
		var s wire.ScopedPDU
		var p wire.PDU
		if err := errors.Join(m.Parse(out), s.Parse(m.Data, false), p.Parse(s.PDU)); err != nil {
			t.Fatal(err)
		}
		return p.ErrorStatus == int32(tooBig), len(out)
	}
	if tooLarge, n := get(1000); tooLarge || n < 700 {
		t.Errorf("1000 octets are enough: tooBig %t, %d octets", tooLarge, n)
	}
	if tooLarge, n := get(MinMessageSize); !tooLarge || n > MinMessageSize {
		t.Errorf("484 octets are not: tooBig %t, %d octets", tooLarge, n)
	}
}

// TestUnauthenticated: the cost of an unauthenticated message does not depend on its size. Whether
// it gets a report depends on its PDU type, not on its flag, if the type can be read (RFC 3412
// section 6.4).
func TestUnauthenticated(t *testing.T) {
	message := func(kind wire.PDUType, flags uint8, variables int) []byte {
		var f wire.Frame
		f.Reset()
		for range variables {
			f.AppendVarbind(&mib.Varbind{Name: mib.OID{1, 3}, Value: mib.Value{Type: mib.Null}})
		}
		f.ClosePDU(kind, 4711, 0, 0)
		f.CloseScoped(nil, nil)
		f.CloseV3(&wire.HeaderV3{ID: 4712, MaxSize: 65507, Flags: flags, Model: wire.ModelUSM}, &wire.SecurityParameters{})
		return append([]byte(nil), f.Bytes()...)
	}
	f := newFixture(t)
	for _, tt := range []struct {
		kind  wire.PDUType
		flags uint8
		want  bool
	}{
		{wire.GetRequest, wire.FlagReportable, true},
		{wire.GetRequest, 0, true},
		{wire.InformRequest, 0, true},
		{wire.Report, wire.FlagReportable, false},
		{wire.Response, wire.FlagReportable, false},
		{wire.SNMPv2Trap, wire.FlagReportable, false},
	} {
		if got := f.exchange(manager, message(tt.kind, tt.flags, 1)) != nil; got != tt.want {
			t.Errorf("%v with flags %d: report %t, want %t", tt.kind, tt.flags, got, tt.want)
		}
	}
	large := message(wire.SetRequest, wire.FlagReportable, 7000)
	e := f.acquire()
	do := func() {
		e.n, e.from = copy(e.in[:], large), manager
		if e.process() != answered {
			t.Fatal("no report")
		}
	}
	do()
	if n := testing.AllocsPerRun(20, do); n != 0 || cap(e.pdu.Varbinds) > 0 {
		t.Errorf("%v allocations, room for %d variables", n, cap(e.pdu.Varbinds))
	}
}
