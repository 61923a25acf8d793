package agentx_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
	"aaasess/mib"
)

// running is a subagent under test with its masters, one for each connection.
type running struct {
	*agentx.Subagent
	fixture *agentx.Fixture
	masters chan *agentxtest.Master
	stop    func() // ends Run and waits for it
	log     *lockedBuffer
	heard   *sentPDUs
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

// sentPDUs records the PDUs that subagents start, and when.
type sentPDUs struct {
	mu    sync.Mutex
	start time.Time
	pdus  []string
}

func (h *sentPDUs) record(p agentx.Payload) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := agentx.TypeName(p.Type())
	if c, ok := p.(*agentx.Close); ok {
		s += " " + c.Reason.String()
	}
	h.pdus = append(h.pdus, time.Since(h.start).String()+" "+s)
}

// without returns the recorded PDUs that do not end like this.
func (h *sentPDUs) without(ends ...string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, p := range h.pdus {
		keep := true
		for _, end := range ends {
			keep = keep && !strings.HasSuffix(p, end)
		}
		if keep {
			out = append(out, p)
		}
	}
	return out
}

// run starts a subagent over net.Pipe. Its masters use the answer function; nil means Agree.
func run(t *testing.T, answer func(agentx.Header, agentx.Payload) *agentx.Response) *running {
	t.Helper()
	return runFixture(t, agentx.NewFixture(t, 10), answer)
}

// runFixture is run with another fixture.
func runFixture(t *testing.T, f *agentx.Fixture, answer func(agentx.Header, agentx.Payload) *agentx.Response) *running {
	t.Helper()
	r := &running{
		fixture: f, masters: make(chan *agentxtest.Master, 1000),
		log: &lockedBuffer{}, heard: &sentPDUs{start: time.Now()},
	}
	if answer == nil {
		answer = agentxtest.Agree
	}
	r.start(agentx.Config{Dial: agentxtest.Dial(func(conn net.Conn, id uint32) {
		r.masters <- agentxtest.NewMaster(conn, id, func(h agentx.Header, p agentx.Payload) *agentx.Response {
			r.heard.record(p)
			return answer(h, p)
		})
	})})
	t.Cleanup(r.stop)
	return r
}

func (r *running) start(cfg agentx.Config) {
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	r.Subagent = agentx.New(cfg, r.fixture.Tree)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			panic(err) // nobody checks Run's error
		}
	})
}

// up waits for the next connection and its registration.
func (r *running) up(t *testing.T) *agentxtest.Master {
	t.Helper()
	m := <-r.masters
	synctest.Wait()
	if st := r.Stats(); !st.Connected || st.SessionID != m.SessionID() {
		t.Fatalf("not registered: %+v", st)
	}
	return m
}

func TestSessionServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		<-r.Ready()
		m := r.up(t)
		if diff := cmp.Diff([]mib.OID{agentx.FixtureRoot, agentx.FixtureOther}, m.Roots()); diff != "" {
			t.Errorf("registered (-want +got):\n%s", diff)
		}
		vbs, err := m.Walk(agentx.FixtureRoot)
		if err != nil || len(vbs) != 5+7*10 {
			t.Errorf("walk of %d variables: %v", len(vbs), err)
		}
		if err := m.Set(agentx.Varbind(agentx.FixtureTable.Append(5, 1), 7)); err != nil || r.fixture.Rows()[0].Num != 7 {
			t.Errorf("set: %v, row %+v", err, r.fixture.Rows()[0])
		}
		if by := r.fixture.By(); by.Name != "agentx" || "agentx "+by.Address != r.String() {
			t.Errorf("the SET was sent by %+v, the subagent is %s", by, r)
		}
		if _, err := m.Exchange(m.Header(), &agentx.Ping{}); err != nil {
			t.Errorf("ping: %v", err)
		}
		st := r.Stats()
		if st.Received[pdu.TypeGetNext] != 76 || st.Received[pdu.TypeTestSet] != 1 || st.Received[pdu.TypePing] != 1 || st.Connects != 1 {
			t.Errorf("statistics %+v", st)
		}
		r.stop()
		if got := r.heard.without("Open", "Register"); len(got) != 1 || got[0] != "0s Close ReasonShutdown" {
			t.Errorf("at the end we said %q", got)
		}
		<-m.Gone()
		if r.Stats().Connected {
			t.Error("still connected after Run")
		}
	})
}

// TestSessionUnanswered: a master accepts the connection and answers nothing, or refuses.
func TestSessionUnanswered(t *testing.T) {
	tests := []struct {
		name   string
		answer func(agentx.Header, agentx.Payload) *agentx.Response
		after  time.Duration // until the second connection
		want   error
	}{
		{"silence", func(agentx.Header, agentx.Payload) *agentx.Response { return nil }, agentx.DefaultTimeout + 50*time.Millisecond, agentx.ErrNoAnswer},
		{
			"no answer to Register", func(_ agentx.Header, p agentx.Payload) *agentx.Response {
				if p.Type() == pdu.TypeRegister {
					return nil
				}
				return &agentx.Response{}
			}, agentx.DefaultTimeout + 50*time.Millisecond, agentx.ErrNoAnswer,
		},
		{"Open refused", agentxtest.Refuse(pdu.TypeOpen, pdu.ErrorOpenFailed), 50 * time.Millisecond, &agentx.RefusedError{}},
		{"Register refused", agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorDuplicateRegistration), 50 * time.Millisecond, &agentx.RefusedError{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, tt.answer)
				<-r.masters
				begin := time.Now()
				<-r.masters
				if took := time.Since(begin); took != tt.after {
					t.Errorf("second connection after %s, want %s", took, tt.after)
				}
				err := r.Stats().LastError
				if _, refused := errors.AsType[*agentx.RefusedError](err); refused {
					if _, want := tt.want.(*agentx.RefusedError); !want {
						t.Errorf("last error %v", err)
					}
				} else if !errors.Is(err, tt.want) {
					t.Errorf("last error %v, want %v", err, tt.want)
				}
				if r.Stats().Connects != 0 {
					t.Error("counted as connected")
				}
			})
		})
	}
}

// TestSessionMalformed sends octets that end a connection; the next connection works.
func TestSessionMalformed(t *testing.T) {
	get := func(m *agentxtest.Master) []byte {
		return agentx.AppendPDU(nil, m.Header(), &agentx.Get{Ranges: []agentx.SearchRange{{Start: value.OID(agentx.FixtureRoot)}}})
	}
	tests := []struct {
		name      string
		send      func(m *agentxtest.Master) []byte
		close     string
		malformed uint64
		answers   int // before the malformed octets
	}{
		{"random octets", func(*agentxtest.Master) []byte { return bytes.Repeat([]byte{0xa5, 0x5a, 0x42}, 99) }, "Close ReasonParseError", 1, 0},
		{"version 2", func(m *agentxtest.Master) []byte { b := get(m); b[0] = 2; return b }, "Close ReasonParseError", 1, 0},
		{"type 42", func(m *agentxtest.Master) []byte { b := get(m); b[1] = 42; return b }, "Close ReasonParseError", 1, 0},
		{"a payload of 4 GB", func(m *agentxtest.Master) []byte { b := get(m); copy(b[16:], "\xff\xff\xff\xfc"); return b }, "Close ReasonParseError", 1, 0},
		{"a good PDU, then a bad one", func(m *agentxtest.Master) []byte {
			bad := get(m)
			bad[agentx.HeaderSize] = 99 // sub-identifiers
			b := append(get(m), bad...)
			return b
		}, "Close ReasonParseError", 1, 1},
		{"a PDU that no master sends", func(m *agentxtest.Master) []byte { return agentx.AppendPDU(nil, m.Header(), &agentx.Open{}) }, "Close ReasonProtocolError", 0, 0},
		{"Close", func(m *agentxtest.Master) []byte {
			return agentx.AppendPDU(nil, m.Header(), &agentx.Close{Reason: pdu.ReasonByManager})
		}, "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				m := r.up(t)
				m.SendRaw(tt.send(m))
				for range tt.answers {
					if _, _, err := m.Receive(); err != nil {
						t.Errorf("the good PDU: %v", err)
					}
				}
				<-m.Gone()
				synctest.Wait()
				said := r.heard.without("Open", "Register")
				if tt.close == "" && len(said) > 0 || tt.close != "" && (len(said) != 1 || !strings.HasSuffix(said[0], tt.close)) {
					t.Errorf("we said %q, want %q", said, tt.close)
				}
				m = r.up(t)
				if _, err := m.Walk(agentx.FixtureTable); err != nil {
					t.Errorf("on the next connection: %v", err)
				}
				if st := r.Stats(); st.Malformed != tt.malformed || st.LastError == nil {
					t.Errorf("statistics %+v", st)
				}
			})
		})
	}
}

// TestSessionFragments sends PDUs octet by octet, and many at once.
func TestSessionFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		m := r.up(t)
		get := &agentx.Get{Ranges: []agentx.SearchRange{{Start: value.OID(agentx.FixtureTable.Append(4, 3))}}}
		for _, octet := range agentx.AppendPDU(nil, m.Header(), get) {
			m.SendRaw([]byte{octet})
		}
		if _, resp, err := m.Receive(); err != nil || len(resp.Varbinds) != 1 || resp.Varbinds[0].Value.Num != 3 {
			t.Errorf("octet by octet: %+v, %v", resp, err)
		}
		// More than the buffer, the last one in pieces.
		const n = 900
		var b []byte
		for range n {
			b = agentx.AppendPDU(b, m.Header(), get)
		}
		m.SendRaw(b[:len(b)-30])
		m.SendRaw(b[len(b)-30:])
		for i := range n {
			h, resp, err := m.Receive()
			if err != nil || len(resp.Varbinds) != 1 || h.PacketID != uint32(i+2) {
				t.Fatalf("answer %d: %+v, %+v, %v", i, h, resp, err)
			}
		}
	})
}

// TestSessionLargePDU sends a PDU that is many times as large as the buffer.
func TestSessionLargePDU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, nil)
		m := r.up(t)
		names := make([]mib.OID, 10000)
		for i := range names {
			names[i] = agentx.FixtureTable.Append(4, uint32(i%10)+1)
		}
		vbs, err := m.Get(names...)
		if err != nil || len(vbs) != len(names) {
			t.Fatalf("%d variables: %v", len(vbs), err)
		}
		if vbs[9999].Value.Num != 10 {
			t.Errorf("the last is %+v", vbs[9999])
		}
	})
}

// TestSessionLost: the master disconnects in the middle of something.
func TestSessionLost(t *testing.T) {
	set := agentx.Varbind(agentx.FixtureTable.Append(5, 1), 7)
	tests := []struct {
		name  string
		do    func(t *testing.T, m *agentxtest.Master)
		calls []string
		num   int32
	}{
		{"in a header", func(_ *testing.T, m *agentxtest.Master) { m.SendRaw([]byte{1, 5, 16}) }, nil, 0},
		{"in a PDU", func(_ *testing.T, m *agentxtest.Master) {
			b := agentx.AppendPDU(nil, m.Header(), &agentx.TestSet{Varbinds: []mib.Varbind{set}})
			m.SendRaw(b[:len(b)-4])
		}, nil, 0},
		{"between test and commit", func(t *testing.T, m *agentxtest.Master) {
			if _, err := m.Exchange(m.Header(), &agentx.TestSet{Varbinds: []mib.Varbind{set}}); err != nil {
				t.Error(err)
			}
		}, []string{"test column5.1=7"}, 0},
		{"between commit and cleanup", func(t *testing.T, m *agentxtest.Master) {
			h := m.Header()
			_, err1 := m.Exchange(h, &agentx.TestSet{Varbinds: []mib.Varbind{set}})
			h.PacketID++
			_, err2 := m.Exchange(h, &agentx.CommitSet{})
			if err := errors.Join(err1, err2); err != nil {
				t.Error(err)
			}
		}, []string{"test column5.1=7", "commit column5.1=7", "cleanup column5.1=7"}, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, nil)
				m := r.up(t)
				tt.do(t, m)
				synctest.Wait()
				m.Close()
				m = r.up(t)
				if diff := cmp.Diff(tt.calls, r.fixture.Calls()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if got := r.fixture.Rows()[0].Num; got != tt.num {
					t.Errorf("row 1 has %d, want %d", got, tt.num)
				}
				// The new session knows nothing about transactions of the old one.
				h := m.Header()
				h.TransactionID = 1
				if resp, err := m.Exchange(h, &agentx.CommitSet{}); err != nil || resp.Error != pdu.Error(mib.CommitFailed) {
					t.Errorf("commit in the new session: %+v, %v", resp, err)
				}
			})
		})
	}
}

// TestSessionStuckMaster: a master sends and does not read.
func TestSessionStuckMaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan net.Conn, 10)
		r := &running{fixture: agentx.NewFixture(t, 1), log: &lockedBuffer{}}
		r.start(agentx.Config{Timeout: 2 * time.Second, Dial: agentxtest.Dial(func(conn net.Conn, _ uint32) { conns <- conn })})
		first := <-conns
		begin := time.Now()
		second := <-conns
		if took := time.Since(begin); took != 2*time.Second+50*time.Millisecond {
			t.Errorf("given up after %s", took)
		}
		r.stop()
		first.Close()
		second.Close()
	})
}

// TestSessionStops ends Run at each stage.
func TestSessionStops(t *testing.T) {
	silent := func(agentx.Header, agentx.Payload) *agentx.Response { return nil }
	tests := []struct {
		name   string
		answer func(agentx.Header, agentx.Payload) *agentx.Response
		wait   time.Duration
		said   []string
	}{
		{"before the Open is answered", silent, 0, []string{"0s Open"}},
		{"in the pause after a failure", agentxtest.Refuse(pdu.TypeOpen, pdu.ErrorOpenFailed), 10 * time.Millisecond, []string{"0s Open"}},
		{"registered", nil, time.Second, []string{"0s Open", "0s Register", "0s Register", "1s Close ReasonShutdown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, tt.answer)
				<-r.masters
				time.Sleep(tt.wait)
				synctest.Wait()
				before := time.Now()
				r.stop()
				if took := time.Since(before); took != 0 {
					t.Errorf("took %s", took)
				}
				synctest.Wait()
				if diff := cmp.Diff(tt.said, r.heard.without()); diff != "" {
					t.Errorf("said (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestString(t *testing.T) {
	sub := agentx.New(agentx.Config{Network: "unix", Address: "/run/x"}, agentx.NewFixture(t, 0).Tree)
	if got := sub.String(); got != "agentx unix:/run/x" {
		t.Errorf("String is %q", got)
	}
}
