package partner

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// FreeRADIUSOptions configures a FreeRADIUS.
type FreeRADIUSOptions struct {
	// Secret is the secret of its clients; empty means "testing123". It must be printable, without
	// ' and \.
	Secret string
	// Host is its address on loopback for accounting; empty means 127.0.0.1.
	Host string
	// Port is its accounting port, AuthPort that for authentication; 0 means a free one.
	Port, AuthPort int
	// In is a command that runs it, such as [Namespace.In]; empty runs it directly. The command must
	// become FreeRADIUS, with the same process id.
	In []string
	// Users makes it an authentication server too, by PAP, CHAP, EAP-MD5 and EAP-MSCHAPv2. It is the
	// text of its users file.
	Users string
	// Certificates makes it an authentication server by EAP-TTLS and PEAP too.
	Certificates *Certificates
	// Sign makes it send Message-Authenticator in all answers of authentication. Otherwise they are
	// in answers with EAP-Message only.
	Sign bool
	// SQL makes it keep sessions in an SQLite database too, with the queries that it comes with.
	SQL bool
}

// FreeRADIUSProc is FreeRADIUS as accounting server for clients on loopback. It writes each request
// to a detail file and answers.
type FreeRADIUSProc struct {
	Addr     string // host:port for accounting
	AuthAddr string // host:port for authentication, if it is enabled
	Secret   string

	dir string
	process
}

// FreeRADIUS starts one and returns when it serves. It ends with the test. If the test fails, its
// log is added to the test's.
func FreeRADIUS(t testing.TB, opts FreeRADIUSOptions) *FreeRADIUSProc {
	t.Helper()
	dir := t.TempDir()
	p := &FreeRADIUSProc{Secret: opts.Secret, dir: dir, process: process{
		t: t, name: "freeradius", path: lookPath(t, "freeradius"),
		args:  []string{"-f", "-l", "stdout", "-d", dir, "-n", "radiusd"},
		env:   []string{"TZ=UTC"},
		ready: func(line string) bool { return strings.Contains(line, "Ready to process requests") },
	}}
	p.inside(opts.In)
	p.Secret = cmp.Or(p.Secret, "testing123")
	if strings.ContainsAny(p.Secret, "'\\\n") {
		t.Fatalf("partner: freeradius: its configuration cannot hold the secret %q", p.Secret)
	}
	port := opts.Port
	if port == 0 {
		port = FreeUDPPort(t)
	}
	host := cmp.Or(opts.Host, "127.0.0.1")
	p.Addr = fmt.Sprintf("%s:%d", host, port)
	modules, servers := "", ""
	if opts.Users != "" {
		modules, servers = p.authentication(opts)
	}
	sections, accounting := "", ""
	if opts.SQL {
		modules += fmt.Sprintf(freeRADIUSSQLModule, p.dir)
		servers, sections, accounting = servers+freeRADIUSSQLPolicy, freeRADIUSSQLSections, "\t\tsql\n"
	}
	conf := fmt.Sprintf(freeRADIUSConf, p.dir, p.Secret, port, modules, servers, sections, accounting, host)
	if err := os.WriteFile(filepath.Join(p.dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p
}

// authentication returns modules and a server that authenticate.
func (p *FreeRADIUSProc) authentication(opts FreeRADIUSOptions) (modules, server string) {
	p.t.Helper()
	port := opts.AuthPort
	if port == 0 {
		port = FreeUDPPort(p.t)
	}
	p.AuthAddr = fmt.Sprintf("127.0.0.1:%d", port)
	if err := os.WriteFile(filepath.Join(p.dir, "users"), []byte(opts.Users), 0o600); err != nil {
		p.t.Fatal(err)
	}
	tunnels, sign := "", ""
	if opts.Certificates != nil {
		tunnels = fmt.Sprintf(freeRADIUSTunnels, opts.Certificates.ServerKey, opts.Certificates.Server)
	}
	if opts.Sign {
		sign = freeRADIUSSign
	}
	return fmt.Sprintf(freeRADIUSAuthModules, p.dir, tunnels), fmt.Sprintf(freeRADIUSAuthServer, port, sign)
}

// Query runs an SQL statement on its database, and returns a line for each row, with | between the
// values.
func (p *FreeRADIUSProc) Query(statement string) (rows []string) {
	p.t.Helper()
	cmd := exec.Command(lookPath(p.t, "sqlite3"), "-cmd", ".timeout 5000", filepath.Join(p.dir, "accounting.db"), statement)
	b, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("sqlite3: %v: %s", err, b)
	}
	return strings.Fields(string(b))
}

// Logins returns the Access-Requests that it received, also those of the rounds of EAP, in the order
// in which it wrote them. The requests inside a tunnel of EAP are not among them.
func (p *FreeRADIUSProc) Logins() (records []DetailRecord) {
	p.t.Helper()
	all, err := parseDetail(string(p.file("logins")))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, a := range all {
		records = append(records, a.Record)
	}
	return records
}

// Detail returns the accounting requests that it received, in the order in which it wrote them.
func (p *FreeRADIUSProc) Detail() (records []DetailRecord) {
	p.t.Helper()
	for _, a := range p.Arrivals() {
		records = append(records, a.Record)
	}
	return records
}

// Arrivals returns the accounting requests that it received, in the order in which it wrote them.
func (p *FreeRADIUSProc) Arrivals() []Arrival {
	p.t.Helper()
	all, err := parseDetail(string(p.file("detail")))
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// Received returns how many accounting requests it received: len(Detail()), at a low cost, except
// for a record that is incomplete.
func (p *FreeRADIUSProc) Received() int {
	p.t.Helper()
	return bytes.Count(p.file("detail"), []byte("\n\n"))
}

// file returns the contents of one of its files, or nil if it does not exist.
func (p *FreeRADIUSProc) file(name string) []byte {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return b
}
