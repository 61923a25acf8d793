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
	// Port is its accounting port; 0 means a free one.
	Port int
	// In is a command that runs it, such as nsenter in a network namespace; empty runs it directly.
	// The command must become FreeRADIUS, with the same process id.
	In []string
	// Password makes it an authentication server too, by EAP-MD5: it accepts every user with this
	// password.
	Password string
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
	sections, accounting := "", ""
	if opts.SQL {
		modules += fmt.Sprintf(freeRADIUSSQLModule, p.dir)
		servers, sections, accounting = servers+freeRADIUSSQLPolicy, freeRADIUSSQLSections, "\t\tsql\n"
	}
	conf := fmt.Sprintf(freeRADIUSConf, p.dir, p.Secret, port, modules, servers, sections, accounting)
	if err := os.WriteFile(filepath.Join(p.dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p
}

// freeRADIUSConf is a complete configuration of FreeRADIUS 3.2: %[1]s is the folder of all its
// files, %[2]s the secret, %[3]d the port, %[4]s to %[7]s additional modules, servers, sections of
// the server and modules for accounting.
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
%[6]s	accounting {
		detail
%[7]s	}
}
%[5]s`

// For SQL: %[1]s is the folder. The queries, the schema and the policy are those of Debian's
// package.
const (
	freeRADIUSSQLModule = `	expr {
	}
	sql {
		dialect = "sqlite"
		driver = "rlm_sql_sqlite"
		sqlite {
			filename = "%[1]s/accounting.db"
			busy_timeout = 5000
			bootstrap = "/etc/freeradius/3.0/mods-config/sql/main/sqlite/schema.sql"
		}
		radius_db = "radius"
		acct_table1 = "radacct"
		acct_table2 = "radacct"
		postauth_table = "radpostauth"
		authcheck_table = "radcheck"
		groupcheck_table = "radgroupcheck"
		authreply_table = "radreply"
		groupreply_table = "radgroupreply"
		usergroup_table = "radusergroup"
		client_table = "nas"
		group_attribute = "SQL-Group"
		pool {
			start = ${thread[pool].max_servers}
			min = ${thread[pool].max_servers}
			max = ${thread[pool].max_servers}
			spare = 0
		}
		$INCLUDE /etc/freeradius/3.0/mods-config/sql/main/sqlite/queries.conf
	}
`
	freeRADIUSSQLSections = `	preacct {
		acct_unique
	}
`
	freeRADIUSSQLPolicy = `instantiate {
	expr
}
policy {
	$INCLUDE /etc/freeradius/3.0/policy.d/accounting
}
`
)

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
