package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aaasess/cmd/internal/api"
)

// hostileText is what a NAS, a user or a server may send: characters that control a terminal, turn the
// direction of text, end a line, or cannot be seen.
var hostileText = rapid.Custom(func(t *rapid.T) string {
	bad := rapid.SampledFrom([]string{
		"\x1b[2J", "\x1b]0;title\a", "\x00", "\r", "\n", "\t", "\x7f", "\u009b31m", "\u202e", "\u2066", "\u2028", "\u200b", "\ufeff", "\U000e0041", "\U0001f600", "é", `"`, "\\", "%s", "<b>", " ",
	})
	return "qq" + strings.Join(rapid.SliceOfN(bad, 1, 4).Draw(t, "characters"), "zz")
})

// fill sets each text of a message to text, each number to 1, and each list to one element.
func fill(v reflect.Value, text string, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	case json.RawMessage:
		return
	case json.Unmarshaler, interface{ UnmarshalText([]byte) error }:
		return // its text is checked where it is read
	}
	if _, checked := v.Addr().Interface().(interface{ UnmarshalText([]byte) error }); checked {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Field(i).CanSet() {
				fill(v.Field(i), text, depth)
			}
		}
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), text, depth-1)
		}
	case reflect.Slice:
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), text, depth-1)
		}
	case reflect.Map:
		if depth > 0 && v.Type().Key().Kind() == reflect.String {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value, text, depth-1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("one").Convert(v.Type().Key()), value)
		}
	}
}

// filled returns a message whose texts are all text.
func filled[T any](text string) *T {
	out := new(T)
	fill(reflect.ValueOf(out).Elem(), text, 6)
	return out
}

// section is filled, as a section of a status.
func section[T any](t *testing.T, text string) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(filled[T](text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serveHostile answers every request as a daemon whose texts are all text, and returns its socket.
func serveHostile(t *testing.T, text func() string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli") // short: a socket's path has 107 octets
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	answer := func(pattern string, message func(text string) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(message(text())) })
	}
	list := func(head string, one any) any {
		b, err := json.Marshal(one)
		if err != nil {
			t.Error(err)
		}
		return json.RawMessage(fmt.Sprintf("{%s,\"sessions\":[%s]}", head, b))
	}
	answer("GET "+api.PathSessions, func(s string) any { return list(`"total":1,"matched":1`, filled[api.Session](s)) })
	answer("GET "+api.PathSessions+"/{id}", func(s string) any { return filled[api.SessionDetail](s) })
	answer("GET "+api.PathAccounting, func(s string) any {
		return list(`"total":1,"matched":1,"accounted":1`, filled[api.AccountedSession](s))
	})
	answer("GET "+api.PathLogins, func(s string) any { return filled[api.LoginList](s) })
	answer("GET "+api.PathStatus, func(s string) any {
		out := filled[api.Status](s)
		out.Sections = map[string]json.RawMessage{
			api.RadiusSection: section[api.ListenerStatus](t, s), api.SNMPSection: section[api.SNMPStatus](t, s), api.AgentXSection: section[api.AgentXStatus](t, s),
			"servers": section[api.ServerStatus](t, s), "queues": section[[]api.Queue](t, s),
		}
		return out
	})
	answer("GET "+api.PathServerGroups, func(s string) any {
		out := filled[api.ServerGroupList](s)
		out.Next = ""
		for _, protocol := range []api.Protocol{api.RADIUS, api.TACACS} {
			g := *filled[api.ServerGroup](s)
			g.Protocol = protocol
			out.Groups = append(out.Groups, g)
		}
		return out
	})
	answer("GET "+api.PathServerGroups+"/{name}", func(s string) any { return filled[api.ServerGroup](s) })
	answer("GET "+api.PathManaged, func(s string) any { return filled[api.ManagedServers](s) })
	answer("GET "+api.PathOnOffGroups, func(s string) any {
		out := filled[api.OnOffGroupList](s)
		out.Next = ""
		return out
	})
	answer("GET "+api.PathSpool, func(s string) any { return filled[api.SpoolStatus](s) })
	answer("GET "+api.PathSetAside, func(s string) any {
		out := filled[api.SetAsideList](s)
		out.Next = 0
		return out
	})
	answer("GET "+api.PathSetAside+"/{seq}", func(s string) any { return filled[api.SetAside](s) })
	answer("GET "+api.PathExplain+"/{name}", func(s string) any { return filled[api.Explanation](s) })
	answer("GET "+api.PathRunningConfig, func(s string) any { return filled[api.RunningConfig](s) })
	answer("GET "+api.PathEvents, func(s string) any {
		out := filled[api.EventLine](s)
		out.LeftOut = 0
		return out
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(filled[api.Problem](text()))
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-served; _ = os.RemoveAll(dir) })
	return socket
}

// TestNothingRaw: whatever texts a daemon passes on from the network, no command writes a character that
// could control a terminal, break a line of a table or be invisible, neither as text nor as JSON.
func TestNothingRaw(t *testing.T) {
	var text string
	socket := serveHostile(t, func() string { return text })
	commands := [][]string{
		{"show", "sessions"},
		{"show", "sessions", "--wide"},
		{"show", "session", "00000001"},
		{"show", "accounting"},
		{"show", "logins"},
		{"show", "status"},
		{"show", "clients"},
		{"show", "snmp"},
		{"show", "radius", "statistics"},
		{"show", "tacacs", "statistics"},
		{"show", "server-group"},
		{"show", "server-group", "one"},
		{"show", "acct-on-off-group"},
		{"show", "spool"},
		{"show", "running-config"},
		{"spool", "list"},
		{"spool", "show", "1"},
		{"explain", "00000001"},
		{"debug", "accounting"},
		{"disconnect", "00000001"},
		{"clear", "session", "00000001", "--yes"},
		{"spool", "replay", "1"},
		{"perform", "acct-on", "one"},
		{"perform", "resync", "one"},
	}
	shown := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		text = hostileText.Draw(rt, "text")
		for _, args := range commands {
			for _, args := range [][]string{args, append(slices.Clone(args), "--json")} {
				got := command(t, socket, "", args...)
				for _, out := range []string{got.out, got.err} {
					if at := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); at >= 0 || !utf8.ValidString(out) {
						rt.Errorf("%q: %q at %d of %q", args, out[max(0, at):min(len(out), at+8)], at, out)
					}
				}
				if strings.Contains(got.out+got.err, "qq") {
					shown[fmt.Sprint(args)] = true
				}
				// A text is within one line: it begins one only where the command puts it.
				for line := range strings.Lines(got.out) {
					if strings.HasPrefix(line, "zz") {
						rt.Errorf("%q: a text breaks a line: %q", args, got.out)
					}
				}
			}
		}
	})
	for _, args := range commands {
		for _, more := range [][]string{nil, {"--json"}} {
			if all := fmt.Sprint(append(slices.Clone(args), more...)); !shown[all] {
				t.Errorf("%s shows no text", all)
			}
		}
	}
}
