package partner

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The addresses of a strongSwan.
const (
	strongSwanOuter = "192.0.2.1" // of the gateway, on the interface to its clients
	strongSwanPeer  = "192.0.2.2" // of the client
	// StrongSwanID is the NAS-Identifier of the gateway.
	StrongSwanID = "strongswan-gw"
	// strongSwanInner is behind the gateway; its users have addresses of strongSwanPool.
	strongSwanInner = "10.88.0.1/32"
	strongSwanPool  = "10.88.1.0/24"
)

// StrongSwanOptions configures a gateway.
type StrongSwanOptions struct {
	Interface    string // leads to the client
	Auth, Acct   string // the servers, host:port; the hosts must be equal
	Secret       string // of the servers, and of clients that send Disconnect-Requests
	Certificates *Certificates
	// Hook, if not "", is a command that runs for each CHILD_SA, and Logins are the users: RADIUS servers
	// have then no part in it.
	Hook   string
	Logins []Login
	Socket string // its control socket, in a temporary folder if ""
}

// StrongSwanProc is charon, the daemon of strongSwan. It has ESP in user space: the kernel need not
// have it.
type StrongSwanProc struct {
	*Program
	Socket string // its control socket
	dir    string
	ns     *Namespace
}

// StrongSwan starts a gateway in a namespace: its users log in by IKEv2 with EAP, which RADIUS
// servers decide, or the gateway itself if it has a Hook. With RADIUS, it receives Disconnect-Requests at 127.0.0.1:3799 of its namespace.
func (n *Namespace) StrongSwan(opts StrongSwanOptions) *StrongSwanProc {
	n.t.Helper()
	n.Run("ip", "addr", "add", strongSwanOuter+"/24", "dev", opts.Interface)
	n.Run("ip", "addr", "add", strongSwanInner, "dev", "lo")
	if opts.Hook != "" {
		conf := fmt.Sprintf(strongSwanGateway, strongSwanOuter, filepath.Base(opts.Certificates.Server), ServerName, strongSwanInner, strongSwanPool, "eap-md5", "updown = "+opts.Hook)
		return n.strongSwan(opts.Certificates, opts.Socket, "", "", conf+strongSwanSecrets(opts.Logins))
	}
	host, authPort := splitAddr(n.t, opts.Auth)
	_, acctPort := splitAddr(n.t, opts.Acct)
	radius := fmt.Sprintf(strongSwanRADIUS, StrongSwanID, host, authPort, acctPort, opts.Secret)
	return n.strongSwan(opts.Certificates, opts.Socket, " eap-radius attr", radius,
		fmt.Sprintf(strongSwanGateway, strongSwanOuter, filepath.Base(opts.Certificates.Server), ServerName, strongSwanInner, strongSwanPool, "eap-radius", ""))
}

// strongSwanSecrets returns the passwords of users.
func strongSwanSecrets(logins []Login) string {
	secrets := "secrets {\n"
	for _, login := range logins {
		secrets += fmt.Sprintf("\teap-%[1]s {\n\t\tid = %[1]s\n\t\tsecret = %[2]s\n\t}\n", login.User, login.Password)
	}
	return secrets + "}\n"
}

// StrongSwanClient starts a client in a namespace whose interface leads to the gateway. Connect
// connects the users.
func (n *Namespace) StrongSwanClient(iface string, certificates *Certificates, logins ...Login) *StrongSwanProc {
	n.t.Helper()
	n.Run("ip", "addr", "add", strongSwanPeer+"/24", "dev", iface)
	connections := "connections {\n"
	for _, login := range logins {
		connections += fmt.Sprintf(strongSwanConnection, login.User, strongSwanPeer, strongSwanOuter, ServerName, strongSwanInner)
	}
	return n.strongSwan(certificates, "", "", "", connections+"}\n"+strongSwanSecrets(logins))
}

// strongSwan starts charon with a control socket, and with these plugins, and their configuration,
// beside the usual ones.
func (n *Namespace) strongSwan(certificates *Certificates, socket, plugins, configuration, connections string) *StrongSwanProc {
	n.t.Helper()
	dir := n.t.TempDir()
	p := &StrongSwanProc{Socket: cmp.Or(socket, filepath.Join(dir, "vici")), dir: dir, ns: n}
	for folder, file := range map[string]string{"x509ca": certificates.Authority, "x509": certificates.Server, "private": certificates.ServerKey} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			n.t.Fatal(err)
		}
		if err := os.Symlink(file, filepath.Join(dir, folder, filepath.Base(file))); err != nil {
			n.t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "strongswan.conf")
	writeFile(n.t, conf, fmt.Sprintf(strongSwanConf, plugins, p.Socket, configuration))
	writeFile(n.t, filepath.Join(dir, "swanctl.conf"), connections)
	// Its process id file is in /run, so each one needs a /run of its own.
	const script = `mount -t tmpfs tmpfs /run && STRONGSWAN_CONF="$0" exec /usr/lib/ipsec/charon`
	p.Program = n.Program("spawning", "unshare", "--mount", "sh", "-c", script, conf)
	p.control("--load-all")
	return p
}

// control runs swanctl.
func (p *StrongSwanProc) control(args ...string) string {
	p.t.Helper()
	return p.ns.Run(append([]string{"env", "SWANCTL_DIR=" + p.dir, "swanctl"}, append(args, "--uri", "unix://"+p.Socket)...)...)
}

// Connect connects a user of a client; it returns an error if the gateway rejects the user.
func (p *StrongSwanProc) Connect(user string) error {
	p.t.Helper()
	_, err := p.ns.Try("env", "SWANCTL_DIR="+p.dir, "swanctl", "--initiate", "--child", user, "--timeout", "15", "--uri", "unix://"+p.Socket)
	return err
}

// Disconnect ends the connection of a user of a client.
func (p *StrongSwanProc) Disconnect(user string) {
	p.t.Helper()
	p.control("--terminate", "--ike", user)
}

// Rekey rekeys the CHILD_SA and then the IKE_SA of the only user of a gateway. Its log says when each is
// rekeyed.
func (p *StrongSwanProc) Rekey() {
	p.t.Helper()
	for _, what := range [][]string{{"--child", "net"}, {"--ike", "users"}} {
		p.control(append([]string{"--rekey"}, what...)...)
	}
}

// Connected returns how many users are connected.
func (p *StrongSwanProc) Connected() int {
	p.t.Helper()
	return strings.Count(p.control("--list-sas"), "ESTABLISHED")
}

// strongSwanConf is strongswan.conf: %[1]s are more plugins, %[2]s is the control socket, %[3]s the
// configuration of plugins.
const strongSwanConf = `charon {
	install_routes = yes
	port = 500
	port_nat_t = 4500
	load = random nonce aes sha1 sha2 md5 hmac kdf gcm openssl pem x509 pubkey pkcs1 pkcs8 revocation constraints kernel-libipsec kernel-netlink socket-default vici updown eap-identity eap-md5%[1]s
	plugins {
		vici {
			socket = unix://%[2]s
		}
%[3]s	}
	filelog {
		all {
			path = /dev/stdout
			default = 1
			cfg = 2
			flush_line = yes
		}
	}
}
`

// strongSwanRADIUS is the configuration of eap-radius: %[1]s is the NAS-Identifier, %[2]s to %[4]s
// are host and ports of the server, %[5]s is the secret.
const strongSwanRADIUS = `		eap-radius {
			accounting = yes
			station_id_with_port = yes
			nas_identifier = %[1]s
			dae {
				enable = yes
				listen = 127.0.0.1
				port = 3799
				secret = %[5]s
			}
			servers {
				server {
					address = %[2]s
					auth_port = %[3]s
					acct_port = %[4]s
					secret = %[5]s
					nas_identifier = %[1]s
					sockets = 5
				}
			}
		}
`

// strongSwanGateway are the connections of the gateway: %[1]s is its address, %[2]s its
// certificate, %[3]s its name, %[4]s the network behind it, %[5]s the addresses of users, %[6]s how they
// log in, %[7]s is more for the CHILD_SA.
const strongSwanGateway = `connections {
	users {
		version = 2
		local_addrs = %[1]s
		pools = users
		unique = no
		local {
			auth = pubkey
			certs = %[2]s
			id = %[3]s
		}
		remote {
			auth = %[6]s
			eap_id = %%any
			id = %%any
		}
		children {
			net {
				local_ts = %[4]s
				rekey_time = 0
				%[7]s
			}
		}
	}
}
pools {
	users {
		addrs = %[5]s
	}
}
`

// strongSwanConnection is the connection of a user: %[1]s is the user, %[2]s the address, %[3]s and
// %[4]s are address and name of the gateway, %[5]s is the network behind it.
const strongSwanConnection = `	%[1]s {
		version = 2
		local_addrs = %[2]s
		remote_addrs = %[3]s
		vips = 0.0.0.0
		local {
			auth = eap-md5
			id = %[1]s@client.test
			eap_id = %[1]s
		}
		remote {
			auth = pubkey
			id = %[4]s
		}
		children {
			%[1]s {
				remote_ts = %[5]s
				rekey_time = 0
			}
		}
	}
`
