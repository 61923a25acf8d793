package partner

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// FreeRADIUSProxyOptions configures a FreeRADIUS that is a proxy.
type FreeRADIUSProxyOptions struct {
	Acct   string   // host:port of its server for accounting
	Auth   string   // host:port of its server for authentication, "" if it has none; the hosts must be equal
	Secret string   // of its clients and of its servers
	In     []string // as [FreeRADIUSOptions.In]
}

// FreeRADIUSProxyProc is FreeRADIUS as a proxy for clients on loopback: it forwards requests to one
// server, and answers after the server has answered.
type FreeRADIUSProxyProc struct {
	Addr     string // host:port for accounting
	AuthAddr string // host:port for authentication
	process
}

// FreeRADIUSProxy starts a proxy. It marks a server dead a few seconds after a request without an
// answer. It sends the dead server a Status-Server every six seconds and uses it again after three
// answers. FreeRADIUS accepts no smaller numbers, and without Status-Server revives a server only
// after an hour. The process ends with the test. If the test fails, its log is added to the test's.
func FreeRADIUSProxy(t testing.TB, opts FreeRADIUSProxyOptions) *FreeRADIUSProxyProc {
	t.Helper()
	dir := t.TempDir()
	p := &FreeRADIUSProxyProc{process: process{
		t: t, name: "freeradius as proxy", path: lookPath(t, "freeradius"),
		args:  []string{"-f", "-l", "stdout", "-d", dir, "-n", "radiusd"},
		ready: func(line string) bool { return strings.Contains(line, "Ready to process requests") },
	}}
	p.inside(opts.In)
	host, acct := splitAddr(t, opts.Acct)
	auth := "1" // it forwards nothing to it
	if opts.Auth != "" {
		_, auth = splitAddr(t, opts.Auth)
	}
	listen, listenAuth := FreeUDPPort(t), FreeUDPPort(t)
	p.Addr, p.AuthAddr = fmt.Sprintf("127.0.0.1:%d", listen), fmt.Sprintf("127.0.0.1:%d", listenAuth)
	writeFile(t, filepath.Join(dir, "radiusd.conf"), fmt.Sprintf(freeRADIUSProxyConf, dir, opts.Secret, listen, host, acct, listenAuth, auth))
	p.begin()
	return p
}

// freeRADIUSProxyConf is a complete configuration of FreeRADIUS 3.2: %[1]s is the folder of all its
// files, %[2]s the secret, %[3]d its port, %[4]s and %[5]s host and port of the server, %[6]d and %[7]s the
// ports for authentication.
const freeRADIUSProxyConf = `prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
run_dir = %[1]s
libdir = /usr/lib/freeradius
name = radiusd
pidfile = %[1]s/radiusd.pid
max_request_time = 5
cleanup_delay = 0
proxy_requests = yes
log {
	destination = stdout
}
security {
	allow_vulnerable_openssl = yes
}
client loopback {
	ipaddr = 127.0.0.0/8
	secret = '%[2]s'
}
home_server us {
	type = acct
	ipaddr = %[4]s
	port = %[5]s
	secret = '%[2]s'
	response_window = 1
	zombie_period = 1
	revive_interval = 3600
	status_check = status-server
	check_interval = 6
	check_timeout = 4
	num_answers_to_alive = 3
}
home_server us-auth {
	type = auth
	ipaddr = %[4]s
	port = %[7]s
	secret = '%[2]s'
	response_window = 15
	status_check = status-server
}
home_server_pool us {
	type = fail-over
	home_server = us
}
home_server_pool us-auth {
	type = fail-over
	home_server = us-auth
}
realm us {
	acct_pool = us
	auth_pool = us-auth
}
modules {
	always ok {
		rcode = ok
	}
}
server default {
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = %[3]d
	}
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[6]d
	}
	authorize {
		update control {
			Proxy-To-Realm := us
		}
	}
	preacct {
		update control {
			Proxy-To-Realm := us
		}
	}
	accounting {
		ok
	}
}
`
