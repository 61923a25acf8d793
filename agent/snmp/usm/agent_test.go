package usm_test

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// respond is a responder whose objects all have the value 42. It returns the answer to one message
// and the error of Incoming. A malformed message gets no answer.
func respond(model *usm.USM, s *usm.Session, b []byte) (answer []byte, err error) {
	var m wire.Message
	if err := m.Parse(b); err != nil {
		return nil, err
	}
	var f wire.Frame
	f.Reset()
	h := wire.HeaderV3{ID: m.ID, MaxSize: 65507}
	scoped, err := model.Incoming(b, &m, s)
	if failure, ok := errors.AsType[*usm.Failure](err); ok {
		report := mib.Varbind{Name: failure.Counter}
		report.Value.SetCounter32(uint64(failure.Value))
		f.AppendVarbind(&report)
		f.ClosePDU(wire.Report, 0, 0, 0)
		f.CloseScoped(model.Engine().ID(), nil)
		if err := model.Outgoing(&f, s, failure.ReportLevel, &h); err != nil {
			return nil, err
		}
		return slices.Clone(f.Bytes()), failure
	}
	if err != nil {
		return nil, err
	}
	pdu, err := pduOf(scoped, true)
	if err != nil {
		return nil, err
	}
	for _, vb := range pdu.Varbinds {
		vb.Value.SetInteger32(42)
		f.AppendVarbind(&vb)
	}
	f.ClosePDU(wire.Response, pdu.RequestID, 0, 0)
	f.CloseScoped(model.Engine().ID(), nil)
	if err := model.Outgoing(&f, s, s.Level, &h); err != nil {
		return nil, err
	}
	return slices.Clone(f.Bytes()), nil
}

// serve answers on a loopback port until the test ends. refused returns the errors of Incoming.
func serve(t *testing.T, model *usm.USM) (addr *net.UDPAddr, refused func() []error) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu   sync.Mutex
		errs []error
		done = make(chan struct{})
	)
	go func() {
		defer close(done)
		var s usm.Session
		b := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			answer, err := respond(model, &s, b[:n])
			mu.Lock()
			if err != nil {
				errs = append(errs, reason(err))
			}
			mu.Unlock()
			if _, err := conn.WriteToUDPAddrPort(answer, from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().(*net.UDPAddr), func() []error {
		mu.Lock()
		defer mu.Unlock()
		all := errs
		errs = nil
		return all
	}
}

// reason returns the sentinel that an error wraps, which stays valid when the session is reused.
func reason(err error) error {
	if failure, ok := errors.AsType[*usm.Failure](err); ok {
		return failure.Unwrap()
	}
	return err
}
