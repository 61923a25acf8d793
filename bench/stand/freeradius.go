package stand

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aaasess/bench/nasload"
)

// The configurations of FreeRADIUS 3.2 that are compared. Threads, limits
// and log are the same in all. Everything else is the default.

// freeRADIUSBase is common to all: %[1]s is the folder of all its files, %[2]s the secret.
const freeRADIUSBase = `prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
radacctdir = %[1]s
run_dir = %[1]s
libdir = /usr/lib/freeradius
name = radiusd
pidfile = %[1]s/radiusd.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
log {
	destination = stdout
}
security {
	max_attributes = 200
	allow_vulnerable_openssl = yes
}
thread pool {
	start_servers = 2
	max_servers = 8
	min_spare_servers = 1
	max_spare_servers = 8
	max_requests_per_server = 0
	max_queue_size = 65536
	auto_limit_acct = no
}
client loopback {
	ipaddr = 127.0.0.0/8
	secret = %[2]s
	require_message_authenticator = no
}
modules {
	detail {
		filename = %[1]s/detail
		permissions = 0600
	}
	detail detail.upstream {
		filename = %[1]s/spool/detail
		permissions = 0600
		locking = yes
	}
	always ok {
		rcode = ok
	}
}
`

// freeRADIUSHome is the server to which it proxies. The times are those of Debian's proxy.conf and
// of robust-proxy-accounting. %[1]d is the port, %[2]s the secret, %[3]s a line of the pool or
// nothing, %[4]s acct or auth, %[5]s how it probes a dead server.
const freeRADIUSHome = `proxy server {
	default_fallback = no
}
home_server upstream {
	type = %[4]s
	ipaddr = 127.0.0.1
	port = %[1]d
	secret = %[2]s
	status_check = %[5]s
	username = "test_user_status_check"
	response_window = 6
	max_outstanding = 65536
}
home_server_pool upstream {
	type = fail-over
	home_server = upstream
	%[3]s
}
realm upstream {
	%[4]s_pool = upstream
}
`

// freeRADIUSListen is the server for NASes: %[1]d is its port, %[2]s its accounting section.
const freeRADIUSListen = `server default {
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	preacct {
		ok
	}
	accounting {
		%[2]s
	}
}
`

// freeRADIUSLogins is the server for NASes whose Access-Requests it proxies: %[1]d is its port, %[2]s
// toUpstream.
const freeRADIUSLogins = `server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	authorize {
		%[2]s
	}
}
`

// toUpstream makes FreeRADIUS proxy a request.
const toUpstream = `update control {
			&Proxy-To-Realm := "upstream"
		}`

// freeRADIUSSpool reads detail files and proxies their records, as in robust-proxy-accounting. A
// request whose proxying fails is written to them. %[1]s is the folder, %[2]s toUpstream, %[3]d the
// load factor.
const freeRADIUSSpool = `server upstream {
	post-proxy {
		Post-Proxy-Type Fail-Accounting {
			detail.upstream
		}
	}
	listen {
		type = detail
		filename = "%[1]s/spool/detail*"
		load_factor = %[3]d
	}
	preacct {
		ok
	}
	accounting {
		%[2]s
	}
}
`

// FreeRADIUSKind is one of the configurations of FreeRADIUS.
type FreeRADIUSKind int

const (
	// WritesDetail answers when it has written its detail file.
	WritesDetail  FreeRADIUSKind = iota
	proxiesLive                  // answers when the server has answered
	proxiesRobust                // robust-proxy-accounting
	readsDetail                  // proxies the records in the detail files
	proxiesLogins                // proxies Access-Requests
)

// writeFreeRADIUS writes the configuration into a new folder. upstream is the port to which it
// proxies.
func writeFreeRADIUS(dir string, kind FreeRADIUSKind, port, upstream uint16) error {
	if err := os.MkdirAll(filepath.Join(dir, "spool"), 0o700); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, freeRADIUSBase, dir, nasload.SharedSecret)
	robust := fmt.Sprintf(freeRADIUSHome, upstream, nasload.SharedSecret, "virtual_server = upstream", "acct", "request")
	switch kind {
	case WritesDetail:
		fmt.Fprintf(&b, freeRADIUSListen, port, "detail")
	case proxiesLive:
		fmt.Fprintf(&b, freeRADIUSHome, upstream, nasload.SharedSecret, "", "acct", "request")
		fmt.Fprintf(&b, freeRADIUSListen, port, toUpstream)
	case proxiesLogins:
		fmt.Fprintf(&b, freeRADIUSHome, upstream, nasload.SharedSecret, "", "auth", "none")
		fmt.Fprintf(&b, freeRADIUSLogins, port, toUpstream)
	case proxiesRobust: // with the load factor of Debian's example
		b.WriteString(robust)
		fmt.Fprintf(&b, freeRADIUSListen, port, toUpstream)
		fmt.Fprintf(&b, freeRADIUSSpool, dir, toUpstream, 10)
	case readsDetail:
		b.WriteString(robust)
		fmt.Fprintf(&b, freeRADIUSListen, port, "detail")
		fmt.Fprintf(&b, freeRADIUSSpool, dir, toUpstream, 100)
	}
	return os.WriteFile(filepath.Join(dir, "radiusd.conf"), []byte(b.String()), 0o600)
}
