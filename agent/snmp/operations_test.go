package snmp

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/mib"
)

// figures returns the requests and the error-status values above 0 of each operation.
func figures(r *Responder) map[string]map[string]uint64 {
	out := map[string]map[string]uint64{}
	for _, op := range r.Operations() {
		if op.Requests == 0 {
			continue
		}
		out[op.Name] = map[string]uint64{"requests": op.Requests}
		for _, s := range op.Errors {
			if s.Answers > 0 {
				out[op.Name][s.Status.String()] = s.Answers
			}
		}
	}
	return out
}

// TestOperations: a request counts for its operation, with the error-status that its answer has. What is
// not carried out counts for none.
func TestOperations(t *testing.T) {
	number := func(n int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: n}
	}
	good := names(testNumber.Append(0))
	type counts = map[string]map[string]uint64
	for _, tt := range []struct {
		name      string
		community string
		v1        bool
		kind      gosnmp.PDUType
		vars      []gosnmp.SnmpPDU
		want      counts
	}{
		{"a GET", "public", false, gosnmp.GetRequest, good, counts{"get": {"requests": 1}}},
		{"a GETNEXT", "public", false, gosnmp.GetNextRequest, good, counts{"getnext": {"requests": 1}}},
		{"a GETBULK", "public", false, gosnmp.GetBulkRequest, good, counts{"getbulk": {"requests": 1}}},
		{"a SET", "private", false, gosnmp.SetRequest, []gosnmp.SnmpPDU{number(3)}, counts{"set": {"requests": 1}}},
		{"a name that does not exist", "public", false, gosnmp.GetRequest, names(testNumber.Append(1)), counts{"get": {"requests": 1}}},
		{"a name that does not exist, in SNMPv1", "public", true, gosnmp.GetRequest, names(testNumber.Append(1)), counts{"get": {"requests": 1, "noSuchName": 1}}},
		{"no view", "blind", false, gosnmp.GetNextRequest, good, counts{"getnext": {"requests": 1, "authorizationError": 1}}},
		{"no view, in SNMPv1", "blind", true, gosnmp.GetNextRequest, good, counts{"getnext": {"requests": 1, "noSuchName": 1}}},
		{"no view to write", "public", false, gosnmp.SetRequest, []gosnmp.SnmpPDU{number(3)}, counts{"set": {"requests": 1, "authorizationError": 1}}},
		{"a SET of what cannot be written", "private", false, gosnmp.SetRequest, []gosnmp.SnmpPDU{{Name: testText.Append(0).String(), Type: gosnmp.OctetString, Value: "x"}}, counts{"set": {"requests": 1, "notWritable": 1}}},
		{"a SET of the wrong type", "private", false, gosnmp.SetRequest, []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: "x"}}, counts{"set": {"requests": 1, "wrongType": 1}}},
		{"the same, in SNMPv1", "private", true, gosnmp.SetRequest, []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: "x"}}, counts{"set": {"requests": 1, "badValue": 1}}},
		{"a wrong community", "other", false, gosnmp.GetRequest, good, counts{}},
		{"no request", "public", false, gosnmp.SNMPv2Trap, good, counts{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newV1Fixture(t)
			p := request(t, tt.community, tt.kind, tt.vars...)
			if tt.v1 {
				p.Version = gosnmp.Version1
			}
			f.exchange(manager, marshal(t, p))
			if diff := cmp.Diff(tt.want, figures(f.Responder)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPossibleStatuses: each error-status that an operation can have is there before it occurs, so that
// its first occurrence is an increase. One that was not expected is there when it occurs.
func TestPossibleStatuses(t *testing.T) {
	f := newFixture(t)
	f.operations[getOperation].byStatus[mib.WrongValue].Add(1)
	for _, op := range f.Operations() {
		want := map[string]int{"get": 5, "getnext": 4, "getbulk": 4, "set": 17}[op.Name]
		if len(op.Errors) != want {
			t.Errorf("%s has %d values of error-status, want %d", op.Name, len(op.Errors), want)
		}
	}
}

// TestAnswerTime: the time of a request counts once its answer is sent, for its operation; reports
// and requests without an answer have none.
func TestAnswerTime(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	at := f.Addrs()[0]
	for _, version := range []gosnmp.SnmpVersion{gosnmp.Version2c, gosnmp.Version3} {
		c := &gosnmp.GoSNMP{
			Target: at.Addr().String(), Port: at.Port(), Version: version, Community: "private", Timeout: 10 * time.Second, Retries: 0,
			SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.NoAuthNoPriv, SecurityParameters: &gosnmp.UsmSecurityParameters{UserName: "guest"},
		}
		if err := c.Connect(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Conn.Close() })
		if _, err := c.Get([]string{testText.Append(0).String()}); err != nil { // in SNMPv3 after a report
			t.Fatal(err)
		}
		if version == gosnmp.Version2c {
			if _, err := c.Set([]gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 3}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	cancel() // an answer is counted after it was sent
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, op := range f.Operations() {
		want := map[string]uint64{"get": 2, "set": 1}[op.Name]
		if s := op.AnswerTime; s.Total != want || op.Requests != want || (s.Sum > 0) != (want > 0) || s.Sum > time.Minute {
			t.Errorf("%s: %d answers in %v to %d requests, want %d", op.Name, s.Total, s.Sum, op.Requests, want)
		}
	}
	if f.Stats().Reports != 1 {
		t.Errorf("%d reports", f.Stats().Reports)
	}
}
