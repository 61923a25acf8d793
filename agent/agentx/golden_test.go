package agentx

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/posteo/go-agentx/pdu"
)

// dialogue is a connection between snmpd 5.9.3 and a subagent with NewFixture(FixtureRows), as
// session_partners_test.go recorded it (go test -tags partners -run TestRecord -update).
type dialogue struct {
	name  string
	lines []dialogueLine
}

type dialogueLine struct {
	master bool // sent by the master
	pdu    []byte
}

// DialogueRows is the size of the table in the dialogues.
const DialogueRows = 5

func readDialogues(tb testing.TB) []dialogue {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no dialogues in testdata: %v", err)
	}
	var ds []dialogue
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		d := dialogue{name: strings.TrimSuffix(filepath.Base(path), ".hex")}
		for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
			switch text := sc.Text(); text[:1] {
			case "#":
			case "<", ">":
				d.lines = append(d.lines, dialogueLine{text[0] == '<', unhex(tb, text[1:])})
			default:
				tb.Fatalf("%s: %q is no line of a dialogue", path, text)
			}
		}
		ds = append(ds, d)
	}
	return ds
}

// TestReplay sends the master's part of each dialogue: our part must equal the recorded one, octet
// for octet.
func TestReplay(t *testing.T) {
	types := map[pdu.Type]bool{}
	for _, d := range readDialogues(t) {
		t.Run(d.name, func(t *testing.T) {
			f := NewDialogueFixture(t, d.name)
			order := byteOrder(d.lines[0].pdu[2]&byte(pdu.FlagNetworkByteOrder) != 0)
			m := newMachine(f.Tree, Open{ID: DialogueID, Description: DialogueDescription}, order)
			got := m.start(nil, testTime)
			for i, l := range d.lines {
				types[pdu.Type(l.pdu[1])] = true
				if !l.master {
					got = m.speak(t, got, l.pdu)
					if !bytes.HasPrefix(got, l.pdu) {
						t.Fatalf("line %d: we say\n%x, recorded was\n%x", i+1, got, l.pdu)
					}
					got = got[len(l.pdu):]
					continue
				}
				h, size, err := nextPDU(l.pdu)
				if err != nil || size != len(l.pdu) {
					t.Fatalf("line %d: %d octets of %d: %v", i+1, size, len(l.pdu), err)
				}
				if got, err = m.handle(h, l.pdu, got, testTime); err != nil {
					t.Fatalf("line %d: %v", i+1, err)
				}
			}
			if len(got) > 0 {
				t.Errorf("we go on to say %x", got)
			}
		})
	}
	for _, want := range []pdu.Type{
		pdu.TypeOpen, pdu.TypeClose, pdu.TypeRegister, pdu.TypeGet, pdu.TypeGetNext, pdu.TypeTestSet, pdu.TypeCommitSet,
		pdu.TypeUndoSet, pdu.TypeCleanupSet, pdu.TypePing, pdu.TypeNotify, pdu.TypeAddAgentCaps, pdu.TypeResponse,
	} {
		if !types[want] {
			t.Errorf("no dialogue with a %s", typeName(want))
		}
	}
}

// NewDialogueFixture returns the fixture of a dialogue.
func NewDialogueFixture(tb testing.TB, name string) *Fixture {
	f := NewFixture(tb, DialogueRows)
	if name == "capabilities" {
		f.Identify(tb)
	}
	return f
}

// speak makes the machine send a PDU that is no answer to the master.
func (m *machine) speak(tb testing.TB, out, recorded []byte) []byte {
	switch pdu.Type(recorded[1]) {
	case pdu.TypePing:
		return m.ping(out, testTime)
	case pdu.TypeClose:
		return m.close(out, pdu.ReasonShutdown)
	case pdu.TypeNotify:
		_, p, err := ParsePDU(recorded)
		if err != nil {
			tb.Fatal(err)
		}
		return m.notify(out, 1, p.(*Notify).Varbinds, testTime)
	}
	return out
}

// TestReplayTruncated truncates each PDU of each dialogue at each octet. As a fragment it waits for
// the rest; with an adjusted length it is answered or rejected as malformed. Nothing panics.
func TestReplayTruncated(t *testing.T) {
	for _, d := range readDialogues(t) {
		f := NewFixture(t, DialogueRows)
		for i, l := range d.lines {
			for n := range l.pdu {
				if _, size, err := nextPDU(l.pdu[:n]); size != 0 || err != nil {
					t.Fatalf("%s line %d: %d octets are taken for a PDU of %d: %v", d.name, i+1, n, size, err)
				}
				if n < HeaderSize {
					continue
				}
				b := bytes.Clone(l.pdu[:n])
				byteOrder(b[2]&byte(pdu.FlagNetworkByteOrder) != 0).putUint32(b[16:], uint32(n-HeaderSize))
				h, _, err := nextPDU(b)
				if n%4 != 0 {
					if !errors.Is(err, ErrMalformed) {
						t.Fatalf("%s line %d: payload of %d octets: %v", d.name, i+1, n-HeaderSize, err)
					}
					continue
				}
				_, err = established(t, f).handle(h, b, nil, testTime)
				if l.master && err != nil && !errors.Is(err, ErrMalformed) {
					t.Fatalf("%s line %d cut to %d: %v", d.name, i+1, n, err)
				}
			}
		}
	}
}

// Contents of the Open in the dialogues.
var (
	DialogueID          = []uint32(FixtureRoot.Append(9))
	DialogueDescription = "recorded"
)

var testTime = time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)

// established returns a machine in session 7 with its subtrees registered.
func established(tb testing.TB, f *Fixture) *machine {
	tb.Helper()
	m := newMachine(f.Tree, Open{}, bigEndian)
	m.start(nil, testTime)
	for id := uint32(1); id <= 3; id++ {
		b := AppendPDU(nil, Header{Flags: pdu.FlagNetworkByteOrder, SessionID: 7, PacketID: id}, &Response{})
		h, _, err := nextPDU(b)
		if err == nil {
			_, err = m.handle(h, b, nil, testTime)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if !m.established() {
		tb.Fatal("not established after three answers")
	}
	return m
}
