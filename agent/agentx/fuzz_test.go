package agentx

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/posteo/go-agentx/pdu"
)

// fuzzParse parses payloads of one type: parsed, appended and parsed again they are equal.
func fuzzParse(f *testing.F, kind pdu.Type) {
	for _, c := range codecCases {
		if b := unhex(f, c.hex); pdu.Type(b[1]) == kind {
			f.Add(b[2], b[HeaderSize:])
		}
	}
	for _, d := range readDialogues(f) {
		for _, l := range d.lines {
			if pdu.Type(l.pdu[1]) == kind {
				f.Add(l.pdu[2], l.pdu[HeaderSize:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, flags byte, payload []byte) {
		h := Header{Type: kind, Flags: pdu.Flags(flags), SessionID: 1, TransactionID: 2, PacketID: 3, PayloadLength: uint32(len(payload))}
		b := append(h.append(nil), payload...)
		h1, p1, err := ParsePDU(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v does not wrap ErrMalformed", err)
			}
			return
		}
		h2, p2, err := ParsePDU(AppendPDU(nil, h1, p1))
		if err != nil {
			t.Fatalf("%+v was parsed, and appended cannot be parsed: %v", p1, err)
		}
		h1.PayloadLength, h2.PayloadLength = 0, 0 // ours may be shorter, because we abbreviate OIDs
		if diff := cmp.Diff(h1, h2); diff != "" {
			t.Errorf("header (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(p1, p2, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("payload (-first +second):\n%s", diff)
		}
	})
}

func FuzzParseOpen(f *testing.F)            { fuzzParse(f, pdu.TypeOpen) }
func FuzzParseClose(f *testing.F)           { fuzzParse(f, pdu.TypeClose) }
func FuzzParseRegister(f *testing.F)        { fuzzParse(f, pdu.TypeRegister) }
func FuzzParseUnregister(f *testing.F)      { fuzzParse(f, pdu.TypeUnregister) }
func FuzzParseGet(f *testing.F)             { fuzzParse(f, pdu.TypeGet) }
func FuzzParseGetNext(f *testing.F)         { fuzzParse(f, pdu.TypeGetNext) }
func FuzzParseGetBulk(f *testing.F)         { fuzzParse(f, pdu.TypeGetBulk) }
func FuzzParseTestSet(f *testing.F)         { fuzzParse(f, pdu.TypeTestSet) }
func FuzzParseCommitSet(f *testing.F)       { fuzzParse(f, pdu.TypeCommitSet) }
func FuzzParseUndoSet(f *testing.F)         { fuzzParse(f, pdu.TypeUndoSet) }
func FuzzParseCleanupSet(f *testing.F)      { fuzzParse(f, pdu.TypeCleanupSet) }
func FuzzParseNotify(f *testing.F)          { fuzzParse(f, pdu.TypeNotify) }
func FuzzParsePing(f *testing.F)            { fuzzParse(f, pdu.TypePing) }
func FuzzParseIndexAllocate(f *testing.F)   { fuzzParse(f, pdu.TypeIndexAllocate) }
func FuzzParseIndexDeallocate(f *testing.F) { fuzzParse(f, pdu.TypeIndexDeallocate) }
func FuzzParseAddAgentCaps(f *testing.F)    { fuzzParse(f, pdu.TypeAddAgentCaps) }
func FuzzParseResponse(f *testing.F)        { fuzzParse(f, pdu.TypeResponse) }

// FuzzMachine passes any octets to an established session: it answers or returns an error, and
// never panics.
func FuzzMachine(f *testing.F) {
	for _, c := range codecCases {
		f.Add(unhex(f, c.hex))
	}
	for _, d := range readDialogues(f) {
		for _, l := range d.lines {
			f.Add(l.pdu)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := established(t, NewFixture(t, 10))
		for range 3 { // repetitions too
			h, size, err := nextPDU(b)
			if err != nil || size == 0 {
				return
			}
			if _, err = m.handle(h, b[:size], nil, testTime); err != nil {
				break
			}
		}
		m.end()
	})
}
