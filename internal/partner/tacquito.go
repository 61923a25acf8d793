package partner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TacquitoOptions configures a Tacquito.
type TacquitoOptions struct {
	// Key is the key of its clients; empty means "testing123". It must be printable ASCII.
	Key string
	// Users are the users that it knows; "" is that of system records. It answers ERROR to records of
	// others, and to those that have a field or an argument that is not ASCII, and does not log them.
	Users []string
}

// TacquitoProc is tacquito's TACACS+ server as accounting server for clients on loopback. It writes
// each record to a file and answers. It answers the requests on a connection one after the other,
// and closes connections that are idle for 15 s.
type TacquitoProc struct {
	Addr string // host:port
	Key  string

	log string // the file
	process
}

// Tacquito starts one and returns when it serves. It ends with the test. If the test fails, its log
// is added to the test's.
func Tacquito(t testing.TB, opts TacquitoOptions) *TacquitoProc {
	t.Helper()
	dir := t.TempDir()
	p := &TacquitoProc{
		Addr: fmt.Sprintf("127.0.0.1:%d", FreeTCPPort(t)), Key: cmp.Or(opts.Key, "testing123"), log: filepath.Join(dir, "accounting.log"),
		process: process{t: t, name: "tacquito", path: lookPath(t, "unshare"), ready: tacquitoReady()},
	}
	conf := filepath.Join(dir, "tacquito.yaml")
	if err := os.WriteFile(conf, tacquitoConf(t, p.Key, opts.Users), 0o600); err != nil {
		t.Fatal(err)
	}
	p.args = []string{"--mount"}
	if os.Geteuid() != 0 {
		p.args = append(p.args, "--map-root-user")
	}
	p.args = append(append(p.args, "sh", "-c", tacquitoRun, syslogSocket(t)), tacquitoPath(t),
		"-network", "tcp4", "-address", p.Addr, "-config", conf, "-acct-log-path", p.log, "-level", "20",
		"-metrics-address", fmt.Sprintf("127.0.0.1:%d", FreeTCPPort(t)))
	p.begin()
	return p
}

// tacquitoReady returns what recognizes that it listens and has read its configuration; the lines
// may come in any order.
func tacquitoReady() func(line string) bool {
	seen := map[string]bool{}
	return func(line string) bool {
		for _, what := range []string{"serve on ", "updated all prefix filters"} {
			if strings.Contains(line, what) {
				seen[what] = true
			}
		}
		if len(seen) < 2 {
			return false
		}
		clear(seen) // for the next start
		return true
	}
}

// tacquitoRun runs a command that finds a socket of syslog ($0), without which tacquito ends at
// once, in a private /run.
const tacquitoRun = `mount -t tmpfs tmpfs /run && ln -s "$0" /run/syslog && exec "$@"`

// syslogSocket returns a socket that takes log messages, which nobody reads: tacquito sends it
// none.
func syslogSocket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "syslog") // short: a socket's path has at most 108 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return filepath.Join(dir, "log")
}

// tacquitoPath builds the program, unless the build cache has it, and returns its path. The module
// in the folder tacquito says which version.
func tacquitoPath(t testing.TB) string {
	t.Helper()
	run := func(args ...string) string {
		t.Helper()
		var errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), lookPath(t, "go"), args...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("partner: go %s: %v: %s", strings.Join(args, " "), err, errs.String())
		}
		return strings.TrimSpace(string(out))
	}
	dir := run("list", "-f", "{{.Dir}}", "aaasess/internal/partner")
	return run("-C", filepath.Join(dir, "tacquito"), "tool", "-n", "server")
}

// tacquitoConf returns a complete configuration. JSON is YAML.
func tacquitoConf(t testing.TB, key string, users []string) []byte {
	t.Helper()
	type object = map[string]any
	known := []object{}
	for _, name := range users {
		known = append(known, object{"name": name, "scopes": []string{"loopback"}, "accounter": object{"name": "file", "type": 3}})
	}
	b, err := json.Marshal(object{
		"users": known,
		"secrets": []object{{
			"name": "loopback", "secret": object{"group": "tacquito", "key": key},
			"handler": object{"type": 1}, // of all types of packets
			"type":    1,                 // by the prefix of the client's address
			"options": object{"prefixes": `["127.0.0.0/8"]`},
		}},
		"prefix_allow": []string{"127.0.0.0/8"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TacquitoRecord is an accounting record as tacquito logged it, with the fields of RFC 8907 section
// 7.1.
type TacquitoRecord struct {
	Flags               uint8
	Method              uint8 // authen_method
	PrivLvl             uint8
	Type                uint8 // authen_type
	Service             uint8 // authen_service
	User, Port, RemAddr string
	Args                []string
}

// Arg returns the value of an argument, whether it is mandatory ("=") or optional ("*"), or "".
func (r *TacquitoRecord) Arg(name string) string {
	for _, a := range r.Args {
		if i := strings.IndexAny(a, "=*"); i > 0 && a[:i] == name {
			return a[i+1:]
		}
	}
	return ""
}

// Records returns the records that it logged, in order.
func (p *TacquitoProc) Records() []TacquitoRecord {
	p.t.Helper()
	all, err := parseTacquitoLog(p.file())
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// Received returns how many records it logged: len(Records()), at a low cost.
func (p *TacquitoProc) Received() int {
	p.t.Helper()
	return bytes.Count(p.file(), []byte("\n"))
}

// file returns the contents of the log, or nil if it does not exist.
func (p *TacquitoProc) file() []byte {
	p.t.Helper()
	b, err := os.ReadFile(p.log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return b
}

// parseTacquitoLog parses the log: a line for each record, which is time, place in the source and
// an object. A line without its end is being written, and is left out.
func parseTacquitoLog(text []byte) (all []TacquitoRecord, err error) {
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		_, object, _ := bytes.Cut(line, []byte(": "))
		var r TacquitoRecord
		if err := json.Unmarshal(object, &r); err != nil {
			return nil, fmt.Errorf("partner: tacquito's log: %w in %q", err, line)
		}
		all = append(all, r)
	}
	return all, nil
}
