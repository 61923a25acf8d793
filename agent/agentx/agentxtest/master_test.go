package agentxtest_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/agent/agentx"
	"aaasess/agent/agentx/agentxtest"
	"aaasess/mib"
)

var root = mib.MustOID("1.3.6.1.4.1.99999.7")

// knob is a tree with one writable scalar.
type knob struct{ n, before int32 }

func (k *knob) tree(t *testing.T) *mib.Tree {
	t.Helper()
	tree, err := mib.New(&mib.Module[*knob]{
		Name: "knob", Root: root, Pin: func() *knob { return k }, Writer: k,
		Objects: []mib.Object[*knob]{mib.Scalar[*knob]{
			Def: mib.Def{Name: "knob", OID: root.Append(1), Type: mib.Integer32, Access: mib.ReadWrite},
			Get: func(k *knob, v *mib.Value) { v.SetInteger32(k.n) },
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func (k *knob) Writable(mib.Def) bool { return true }

func (k *knob) Test(as []mib.Assignment) (mib.Change, error) {
	if as[0].Value.Int32() < 0 {
		return nil, &mib.SetError{Status: mib.WrongValue, Index: as[0].Position}
	}
	return &knobChange{k, as[0].Value.Int32()}, nil
}

type knobChange struct {
	k *knob
	n int32
}

func (u *knobChange) Commit() error {
	if u.n == 99 {
		return errors.New("stuck")
	}
	u.k.before, u.k.n = u.k.n, u.n
	return nil
}

func (u *knobChange) Undo() error { u.k.n = u.k.before; return nil }
func (u *knobChange) Cleanup()    {}

func set(n int32) mib.Varbind {
	vb := mib.Varbind{Name: root.Append(1, 0)}
	vb.Value.SetInteger32(n)
	return vb
}

func TestServe(t *testing.T) {
	k := &knob{n: 1}
	m := agentxtest.Serve(t, k.tree(t))
	if roots := m.Roots(); len(roots) != 1 || roots[0].Compare(root) != 0 {
		t.Errorf("roots %v", roots)
	}
	vbs, err := m.Walk(root)
	if err != nil || len(vbs) != 1 || vbs[0].Value.Int32() != 1 {
		t.Errorf("walk: %+v, %v", vbs, err)
	}
	tests := []struct {
		n    int32
		want string
		now  int32
	}{
		{5, "", 5},
		{-1, "agentx: TestSet refused: wrongValue (variable 1)", 5},
		{99, "agentx: CommitSet refused: commitFailed (variable 1)", 5},
		{6, "", 6},
	}
	for _, tt := range tests {
		got := ""
		if err := m.Set(set(tt.n)); err != nil {
			got = err.Error()
		}
		vbs, err := m.Get(root.Append(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		if now := vbs[0].Value.Int32(); got != tt.want || now != tt.now {
			t.Errorf("set to %d: %q, it reads %d; want %q and %d", tt.n, got, now, tt.want, tt.now)
		}
	}
	vbs, err = m.GetNext(agentx.SearchRange{Start: value.OID(root)}, agentx.SearchRange{Start: value.OID(root.Append(2))})
	if err != nil || len(vbs) != 2 || vbs[1].Value.Type != mib.EndOfMibView {
		t.Errorf("next: %+v, %v", vbs, err)
	}
}

// script is a subagent that sends whatever a test needs.
type script struct{ net.Conn }

func (s script) send(t *testing.T, h agentx.Header, p agentx.Payload) {
	t.Helper()
	if _, err := s.Write(agentx.AppendPDU(nil, h, p)); err != nil {
		t.Fatal(err)
	}
}

func (s script) receive(t *testing.T) (agentx.Header, agentx.Payload) {
	t.Helper()
	b := make([]byte, agentx.HeaderSize)
	if _, err := io.ReadFull(s, b); err != nil {
		t.Fatal(err)
	}
	h, err := agentx.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, make([]byte, h.PayloadLength)...)
	if _, err := io.ReadFull(s, b[agentx.HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	h, p, err := agentx.ParsePDU(b)
	if err != nil {
		t.Fatal(err)
	}
	return h, p
}

// TestMasterReportsErrors: the master's methods report a subagent's errors.
func TestMasterReportsErrors(t *testing.T) {
	name := root.Append(1, 0)
	one := []mib.Varbind{set(1)}
	tests := []struct {
		name   string
		answer func(h *agentx.Header) agentx.Payload
		ask    func(m *agentxtest.Master) error
	}{
		{
			"fewer variables than ranges", func(*agentx.Header) agentx.Payload { return &agentx.Response{} },
			func(m *agentxtest.Master) error { _, err := m.Get(name); return err },
		},
		{
			"more variables than ranges", func(*agentx.Header) agentx.Payload { return &agentx.Response{Varbinds: append(one, one...)} },
			func(m *agentxtest.Master) error { _, err := m.Get(name); return err },
		},
		{
			"another packet", func(h *agentx.Header) agentx.Payload { h.PacketID++; return &agentx.Response{Varbinds: one} },
			func(m *agentxtest.Master) error { _, err := m.Get(name); return err },
		},
		{
			"a walk that steps back", func(*agentx.Header) agentx.Payload {
				return &agentx.Response{Varbinds: []mib.Varbind{{Name: mib.MustOID("1.3.6"), Value: set(1).Value}}}
			},
			func(m *agentxtest.Master) error { _, err := m.Walk(root); return err },
		},
		{
			"a walk that leaves the subtree", func(*agentx.Header) agentx.Payload {
				return &agentx.Response{Varbinds: []mib.Varbind{{Name: mib.MustOID("1.3.6.1.4.1.99999.8"), Value: set(1).Value}}}
			},
			func(m *agentxtest.Master) error { _, err := m.Walk(root); return err },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			m := agentxtest.NewMaster(ours, 1, nil)
			defer m.Close()
			result := make(chan error, 1)
			go func() { result <- tt.ask(m) }()
			s := script{theirs}
			h, _ := s.receive(t)
			p := tt.answer(&h)
			s.send(t, h, p)
			if err := <-result; err == nil {
				t.Error("the master is content")
			}
		})
	}
}

// TestMasterGone: the subagent closes the connection; earlier answers can still be read.
func TestMasterGone(t *testing.T) {
	ours, theirs := net.Pipe()
	m := agentxtest.NewMaster(ours, 1, nil)
	s := script{theirs}
	s.send(t, agentx.Header{PacketID: 3}, &agentx.Response{})
	theirs.Close()
	<-m.Gone()
	if h, _, err := m.Receive(); err != nil || h.PacketID != 3 {
		t.Errorf("%+v, %v", h, err)
	}
	if _, _, err := m.Receive(); !errors.Is(err, agentxtest.ErrGone) {
		t.Errorf("then %v", err)
	}
	for range 2000 {
		m.SendRaw([]byte{1}) // does not block
	}
}

func TestListen(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			address := agentxtest.Listen(t, network, func(conn net.Conn, id uint32) {
				agentxtest.NewMaster(conn, id, agentxtest.Refuse(pdu.TypeRegister, pdu.ErrorRequestDenied))
			})
			for id := uint32(1); id <= 2; id++ {
				conn, err := net.DialTimeout(network, address, time.Second)
				if err != nil {
					t.Fatal(err)
				}
				s := script{conn}
				for _, tt := range []struct {
					say  agentx.Payload
					want pdu.Error
				}{{&agentx.Open{}, 0}, {&agentx.Register{}, pdu.ErrorRequestDenied}, {&agentx.Ping{}, 0}} {
					s.send(t, agentx.Header{PacketID: 9}, tt.say)
					h, p := s.receive(t)
					if r, ok := p.(*agentx.Response); !ok || r.Error != tt.want || h.SessionID != id || h.PacketID != 9 {
						t.Errorf("%T is answered with %+v %+v", tt.say, h, p)
					}
				}
				conn.Close()
			}
		})
	}
}
