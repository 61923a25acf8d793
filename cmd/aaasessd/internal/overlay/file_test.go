package overlay

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aaasess/internal/servers"
)

var example = servers.Overlay{
	Created: []servers.Created{
		{Protocol: servers.RADIUS, Index: 7, Addr: netip.MustParseAddr("192.0.2.1"), AuthPort: 1645, AcctPort: 1646, Key: "\x00\xffkey\n"},
		{Protocol: servers.TACACS, Index: 1, Addr: netip.MustParseAddr("2001:db8::1"), AuthPort: 49},
	},
	Destroyed: []servers.Key{{Protocol: servers.RADIUS, Name: "r1"}},
}

var compare = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(name, discard())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// check compares what a file has, and what it has when it is opened again.
func (f *File) check(t *testing.T, want servers.Overlay, stateChange bool) {
	t.Helper()
	for _, f := range []*File{f, open(t, f.name)} {
		if diff := cmp.Diff(want, f.Overlay(), compare); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if f.StateChangeEnabled() != stateChange {
			t.Errorf("casServerStateChangeEnable is %t", f.StateChangeEnabled())
		}
	}
}

// TestFile: both parts are kept, independently of each other, and only the owner can read them.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "server-overlay")
	f := open(t, name)
	f.check(t, servers.Overlay{}, false)
	for _, step := range []struct {
		change      func() error
		want        servers.Overlay
		stateChange bool
	}{
		{func() error { return f.SetOverlay(example) }, example, false},
		{func() error { return f.SetStateChangeEnabled(true) }, example, true},
		{func() error { return f.Restore(servers.Overlay{}) }, servers.Overlay{}, true},
		{func() error { return f.SetOverlay(example) }, example, true},
		{func() error { return f.SetStateChangeEnabled(false) }, example, false},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		f.check(t, step.want, step.stateChange)
	}
	f.mu.Lock() // as while the disk hangs
	if f.StateChangeEnabled() {
		t.Error("casServerStateChangeEnable is true")
	}
	f.mu.Unlock()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// TestFailedWrite: after a failed write the old content counts, and a later write makes the file the
// same again; after a Restore the new content counts.
func TestFailedWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "server-overlay")
	f := open(t, name)
	if err := f.SetOverlay(example); err != nil {
		t.Fatal(err)
	}
	// A folder in place of the next file: nobody, not even root, can write it.
	block := func() {
		if err := os.Mkdir(name+".new", 0o700); err != nil {
			t.Fatal(err)
		}
	}
	unblock := func() {
		if err := os.Remove(name + ".new"); err != nil {
			t.Fatal(err)
		}
	}
	block()
	if f.SetOverlay(servers.Overlay{}) == nil || f.SetStateChangeEnabled(true) == nil || f.Retry() == nil || f.StateChangeEnabled() {
		t.Error("no error")
	}
	f.check(t, example, false)
	if f.SetOverlay(example) == nil {
		t.Error("the file may differ, and nothing was written")
	}
	if f.Restore(servers.Overlay{}) == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff(servers.Overlay{}, f.Overlay(), compare); diff != "" {
		t.Error(diff)
	}
	unblock()
	if err := f.Retry(); err != nil {
		t.Error(err)
	}
	f.check(t, servers.Overlay{}, false)
	block() // nothing is left to write
	if err := f.Retry(); err != nil {
		t.Error(err)
	}
	if err := f.SetOverlay(servers.Overlay{}); err != nil {
		t.Error(err)
	}
	unblock()
}

// TestDamaged: a file that cannot be read is set aside, with an error in the log that shows no key.
func TestDamaged(t *testing.T) {
	good, err := (&content{overlay: example}).append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "not JSON"},
		{"no JSON", "created: []", "not JSON"},
		{"cut off", string(good[:len(good)/2]), "not JSON"},
		{"another type", strings.Replace(string(good), `"AP9rZXkK"`, `{"a": "AP9rZXkK"}`, 1), "not JSON"},
		{"an address that is none", strings.Replace(string(good), "192.0.2.1", "192.0.2.256", 1), "not JSON"},
		{"a port that is none", strings.Replace(string(good), "1646", "65536", 1), "not JSON"},
		{"another version", strings.Replace(string(good), `"version": 1`, `"version": 2`, 1), "version is 2"},
		{"a protocol that is none", strings.Replace(string(good), `"tacacs"`, `"diameter"`, 1), "diameter"},
		{"a second document", string(good) + "{}", "not JSON"},
		{"too long", strings.Repeat(" ", maxSize+1), "longer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.text == string(good) {
				t.Fatal("the file is not damaged")
			}
			name := filepath.Join(t.TempDir(), "server-overlay")
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			f, err := Open(name, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			f.check(t, servers.Overlay{}, false)
			if kept, err := os.ReadFile(name + Damaged); err != nil || string(kept) != tt.text {
				t.Errorf("the damaged file has %d octets, %v", len(kept), err)
			}
			if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, tt.want) || strings.Contains(text, "AP9r") {
				t.Errorf("the log says %q", text)
			}
			if err := f.SetOverlay(example); err != nil {
				t.Fatal(err)
			}
			f.check(t, example, false)
		})
	}
}

// TestNotSetAside: if the damaged file cannot be set aside, the error says so: the next change would
// overwrite it.
func TestNotSetAside(t *testing.T) {
	name := filepath.Join(t.TempDir(), "server-overlay")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(name+Damaged, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name, discard()); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
}

// TestText: what is written is read again as it was.
func TestText(t *testing.T) {
	protocols := rapid.SampledFrom([]servers.Protocol{servers.RADIUS, servers.TACACS})
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		n := rapid.SampledFrom([]int{4, 16}).Draw(t, "family")
		a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "octets"))
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		want := content{stateChange: rapid.Bool().Draw(t, "enabled")}
		want.overlay.Created = rapid.SliceOf(rapid.Custom(func(t *rapid.T) servers.Created {
			return servers.Created{
				Protocol: protocols.Draw(t, "protocol"), Index: rapid.Uint32().Draw(t, "index"), Addr: addr.Draw(t, "address"),
				AuthPort: rapid.Uint16().Draw(t, "auth"), AcctPort: rapid.Uint16().Draw(t, "acct"), Key: string(rapid.SliceOf(rapid.Byte()).Draw(t, "key")),
			}
		})).Draw(t, "created")
		want.overlay.Destroyed = rapid.SliceOf(rapid.Custom(func(t *rapid.T) servers.Key {
			return servers.Key{Protocol: protocols.Draw(t, "protocol"), Name: rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(t, "name")}
		})).Draw(t, "destroyed")
		b, err := want.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(b)
		if err != nil || !got.equal(&want) {
			t.Fatalf("%+v, %v\n%s", got, err, b)
		}
	})
}
