package nasload

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aaasess/internal/radius"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
)

// TestRequestsFile checks the file with another codec, layeh.com/radius.
func TestRequestsFile(t *testing.T) {
	const n = 3000
	path := filepath.Join(t.TempDir(), "requests")
	if err := WriteRequests(path, n); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range n {
		length := int(b[2])<<8 | int(b[3])
		request, authenticator := b[:length], b[length:length+radius.AuthLen]
		b = b[length+radius.AuthLen:]
		if !layeh.IsAuthenticRequest(request, []byte(SharedSecret)) {
			t.Fatalf("request %d has a wrong authenticator", i)
		}
		p, err := layeh.Parse(request, []byte(SharedSecret))
		if err != nil {
			t.Fatal(err)
		}
		answer := append([]byte{byte(radius.CodeAccountingResponse), request[1], 0, radius.HeaderLen}, authenticator...)
		if !layeh.IsAuthenticResponse(answer, request, []byte(SharedSecret)) {
			t.Fatalf("request %d: the authenticator of the answer is wrong", i)
		}
		if p.Identifier != loadIdentifier(i) || rfc2866.AcctStatusType_Get(p) != rfc2866.AcctStatusType_Value_Start {
			t.Fatalf("request %d: identifier %d, %v", i, p.Identifier, rfc2866.AcctStatusType_Get(p))
		}
		names[rfc2866.AcctSessionID_GetString(p)] = true
		attrs, ok := CheckRequest(request)
		if got, named := RequestNumber(attrs); !ok || !named || got != i {
			t.Fatalf("request %d has the number %d (%v, %v)", i, got, ok, named)
		}
		if rfc2865.UserName_GetString(p) == "" || len(p.Attributes) != 14 || length != 174 {
			t.Fatalf("request %d has %d attributes in %d octets; docs/benchmarks.md says 14 in 174", i, len(p.Attributes), length)
		}
	}
	if len(b) != 0 || len(names) != n {
		t.Errorf("%d octets left, %d sessions", len(b), len(names))
	}
}

// TestLoadIdentifiers: an identifier is unique among 16,384 consecutive requests of a socket, and
// among 240 of all sockets.
func TestLoadIdentifiers(t *testing.T) {
	type slot struct {
		socket     int
		identifier byte
	}
	last, lastAlone := map[slot]int{}, map[byte]int{}
	for i := range 5 * 16384 {
		s := slot{i / loadRun % loadSockets, loadIdentifier(i)}
		if before, ok := last[s]; ok && i-before < 16384 {
			t.Fatalf("requests %d and %d share socket and identifier", before, i)
		}
		// After a turn of all sockets the identifiers advance by loadRun.
		if before, ok := lastAlone[s.identifier]; ok && i-before < 256-loadRun {
			t.Fatalf("requests %d and %d share the identifier", before, i)
		}
		last[s], lastAlone[s.identifier] = i, i
	}
}

func TestRequestNumber(t *testing.T) {
	for _, tt := range []struct {
		user string
		want int
		ok   bool
	}{
		{"user0000007@isp.example", 7, true},
		{"user12345678@isp.example", 12345678, true},
		{"test_user_status_check", 0, false},
		{"user@isp.example", 0, false},
		{"user0000007@elsewhere.example", 0, false},
		{"", 0, false},
	} {
		got, ok := RequestNumber(radius.Attributes(radius.AppendAttribute(nil, radius.UserName, tt.user)))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %d, %v", tt.user, got, ok)
		}
	}
}

func TestCheckRequest(t *testing.T) {
	good := AppendRequest(nil, 9, StartAttributes(1))
	with := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(good)) }
	for _, tt := range []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"good", good, true},
		{"octets behind it", append(bytes.Clone(good), 0), true},
		{"nothing", nil, false},
		{"cut", good[:len(good)-1], false},
		{"another code", with(func(b []byte) []byte { b[0] = 1; return b }), false},
		{"length below the header", with(func(b []byte) []byte { b[2], b[3] = 0, 19; return b }), false},
		{"an attribute of length 1", with(func(b []byte) []byte { b[21] = 1; return b }), false},
		{"an attribute beyond the end", with(func(b []byte) []byte { b[len(b)-5] = 7; return b }), false},
	} {
		attrs, ok := CheckRequest(tt.packet)
		if ok != tt.want || ok && string(attrs) != string(StartAttributes(1)) {
			t.Errorf("%s: %v, %d octets", tt.name, ok, len(attrs))
		}
	}
}

func TestProbesDiffer(t *testing.T) {
	a, answer := Probe()
	b, _ := Probe()
	if bytes.Equal(a, b) {
		t.Error("two probes are the same request")
	}
	if !layeh.IsAuthenticRequest(a, []byte(SharedSecret)) || !layeh.IsAuthenticResponse(answer, a, []byte(SharedSecret)) {
		t.Error("a probe and its answer are not authentic")
	}
	if attrs, ok := CheckRequest(a); !ok {
		t.Error("a probe is not a request")
	} else if _, numbered := RequestNumber(attrs); numbered {
		t.Error("a probe has a number")
	}
}
