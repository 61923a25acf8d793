package snmp

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// FuzzProcess: whatever octets arrive, the answer is at most one valid message, within the size
// limit of its receiver, and of the version of the request.
func FuzzProcess(f *testing.F) {
	fx := newV1Fixture(f)
	close(fx.numbers.release)
	for _, in := range readRequests(f) {
		f.Add(in)
	}
	for _, in := range readRequestsV1(f) {
		f.Add(in)
	}
	f.Add(marshal(f, requestV1(f, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 42})))
	f.Add(marshal(f, requestV1(f, "public", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 42})))
	f.Add(marshal(f, requestV1(f, "public", gosnmp.GetRequest, withCounter64(testNumber.Append(0), testNumber.Append(1))...)))
	f.Add(discoveryMessage(f))
	f.Add(marshal(f, request(f, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 42})))
	f.Add(guestMessage(fx, wire.GetBulkRequest))
	f.Add(guestMessage(fx, wire.SetRequest))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > maxDatagram {
			return
		}
		e := fx.acquire()
		defer fx.release(e)
		e.n, e.from = copy(e.in[:], in), manager
		v := e.process()
		if v == deferred {
			v, _ = e.set()
		}
		if v != answered {
			return
		}
		out := e.frame.Bytes()
		var asked, m wire.Message
		if err := m.Parse(out); err != nil {
			t.Fatalf("the answer %x: %v", out, err)
		}
		if err := asked.Parse(in); err != nil || asked.Version != m.Version {
			t.Fatalf("version %v (%v) is answered with %v", asked.Version, err, m.Version)
		}
		if m.Version == wire.Version1 {
			checkAnswerV1(t, &asked, &m)
		}
		if len(out) > MaxMessageSize || m.Version == wire.Version3 && len(out) > int(asked.MaxSize) {
			t.Fatalf("an answer of %d octets", len(out))
		}
	})
}

// checkAnswerV1: an answer of SNMPv1 has only what SNMPv1 has, and with an error-status the variable
// bindings of the request, octet for octet: a read request may have values of types that SNMPv1 has
// not.
func checkAnswerV1(t *testing.T, asked, answer *wire.Message) {
	var request, response wire.PDU
	if err := errors.Join(request.ParseV1(asked.Data), response.Parse(answer.Data)); err != nil {
		t.Fatal(err)
	}
	if err := response.ParseV1(answer.Data); err != nil && response.ErrorStatus == 0 {
		t.Fatal(err)
	}
	if response.ErrorStatus > int32(mib.GenErr) || int(response.ErrorIndex) > len(request.Varbinds) || len(response.Varbinds) != len(request.Varbinds) {
		t.Fatalf("error %d %d with %d variables of %d", response.ErrorStatus, response.ErrorIndex, len(response.Varbinds), len(request.Varbinds))
	}
	if (response.ErrorStatus != 0 || request.Type == wire.SetRequest) && !bytes.Equal(request.RawVarbinds, response.RawVarbinds) {
		t.Fatalf("error %d with %x instead of %x", response.ErrorStatus, response.RawVarbinds, request.RawVarbinds)
	}
}

// guestMessage returns a request of the user guest, which needs no key.
func guestMessage(fx *fixture, kind wire.PDUType) []byte {
	var f wire.Frame
	f.Reset()
	e := fx.acquire()
	e.vb.Name = append(e.vb.Name[:0], testRoot...)
	e.vb.Value.SetInteger32(42)
	f.AppendVarbind(&e.vb)
	f.ClosePDU(kind, 4711, 0, 100)
	f.CloseScoped(fx.cfg.Engine.ID(), nil)
	f.CloseV3(&wire.HeaderV3{ID: 4712, MaxSize: 1000, Flags: wire.FlagReportable, Model: wire.ModelUSM},
		&wire.SecurityParameters{EngineID: fx.cfg.Engine.ID(), Boots: 1, UserName: []byte("guest")})
	return append([]byte(nil), f.Bytes()...)
}

// TestGuestMessage: the messages that seed the fuzz target are answered.
func TestGuestMessage(t *testing.T) {
	f := newFixture(t)
	for _, kind := range []wire.PDUType{wire.GetRequest, wire.GetNextRequest, wire.GetBulkRequest, wire.SetRequest} {
		if out := f.exchange(manager, guestMessage(f, kind)); out == nil {
			t.Errorf("%v is not answered", kind)
		}
	}
}
