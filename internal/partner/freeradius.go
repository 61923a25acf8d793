package partner

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FreeRADIUSOptions configures a FreeRADIUS.
type FreeRADIUSOptions struct {
	// Secret is the secret of its clients; empty means "testing123". It must be printable, without
	// ' and \.
	Secret string
	// Port is its accounting port; 0 means a free one.
	Port int
	// In is a command that runs it, such as nsenter in a network namespace; empty runs it directly.
	// The command must become FreeRADIUS, with the same process id.
	In []string
	// Password makes it an authentication server too, by EAP-MD5: it accepts every user with this
	// password.
	Password string
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
	if len(opts.In) > 0 {
		p.path, p.args = lookPath(t, opts.In[0]), append(append(opts.In[1:len(opts.In):len(opts.In)], p.path), p.args...)
	}
	p.Secret = cmp.Or(p.Secret, "testing123")
	if strings.ContainsAny(p.Secret, "'\\\n") {
		t.Fatalf("partner: freeradius: its configuration cannot hold the secret %q", p.Secret)
	}
	port := opts.Port
	if port == 0 {
		port = FreeUDPPort(t)
	}
	p.Addr = fmt.Sprintf("127.0.0.1:%d", port)
	modules, servers := "", ""
	if opts.Password != "" {
		auth := FreeUDPPort(t)
		p.AuthAddr = fmt.Sprintf("127.0.0.1:%d", auth)
		modules, servers = freeRADIUSAuthModules, fmt.Sprintf(freeRADIUSAuthServer, auth)
		users := fmt.Sprintf("DEFAULT Cleartext-Password := %q\n", opts.Password)
		if err := os.WriteFile(filepath.Join(p.dir, "users"), []byte(users), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf(freeRADIUSConf, p.dir, p.Secret, port, modules, servers)
	if err := os.WriteFile(filepath.Join(p.dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p
}

// freeRADIUSConf is a complete configuration of FreeRADIUS 3.2: %[1]s is the folder of all its
// files, %[2]s the secret, %[3]d the port, %[4]s and %[5]s additional modules and servers.
const freeRADIUSConf = `prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
radacctdir = %[1]s
run_dir = %[1]s
libdir = /usr/lib/freeradius
name = radiusd
pidfile = %[1]s/radiusd.pid
max_request_time = 30
cleanup_delay = 0
max_requests = 65536
hostname_lookups = no
log {
	destination = stdout
}
security {
	max_attributes = 0
	allow_vulnerable_openssl = yes
}
thread pool {
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 4
	max_requests_per_server = 0
	max_queue_size = 65536
}
client loopback {
	ipaddr = 127.0.0.0/8
	secret = '%[2]s'
	require_message_authenticator = no
}
modules {
	detail {
		filename = %[1]s/detail
		header = "Arrived at %%l.%%M"
		permissions = 0600
		locking = no
	}
%[4]s}
server default {
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = %[3]d
	}
	accounting {
		detail
	}
}
%[5]s`

// For EAP-MD5: %[1]d is the port.
const (
	freeRADIUSAuthModules = `	eap {
		default_eap_type = md5
		md5 {
		}
	}
	files {
		usersfile = ${raddbdir}/users
	}
`
	freeRADIUSAuthServer = `server authentication {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	authorize {
		eap {
			ok = return
		}
		files
	}
	authenticate {
		eap
	}
}
`
)

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
	all, err := parseDetail(string(p.detail()))
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// Received returns how many accounting requests it received: len(Detail()), at a low cost, except
// for a record that is incomplete.
func (p *FreeRADIUSProc) Received() int {
	p.t.Helper()
	return bytes.Count(p.detail(), []byte("\n\n"))
}

// detail returns the contents of the detail file, or nil if it does not exist.
func (p *FreeRADIUSProc) detail() []byte {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "detail"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return b
}
