package ending

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"
)

func argument(t interface {
	Helper()
	Fatal(args ...any)
}, text string,
) Argument {
	t.Helper()
	a, err := ParseArgument(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFields: each field has the value of the session.
func TestFields(t *testing.T) {
	how := &sessions.Ending{Command: "x", PID: 77, ProcessStart: 5}
	s := sessionOf(t, "sshd/tty-1", "alice", how, radius.FramedIPAddress, 0x0a010102, radius.CallingStationID, "192.0.2.7",
		radius.CalledStationID, "host", radius.NASPortID, "tty1", radius.NASPort, 12)
	want := map[string]string{
		"user": "alice", "id": "00000001", "source": "sshd", "session": "tty-1", "kind": "network", "address": "10.1.1.2",
		"calling-station": "192.0.2.7", "called-station": "host", "nas-port-id": "tty1", "nas-port": "12", "nas": "host-1",
		"interface-index": "7", "pid": "77",
	}
	for _, name := range FieldNames() {
		got, err := argument(t, "{"+name+"}").expand(s, how)
		if err != nil || got != want[name] {
			t.Errorf("{%s} is %q, %v", name, got, err)
		}
	}
	bare := sessionOf(t, "4711", "", nil)
	for name, want := range map[string]string{"session": "4711", "source": "", "user": "", "address": "", "pid": "", "nas-port": ""} {
		got, err := argument(t, "{"+name+"}").expand(bare, &sessions.Ending{Command: "x"})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("of a NAS's session: {%s} is %q, %v", name, got, err)
		}
	}
}

// TestExpand: values of a session never become options or something else than text.
func TestExpand(t *testing.T) {
	tests := []struct{ name, argument, user, want, err string }{
		{"text", "--force", "alice", "--force", ""},
		{"a field", "{user}", "alice", "alice", ""},
		{"text and fields", "--user={user}@{nas}!", "alice", "--user=alice@host-1!", ""},
		{"blanks and a shell's characters", "{user}", "a $(x) `y` ; z", "a $(x) `y` ; z", ""},
		{"braces in a value", "{user}", "{pid}", "{pid}", ""},
		{"a hyphen in the middle", "{user}", "a-b", "a-b", ""},
		{"a hyphen after text", "--user={user}", "-rf", "--user=-rf", ""},
		{"a hyphen at the beginning", "{user}", "-rf", "", `{user} is "-rf": the command could take it for an option`},
		{"a hyphen at the beginning, and text", "{user}@x", "-rf", "", `{user} is "-rf": the command could take it for an option`},
		{"a line", "{user}", "a\nb", "", `{user} is "a\nb": it has control characters, or is not UTF-8`},
		{"a zero", "{user}", "a\x00b", "", `{user} is "a\x00b": it has control characters, or is not UTF-8`},
		{"not UTF-8", "-u{user}", "a\xff", "", `{user} is "a\xff": it has control characters, or is not UTF-8`},
		{"C1 control", "{user}", "a\u009bb", "", `{user} is "a\u009bb": it has control characters, or is not UTF-8`},
		{"nothing", "-u{user}", "", "", "the session has no {user}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			how := &sessions.Ending{Command: "x"}
			got, err := argument(t, tt.argument).expand(sessionOf(t, "sshd/1", tt.user, how), how)
			if said := ""; got != tt.want || err != nil && err.Error() != tt.err || (err == nil) != (tt.err == said) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestParseArgumentErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{": "a brace that encloses no field", "a}": "a brace that encloses no field", "}{user}": "a brace that encloses no field",
		"{user": "a brace that encloses no field", "{}": `no field is called ""`, "{password}": `no field is called "password"`,
		"{{user}}": `no field is called "{user"`, "a\x00": "control characters", "\xff": "not UTF-8",
	} {
		if _, err := ParseArgument(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestNoOption: whatever the name of the user, an argument that does not begin with a hyphen in the
// configuration does not begin with one, and has no control characters.
func TestNoOption(t *testing.T) {
	how := &sessions.Ending{Command: "x"}
	template := sessionOf(t, "sshd/1", "alice", how)
	rapid.Check(t, func(rt *rapid.T) {
		s := *template
		s.Attrs = attrtest.Attributes(radius.UserName, string(rapid.SliceOfN(rapid.SampledFrom([]byte("-a{}=\n\x00 \xff\xc3\xa4")), 0, 5).Draw(rt, "user")))
		text := rapid.SampledFrom([]string{"{user}", "{user}{user}", "u={user}", "{kind}{user}", "{user}-"}).Draw(rt, "argument")
		got, err := argument(rt, text).expand(&s, how)
		if err == nil && (strings.HasPrefix(got, "-") || !isPlain(got) || !strings.Contains(got, s.User()) || s.User() == "") {
			rt.Errorf("%q of user %q is %q", text, s.User(), got)
		}
	})
}

// FuzzParseArgument: what is read is written the same.
func FuzzParseArgument(f *testing.F) {
	for _, text := range []string{"", "--user={user}", "{id}{session}", "{", "a{nope}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseArgument(text)
		if err != nil {
			return
		}
		if a.String() != text || a.HasField() != strings.Contains(text, "{") {
			t.Errorf("%q is %q", text, a)
		}
		if b, err := ParseArgument(a.String()); err != nil || !slices.Equal(a.pieces, b.pieces) {
			t.Errorf("again: %v, %v", b, err)
		}
	})
}
