package agentx

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/mib"
)

// ask passes one PDU to a machine and returns the answer. A CleanupSet has no answer: nil.
func ask(tb testing.TB, m *machine, h Header, p Payload) *Response {
	tb.Helper()
	b := AppendPDU(nil, h, p)
	h, size, err := nextPDU(b)
	if err != nil || size != len(b) {
		tb.Fatalf("%+v: size %d, error %v", p, size, err)
	}
	out, err := m.handle(h, b, nil, testTime)
	if err != nil {
		tb.Fatal(err)
	}
	if len(out) == 0 {
		return nil
	}
	rh, rp, err := ParsePDU(out)
	if err != nil {
		tb.Fatal(err)
	}
	want := Header{
		Type: pdu.TypeResponse, Flags: h.Flags & pdu.FlagNetworkByteOrder, SessionID: h.SessionID,
		TransactionID: h.TransactionID, PacketID: h.PacketID, PayloadLength: rh.PayloadLength,
	}
	if diff := cmp.Diff(want, rh); diff != "" {
		tb.Errorf("header of the answer (-want +got):\n%s", diff)
	}
	return rp.(*Response)
}

// session7 returns the header of a request in the session of established.
func session7(transaction, packet uint32) Header {
	return Header{Flags: pdu.FlagNetworkByteOrder, SessionID: 7, TransactionID: transaction, PacketID: packet}
}

func from(name mib.OID, include bool, end mib.OID) SearchRange {
	return SearchRange{Start: value.OID(name), Include: include, End: value.OID(end)}
}

func TestMachineHandshake(t *testing.T) {
	f := NewFixture(t, 1)
	respond := func(id uint32, code pdu.Error) []byte {
		return AppendPDU(nil, Header{Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: id}, &Response{Error: code})
	}
	tests := []struct {
		name    string
		answers [][]byte
		up      bool
		refused pdu.Type
	}{
		{"accepted", [][]byte{respond(1, 0), respond(2, 0), respond(3, 0)}, true, 0},
		{"accepted in another order", [][]byte{respond(1, 0), respond(3, 0), respond(2, 0)}, true, 0},
		{"one Register not answered yet", [][]byte{respond(1, 0), respond(3, 0)}, false, 0},
		{"answers to nothing", [][]byte{respond(9, 0), respond(1, 0), respond(2, 0), respond(2, pdu.ErrorProcessing), respond(3, 0)}, true, 0},
		{"Open refused", [][]byte{respond(1, pdu.ErrorOpenFailed)}, false, pdu.TypeOpen},
		{"Register refused", [][]byte{respond(1, 0), respond(2, 0), respond(3, pdu.ErrorDuplicateRegistration)}, false, pdu.TypeRegister},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(f.Tree, Open{}, bigEndian)
			m.start(nil, testTime)
			var err error
			for _, b := range tt.answers {
				h, _, _ := nextPDU(b)
				if _, err = m.handle(h, b, nil, testTime); err != nil {
					break
				}
			}
			if tt.refused != 0 {
				if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Type != tt.refused {
					t.Errorf("error %v, want a refused %s", err, typeName(tt.refused))
				}
				return
			}
			if err != nil || m.established() != tt.up {
				t.Errorf("established %t, error %v, want %t", m.established(), err, tt.up)
			}
		})
	}
}

func TestMachineReads(t *testing.T) {
	f := NewFixture(t, 3)
	cell := func(column, row uint32) mib.OID { return FixtureTable.Append(column, row) }
	gauge := func(n uint32) mib.Varbind {
		vb := mib.Varbind{Name: cell(4, n)}
		vb.Value.SetGauge32(n)
		return vb
	}
	exception := func(name mib.OID, t mib.Type) mib.Varbind {
		return mib.Varbind{Name: name, Value: mib.Value{Type: t}}
	}
	column := func(n uint32) mib.OID { return FixtureTable.Append(n) }
	tests := []struct {
		name string
		ask  Payload
		want []mib.Varbind
	}{
		{"Get of nothing", &Get{}, nil},
		{
			"Get of three",
			&Get{Ranges: []SearchRange{from(cell(4, 3), false, nil), from(cell(4, 9), false, nil), from(FixtureRoot.Append(3, 0), false, nil)}},
			[]mib.Varbind{gauge(3), exception(cell(4, 9), mib.NoSuchInstance), exception(FixtureRoot.Append(3, 0), mib.NoSuchObject)},
		},
		{"Get of the null object identifier", &Get{Ranges: []SearchRange{{}}}, []mib.Varbind{exception(nil, mib.NoSuchObject)}},
		{
			"GetNext in several ranges",
			&GetNext{Ranges: []SearchRange{
				from(cell(4, 1), false, nil), from(cell(4, 1), true, nil),
				from(cell(4, 3), false, column(5)), from(column(4), false, cell(4, 1)), from(column(4), false, cell(4, 2)),
			}},
			[]mib.Varbind{gauge(2), gauge(1), exception(cell(4, 3), mib.EndOfMibView), exception(column(4), mib.EndOfMibView), gauge(1)},
		},
		{
			"GetNext behind the last variable",
			&GetNext{Ranges: []SearchRange{from(FixtureOther.Append(1, 0), false, nil)}},
			[]mib.Varbind{exception(FixtureOther.Append(1, 0), mib.EndOfMibView)},
		},
		{
			"GetBulk with a non-repeater",
			&GetBulk{NonRepeaters: 1, MaxRepetitions: 2, Ranges: []SearchRange{from(cell(4, 2), false, nil), from(column(4), true, column(5))}},
			[]mib.Varbind{gauge(3), gauge(1), gauge(2)},
		},
		{
			"GetBulk up to the end of all ranges",
			&GetBulk{MaxRepetitions: 65535, Ranges: []SearchRange{from(cell(4, 1), false, column(5)), from(cell(4, 2), false, column(5))}},
			[]mib.Varbind{
				gauge(2), gauge(3), gauge(3), exception(cell(4, 3), mib.EndOfMibView),
				exception(cell(4, 3), mib.EndOfMibView), exception(cell(4, 3), mib.EndOfMibView),
			},
		},
		{
			"GetBulk with more non-repeaters than ranges",
			&GetBulk{NonRepeaters: 9, MaxRepetitions: 9, Ranges: []SearchRange{from(cell(4, 1), false, nil)}},
			[]mib.Varbind{gauge(2)},
		},
		{
			"GetBulk without repetitions",
			&GetBulk{NonRepeaters: 0, MaxRepetitions: 0, Ranges: []SearchRange{from(cell(4, 1), false, nil)}},
			nil,
		},
		{"Ping", &Ping{}, nil},
	}
	for _, tt := range tests {
		for _, flags := range []pdu.Flags{0, pdu.FlagNetworkByteOrder} {
			t.Run(fmt.Sprintf("%s %s", tt.name, flags), func(t *testing.T) {
				h := session7(8, 9)
				h.Flags = flags
				want := &Response{Varbinds: tt.want}
				if diff := cmp.Diff(want, ask(t, established(t, f), h, tt.ask), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestMachineRefuses: RFC 2741 section 7.2.2 requires these requests to be rejected before anything
// else is checked.
func TestMachineRefuses(t *testing.T) {
	f := NewFixture(t, 1)
	requests := []Payload{&Get{}, &GetNext{}, &GetBulk{}, &TestSet{}, &CommitSet{}, &UndoSet{}, &Ping{}}
	for _, p := range requests {
		other := session7(1, 1)
		other.SessionID = 8
		if r := ask(t, established(t, f), other, p); r.Error != pdu.ErrorNotOpen {
			t.Errorf("%s in another session: %s", typeName(p.Type()), codeName(r.Error))
		}
		if r := ask(t, newMachine(f.Tree, Open{}, bigEndian), session7(1, 1), p); r.Error != pdu.ErrorNotOpen {
			t.Errorf("%s before the Open is answered: %s", typeName(p.Type()), codeName(r.Error))
		}
		if ctx := p.context(); ctx != nil {
			*ctx = "other"
			if r := ask(t, established(t, f), session7(1, 1), p); r.Error != pdu.ErrorUnsupportedContext {
				t.Errorf("%s in a context: %s", typeName(p.Type()), codeName(r.Error))
			}
		}
	}
	if calls := f.Calls(); len(calls) > 0 {
		t.Errorf("refused requests have done %q", calls)
	}
}

func TestMachineEnds(t *testing.T) {
	f := NewFixture(t, 1)
	tests := []struct {
		name    string
		payload Payload
		want    error
	}{
		{"Close of the master", &Close{Reason: pdu.ReasonByManager}, &ClosedError{}},
		{"Open of the master", &Open{}, ErrProtocol},
		{"Register of the master", &Register{}, ErrProtocol},
		{"Unregister of the master", &Unregister{}, ErrProtocol},
		{"Notify of the master", &Notify{}, ErrProtocol},
		{"AddAgentCaps of the master", &AddAgentCaps{}, ErrProtocol},
		{"IndexAllocate of the master", &IndexAllocate{}, ErrProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := AppendPDU(nil, session7(0, 1), tt.payload)
			h, _, _ := nextPDU(b)
			_, err := established(t, f).handle(h, b, nil, testTime)
			if closed, ok := errors.AsType[*ClosedError](err); ok {
				if closed.Reason != pdu.ReasonByManager || !strings.Contains(err.Error(), "reasonByManager") {
					t.Errorf("error %v", err)
				}
			} else if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestMachineBegins has the octets of the beginning of a session whose modules have identities:
// each answer of the master, and what follows it.
func TestMachineBegins(t *testing.T) {
	const accepted = `01 12 10 00  00000007 00000000 0000000%d 00000008  00000000 0000 0000`
	const duplicate = `01 12 10 00  00000007 00000000 0000000%d 00000008  00000000 0107 0000`
	const denied = `01 12 10 00  00000007 00000000 0000000%d 00000008  00000000 010b 0000`
	const open = `01 01 10 00  00000000 00000000 00000001 0000000c  00 000000  00 00 00 00  00000000`
	const registers = `01 03 10 00  00000007 00000000 00000002 00000014  00 7f 00 00  03 04 00 00 00000001 0001869f 00000001
		01 03 10 00  00000007 00000000 00000003 00000014  00 7f 00 00  03 04 00 00 00000001 0001869f 00000002`
	const caps = `01 10 10 00  00000007 00000000 00000004 00000028  03 04 00 00 00000001 0001869f 00000001
		00000014 464958545552452d4d49423a2061207461626c65
		01 10 10 00  00000007 00000000 00000005 00000028  03 04 00 00 00000001 0001869f 00000002
		00000013 4f544845522d4d49423a2061207363616c6172 00`
	type step struct{ answer, then string }
	tests := []struct {
		name   string
		steps  []step
		err    string // of the last step
		warned string
	}{
		{"accepted", []step{{accepted, registers}, {accepted, ""}, {accepted, caps}, {accepted, ""}, {accepted, ""}}, "", ""},
		{"duplicateRegistration", []step{{accepted, registers}, {accepted, ""}, {duplicate, ""}}, "agentx: Register refused: duplicateRegistration", ""},
		{"AddAgentCaps refused", []step{{accepted, registers}, {accepted, ""}, {accepted, caps}, {denied, ""}, {accepted, ""}}, "", "agentx: AddAgentCaps refused: requestDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(NewFixture(t, 1).Identify(t).Tree, Open{}, bigEndian)
			if got, want := m.start(nil, testTime), unhex(t, open); string(got) != string(want) {
				t.Errorf("begins with\n%x, want\n%x", got, want)
			}
			var err error
			for i, s := range tt.steps {
				answer := unhex(t, fmt.Sprintf(s.answer, i+1))
				h, _, _ := nextPDU(answer)
				var got []byte
				got, err = m.handle(h, answer, nil, testTime)
				if want := unhex(t, s.then); string(got) != string(want) {
					t.Errorf("after answer %d:\n%x, want\n%x", i+1, got, want)
				}
			}
			if text := fmt.Sprint(err); err != nil && text != tt.err || err == nil && tt.err != "" {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if m.established() != (tt.err == "") {
				t.Errorf("established: %t", m.established())
			}
			if warned := m.capsRefused; warned == nil && tt.warned != "" || warned != nil && warned.Error() != tt.warned {
				t.Errorf("warned of %v, want %q", warned, tt.warned)
			}
			if _, waiting := m.oldest(); tt.err == "" && waiting {
				t.Error("something waits for an answer")
			}
		})
	}
}

// TestMachineBulkLimit requests 65,535 repetitions of a large table: the answer ends early, between
// two repetitions.
func TestMachineBulkLimit(t *testing.T) {
	m := established(t, NewFixture(t, 20000))
	ranges := []SearchRange{from(FixtureTable.Append(2), false, nil), from(FixtureTable.Append(4), false, nil)}
	r := ask(t, m, session7(1, 1), &GetBulk{MaxRepetitions: 65535, Ranges: ranges})
	if n := len(r.Varbinds); n < 1000 || n > 3000 || n%2 != 0 {
		t.Errorf("%d variables", n)
	}
}

// TestMachineTooBig requests more than fits: the answer is an error with the index of the variable,
// and no variables.
func TestMachineTooBig(t *testing.T) {
	m := established(t, NewFixture(t, 1))
	many := make([]SearchRange, 40000) // of 8 octets each; the answers have more than 40
	for i := range many {
		many[i] = SearchRange{Start: value.OID{1, 3, 6, 1, 4}, Include: true}
	}
	for _, p := range []Payload{&GetNext{Ranges: many}, &GetBulk{NonRepeaters: 65535, Ranges: many}, &GetBulk{MaxRepetitions: 1, Ranges: many}} {
		r := ask(t, m, session7(1, 1), p)
		if r.Error != pdu.Error(mib.GenErr) || r.Index < 20000 || len(r.Varbinds) > 0 {
			t.Errorf("%s: %s, index %d, %d variables", typeName(p.Type()), codeName(r.Error), r.Index, len(r.Varbinds))
		}
	}
}

// TestMachinePins: the table changes under a machine. One PDU is answered from one state, and the
// next one from a new state.
func TestMachinePins(t *testing.T) {
	f := NewFixture(t, 2)
	m := established(t, f)
	get := &Get{Ranges: []SearchRange{from(FixtureTable.Append(4, 2), false, nil)}}
	if r := ask(t, m, session7(1, 1), get); r.Varbinds[0].Value.Type != mib.Gauge32 {
		t.Fatalf("%+v", r)
	}
	f.SetRows(f.Rows()[:1])
	if r := ask(t, m, session7(2, 2), get); r.Varbinds[0].Value.Type != mib.NoSuchInstance {
		t.Errorf("the row is gone, and we answer %+v", r)
	}
}

func TestMachineOwnRequests(t *testing.T) {
	m := established(t, NewFixture(t, 1))
	if _, waiting := m.oldest(); waiting {
		t.Fatal("everything is answered, and something waits")
	}
	answer := func(id uint32, code pdu.Error) error {
		b := AppendPDU(nil, session7(0, id), &Response{Error: code, Index: 2})
		h, _, _ := nextPDU(b)
		_, err := m.handle(h, b, nil, testTime)
		return err
	}
	m.notify(nil, 11, []mib.Varbind{Varbind(FixtureRoot, 1)}, testTime)
	m.ping(nil, testTime.Add(time.Second))
	m.notify(nil, 12, nil, testTime)
	if at, waiting := m.oldest(); !waiting || at != testTime {
		t.Errorf("oldest is %v, %t", at, waiting)
	}
	if err := errors.Join(answer(6, 0), answer(4, pdu.ErrorProcessing)); err != nil {
		t.Errorf("a Notify that is refused ends the session: %v", err)
	}
	want := []outcome{{12, nil}, {11, &RefusedError{Type: pdu.TypeNotify, Code: pdu.ErrorProcessing, Index: 2}}}
	if diff := cmp.Diff(want, m.outcomes, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	err := answer(5, pdu.ErrorNotOpen)
	if err == nil || err.Error() != "agentx: Ping refused: notOpen (variable 2)" {
		t.Errorf("error of a refused Ping: %v", err)
	}
}

// TestMachineRandom passes random variations of valid PDUs to a machine: it never panics, its
// output consists of complete PDUs, and after an error it can be ended.
func TestMachineRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	f := NewFixture(t, 5)
	var good [][]byte
	for _, d := range readDialogues(t) {
		for _, l := range d.lines {
			good = append(good, l.pdu)
		}
	}
	for range 20000 {
		b := append([]byte(nil), good[rnd.IntN(len(good))]...)
		for range rnd.IntN(4) {
			b[1+rnd.IntN(len(b)-1)] = byte(rnd.Uint32())
		}
		m := established(t, f)
		h, size, err := nextPDU(b)
		if err != nil || size == 0 {
			continue
		}
		out, _ := m.handle(h, b[:size], nil, testTime)
		for len(out) > 0 {
			_, size, err := nextPDU(out)
			if err != nil || size == 0 {
				t.Fatalf("%x is answered with %x: %v", b, out, err)
			}
			out = out[size:]
		}
		m.end()
	}
}

func TestNames(t *testing.T) {
	tests := []struct{ got, want string }{
		{typeName(pdu.TypeGetBulk), "GetBulk"},
		{typeName(0), "type(0)"},
		{codeName(pdu.ErrorUnsupportedContext), "unsupportedContext"},
		{codeName(pdu.Error(mib.WrongType)), "wrongType"},
		{codeName(999), "res.error(999)"},
		{reasonName(pdu.ReasonShutdown), "reasonShutdown"},
		{reasonName(99), "reason(99)"},
		{(&RefusedError{Type: pdu.TypeOpen, Code: pdu.ErrorOpenFailed}).Error(), "agentx: Open refused: openFailed"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
