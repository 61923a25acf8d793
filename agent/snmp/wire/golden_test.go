package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is a datagram between a manager and an agent. TestRecord wrote it to testdata (go test
// -tags partners -run TestRecord -update).
type recorded struct {
	file    string
	line    int
	manager bool // from the manager, or a notification
	octets  []byte
}

// String returns the datagram in the format of testdata: its name and its octets.
func (r recorded) String() string {
	var o opened
	what := "cannot be read"
	if err := o.parse(r.octets); err == nil {
		what = fmt.Sprintf("%s %s", o.Message.Version, o.PDU.Type)
		if o.encrypted() {
			what = "v3 encrypted"
		}
		for _, vb := range o.PDU.Varbinds {
			what += fmt.Sprintf(", %s %s", vb.Name, vb.Value.Type)
		}
	}
	return fmt.Sprintf("# %s\n%s %x\n", what, map[bool]string{true: ">", false: "<"}[r.manager], r.octets)
}

func readRecorded(tb testing.TB) []recorded {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no recordings in testdata: %v", err)
	}
	var all []recorded
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		line := 0
		for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
			line++
			switch text := sc.Text(); text[:1] {
			case "#":
			case "<", ">":
				all = append(all, recorded{filepath.Base(path), line, text[0] == '>', unhex(tb, text[1:])})
			default:
				tb.Fatalf("%s:%d: no line of a recording", path, line)
			}
		}
	}
	return all
}

// checkRecorded parses a datagram of net-snmp and builds it again: the octets must be equal.
func checkRecorded(t *testing.T, r recorded) *opened {
	t.Helper()
	o := mustOpen(t, r.octets)
	var f Frame
	if got := o.build(&f); !bytes.Equal(got, r.octets) {
		t.Errorf("built again:\n%x, was\n%x", got, r.octets)
	}
	return o
}

func TestGolden(t *testing.T) {
	types, flags := map[PDUType]int{}, map[uint8]int{}
	for _, r := range readRecorded(t) {
		t.Run(fmt.Sprintf("%s:%d", r.file, r.line), func(t *testing.T) {
			o := checkRecorded(t, r)
			flags[o.Message.Flags&(FlagAuth|FlagPriv)]++
			if !o.encrypted() {
				types[o.PDU.Type]++
			}
		})
	}
	for typ := GetRequest; typ <= Report; typ++ {
		if typ.known() && types[typ] == 0 {
			t.Errorf("no %s was recorded", typ)
		}
	}
	for _, f := range []uint8{0, FlagAuth, FlagAuth | FlagPriv} {
		if flags[f] == 0 {
			t.Errorf("no message with flags %d was recorded", f)
		}
	}
}

// TestTruncated truncates each datagram at each octet, and adds one: always an error, never a
// panic.
func TestTruncated(t *testing.T) {
	for _, r := range readRecorded(t) {
		var o opened
		for n := range r.octets {
			if err := o.parse(r.octets[:n:n]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s:%d: the first %d octets of %d: %v", r.file, r.line, n, len(r.octets), err)
			}
		}
		long := append(bytes.Clone(r.octets), 0)
		if err := o.parse(long); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "trailing octets") {
			t.Errorf("%s:%d: with an octet behind it: %v", r.file, r.line, err)
		}
	}
}

// TestTruncatedInside truncates the content and corrects the lengths around it, so that each parser
// gets an element that is too long for the enclosing one.
func TestTruncatedInside(t *testing.T) {
	for _, r := range readRecorded(t) {
		o := mustOpen(t, r.octets)
		if o.encrypted() {
			continue
		}
		pdu := o.Message.Data
		if o.Message.Version == Version3 {
			pdu = o.Scoped.PDU
			cutEach(t, o.Message.SecurityParameters, o.Parameters.Parse)
			cutEach(t, o.Message.Data, func(b []byte) error { return o.Scoped.Parse(b, false) })
			cutEach(t, o.Message.Data, func(b []byte) error { return o.Scoped.Parse(b, true) })
		}
		cutEach(t, pdu, o.PDU.Parse)
	}
}

// cutEach calls parse with the element b truncated at each octet of its content, with its length
// corrected.
func cutEach(t *testing.T, b []byte, parse func([]byte) error) {
	t.Helper()
	content, _, what := header(b)
	if what != "" {
		t.Fatal(what)
	}
	tag := b[0]
	for n := range content {
		var f Frame
		f.AppendRaw(content[:n])
		f.prependHeader(tag, n)
		if err := parse(f.Bytes()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d octets of %d of element %#x: %v", n, len(content), tag, err)
		}
	}
}
