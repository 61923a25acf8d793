package notify

import (
	"bytes"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// epoch is when tests of pure parts start.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ourID is our engine id, theirID that of a receiver.
var (
	ourID   = []byte("\x80\x00\x7e\xd9\x05notifier")
	theirID = []byte("\x80\x00\x7e\xd9\x05receiver")
)

// clock changes only by advance.
type clock struct{ now time.Time }

func newClock() *clock                      { return &clock{epoch} }
func (c *clock) Now() time.Time             { return c.now }
func (c *clock) advance(d time.Duration)    { c.now = c.now.Add(d) }
func engineFile(t testing.TB) (f string)    { return filepath.Join(t.TempDir(), "engine") }
func password(s string) (secret usm.Secret) { return usm.Secret{Password: s} }

// openEngine starts an engine.
func openEngine(t testing.TB, file string, id []byte, now func() time.Time) *usm.Engine {
	t.Helper()
	e, err := usm.OpenEngine(file, id, now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// user returns a user with the passwords that a fakeReceiver knows.
func user(a usm.AuthProtocol, p usm.PrivProtocol) usm.User {
	u := usm.User{Name: "manager", Auth: a, Priv: p}
	if a != usm.NoAuth {
		u.AuthSecret = password("authenticate")
	}
	if p != usm.NoPriv {
		u.PrivSecret = password("keep private")
	}
	return u
}

// arrived is a notification that a fakeReceiver accepted.
type arrived struct {
	kind      wire.PDUType
	requestID int32
	user      string // v3; else the community
	level     wire.SecurityLevel
	context   string // contextEngineID
	varbinds  []mib.Varbind
}

// fakeReceiver receives notifications in real octets. It is the authoritative engine for informs.
// It accepts traps from senders, engines for whose users it has keys. Its methods may be called
// from any goroutine.
type fakeReceiver struct {
	community string
	maxSize   int32
	// answer, if not nil, changes the answer; a nil result means no answer.
	answer func(pdu *wire.PDU, octets []byte) []byte
	status int32 // error-status of responses

	mu      sync.Mutex
	model   *usm.USM
	senders []*usm.USM
	got     []arrived
	total   int // datagrams
	bad     int // datagrams neither accepted nor reported
}

// newFakeReceiver returns a receiver with an engine and users.
func newFakeReceiver(t testing.TB, e *usm.Engine, users ...usm.User) *fakeReceiver {
	t.Helper()
	return &fakeReceiver{community: "public", maxSize: 65507, model: newUSM(t, e, users...)}
}

func newUSM(t testing.TB, e *usm.Engine, users ...usm.User) *usm.USM {
	t.Helper()
	set, err := usm.NewUsers(e.ID(), users, nil)
	if err != nil {
		t.Fatal(err)
	}
	return usm.New(e, set)
}

// setModel replaces the receiver's engine, or restarts it.
func (r *fakeReceiver) setModel(model *usm.USM) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.model = model
}

// arrivals returns the notifications so far.
func (r *fakeReceiver) arrivals() []arrived {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrived(nil), r.got...)
}

// handle processes a datagram and returns the answer, or nil.
func (r *fakeReceiver) handle(b []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total++
	b = bytes.Clone(b)
	var m wire.Message
	if m.Parse(b) != nil {
		r.bad++
		return nil
	}
	if m.Version == wire.Version2c {
		return r.handleCommunity(&m)
	}
	return r.handleUSM(b, &m)
}

func (r *fakeReceiver) handleCommunity(m *wire.Message) []byte {
	var pdu wire.PDU
	if pdu.Parse(m.Data) != nil || string(m.Community) != r.community {
		r.bad++
		return nil
	}
	r.got = append(r.got, arrived{kind: pdu.Type, requestID: pdu.RequestID, user: string(m.Community), varbinds: pdu.Varbinds})
	if pdu.Type != wire.InformRequest {
		return nil
	}
	f := r.response(&pdu)
	f.CloseCommunity(wire.Version2c, m.Community)
	return r.change(&pdu, f.Bytes())
}

func (r *fakeReceiver) response(pdu *wire.PDU) *wire.Frame {
	var f wire.Frame
	f.Reset()
	f.AppendRaw(pdu.RawVarbinds)
	f.ClosePDU(wire.Response, pdu.RequestID, r.status, 0)
	return &f
}

func (r *fakeReceiver) change(pdu *wire.PDU, octets []byte) []byte {
	if r.answer != nil {
		return r.answer(pdu, octets)
	}
	return octets
}

func (r *fakeReceiver) handleUSM(b []byte, m *wire.Message) []byte {
	var s usm.Session
	var p wire.SecurityParameters
	model := r.model
	if p.Parse(m.SecurityParameters) == nil && m.Flags&wire.FlagReportable == 0 {
		for _, sender := range r.senders {
			if bytes.Equal(sender.Engine().ID(), p.EngineID) {
				model = sender
			}
		}
	}
	h := wire.HeaderV3{ID: m.ID, MaxSize: r.maxSize}
	octets, err := model.Incoming(b, m, &s)
	var failure *usm.Failure
	if errors.As(err, &failure) {
		if m.Flags&wire.FlagReportable == 0 {
			r.bad++
			return nil
		}
		return r.report(model, &s, failure, &h)
	}
	var scoped wire.ScopedPDU
	var pdu wire.PDU
	if err != nil || scoped.Parse(octets, true) != nil || pdu.Parse(scoped.PDU) != nil {
		r.bad++
		return nil
	}
	r.got = append(r.got, arrived{
		kind: pdu.Type, requestID: pdu.RequestID, user: string(s.UserName), level: s.Level,
		context: string(scoped.ContextEngineID), varbinds: pdu.Varbinds,
	})
	if pdu.Type != wire.InformRequest {
		return nil
	}
	f := r.response(&pdu)
	f.CloseScoped(scoped.ContextEngineID, scoped.ContextName)
	if model.Outgoing(f, &s, s.Level, &h) != nil {
		r.bad++
		return nil
	}
	return r.change(&pdu, f.Bytes())
}

func (r *fakeReceiver) report(model *usm.USM, s *usm.Session, failure *usm.Failure, h *wire.HeaderV3) []byte {
	var f wire.Frame
	f.Reset()
	vb := mib.Varbind{Name: failure.Counter}
	vb.Value.SetCounter32(uint64(failure.Value))
	f.AppendVarbind(&vb)
	f.ClosePDU(wire.Report, 0, 0, 0)
	f.CloseScoped(model.Engine().ID(), nil)
	if model.Outgoing(&f, s, failure.ReportLevel, h) != nil {
		r.bad++
		return nil
	}
	return r.change(&wire.PDU{Type: wire.Report}, f.Bytes())
}

// serve listens on loopback until the test ends, and returns the address.
func (r *fakeReceiver) serve(t testing.TB, address string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		b := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFrom(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if answer := r.handle(b[:n]); err == nil && answer != nil {
				conn.WriteTo(answer, from) // a lost answer needs no handling
			}
		}
	}()
	return conn.LocalAddr().String()
}
