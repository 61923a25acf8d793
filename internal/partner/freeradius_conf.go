package partner

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
	status_server = yes
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
		ipaddr = %[8]s
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

// For authentication. A request inside a tunnel has no Packet-Src-IP-Address of its own, but
// FreeRADIUS-Proxied-To.
const (
	// %[1]s is the folder, %[2]s more methods of EAP.
	freeRADIUSAuthModules = `	eap {
		default_eap_type = md5
		md5 {
		}
		mschapv2 {
		}
%[2]s	}
	pap {
	}
	chap {
	}
	mschap {
	}
	files {
		usersfile = ${raddbdir}/users
	}
	detail logins {
		filename = %[1]s/logins
		header = "Arrived at %%l.%%M"
		permissions = 0600
		locking = no
	}
`
	// %[1]s is the server's key, %[2]s its certificate.
	freeRADIUSTunnels = `		tls-config tls-common {
			private_key_file = %[1]s
			certificate_file = %[2]s
			tls_min_version = "1.2"
			tls_max_version = "1.2"
			ecdh_curve = ""
		}
		ttls {
			tls = tls-common
			default_eap_type = md5
			virtual_server = authentication
		}
		peap {
			tls = tls-common
			default_eap_type = mschapv2
			virtual_server = authentication
		}
`
	// %[1]d is the port, %[2]s a section that signs.
	freeRADIUSAuthServer = `server authentication {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	authorize {
		if (!FreeRADIUS-Proxied-To) {
			logins
		}
		eap {
			ok = return
		}
		files
		chap
		mschap
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type CHAP {
			chap
		}
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
%[2]s}
`
	freeRADIUSSign = `	post-auth {
		update reply {
			Message-Authenticator := 0x00
		}
		Post-Auth-Type REJECT {
			update reply {
				Message-Authenticator := 0x00
			}
		}
	}
`
)
