package partner

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// The addresses of an OpenVPN.
const (
	openVPNOuter   = "192.0.2.1" // of the server, on the interface to its clients
	OpenVPNPeer    = "192.0.2.2" // of the clients
	openVPNNetwork = "10.77.0."  // of the tunnels; the server is number 1, the first client number 2
)

// OpenVPNOptions configures an OpenVPN server.
type OpenVPNOptions struct {
	Interface    string // leads to the clients
	Auth, Acct   string // the servers, host:port; the hosts must be equal. Ports of five digits were seen to fail.
	Secret       string // of the servers
	Certificates *Certificates
	// ManagementPassword, if it is not "", is wanted at OpenVPNManagement. Otherwise the management
	// interface is a Unix socket without one, for EndUser.
	ManagementPassword string
	// Hook, if not "", is a script that runs for each client, in place of the plugin: the server then
	// accepts any password. Environment has what "setenv" gives the script.
	Hook        string
	Environment map[string]string
	Management  string // the socket of its management interface, in a temporary folder if ""
}

// OpenVPNManagement is the management interface of a server with a password.
const OpenVPNManagement = "127.0.0.1:7505"

// OpenVPNProc is an OpenVPN server that asks RADIUS servers, by its plugin, which sends PAP, without
// Message-Authenticator; or that runs a script for each client.
type OpenVPNProc struct {
	*Program
	ns         *Namespace
	management string
}

// OpenVPN starts a server in a namespace.
func (n *Namespace) OpenVPN(opts OpenVPNOptions) *OpenVPNProc {
	n.t.Helper()
	dir := n.t.TempDir()
	file, management := filepath.Join(dir, "server.conf"), cmp.Or(opts.Management, filepath.Join(dir, "management"))
	c, where := opts.Certificates, management+" unix"
	if opts.ManagementPassword != "" {
		password := filepath.Join(dir, "password")
		writeFile(n.t, password, opts.ManagementPassword+"\n")
		where = strings.Replace(OpenVPNManagement, ":", " ", 1) + " " + password
	}
	conf := fmt.Sprintf(openVPNConf, openVPNNetwork, c.Authority, c.Server, c.ServerKey, filepath.Join(dir, "status"), where)
	if opts.Hook != "" {
		conf += fmt.Sprintf(openVPNHookConf, opts.Hook)
		for _, name := range slices.Sorted(maps.Keys(opts.Environment)) {
			conf += fmt.Sprintf("setenv %s %s\n", name, opts.Environment[name])
		}
	} else {
		plugin := filepath.Join(dir, "plugin.conf")
		host, authPort := splitAddr(n.t, opts.Auth)
		_, acctPort := splitAddr(n.t, opts.Acct)
		writeFile(n.t, plugin, fmt.Sprintf(openVPNPluginConf, file, acctPort, authPort, host, opts.Secret))
		conf += "plugin /usr/lib/openvpn/radiusplugin.so " + plugin + "\n"
	}
	writeFile(n.t, file, conf)
	n.Run("ip", "addr", "add", openVPNOuter+"/24", "dev", opts.Interface)
	return &OpenVPNProc{n.Program("Initialization Sequence Completed", "openvpn", "--config", file), n, management}
}

// openVPNConf is the configuration of the server: %[1]s is the network of the tunnels, %[2]s to
// %[4]s are certificates, %[5]s is the status file, %[6]s the management interface.
const openVPNConf = `dev tun
topology subnet
proto udp
port 1194
server %[1]s0 255.255.255.0
ca %[2]s
cert %[3]s
key %[4]s
dh none
verify-client-cert none
username-as-common-name
duplicate-cn
keepalive 2 8
status %[5]s 1
status-version 1
management %[6]s
verb 3
`

// openVPNHookConf runs a script, %[1]s, for each client.
const openVPNHookConf = `script-security 2
auth-user-pass-verify /bin/true via-file
client-connect %[1]s
client-disconnect %[1]s
learn-address %[1]s
server-ipv6 2001:db8:77::/64
`

// openVPNPluginConf is the configuration of the plugin: %[1]s is the server's, %[2]s and %[3]s are
// the ports, %[4]s is the host, %[5]s the secret.
const openVPNPluginConf = `NAS-Identifier=OpenVpn
Service-Type=5
Framed-Protocol=1
NAS-Port-Type=5
NAS-IP-Address=127.0.0.1
OpenVPNConfig=%[1]s
subnet=255.255.255.0
overwriteccfiles=true
server
{
	acctport=%[2]s
	authport=%[3]s
	name=%[4]s
	retry=1
	wait=2
	sharedsecret=%[5]s
}
`

// EndUser ends the connection of a user at the server.
func (p *OpenVPNProc) EndUser(user string) {
	p.t.Helper()
	conn := dialUnix(p.t, "unix", p.management)
	defer func() { _ = conn.Close() }() // all that we sent has an answer
	if _, err := fmt.Fprintf(conn, "kill %s\n", user); err != nil {
		p.t.Fatal(err)
	}
	for sc := bufio.NewScanner(conn); sc.Scan(); {
		switch line := sc.Text(); {
		case strings.HasPrefix(line, "SUCCESS"):
			return
		case strings.HasPrefix(line, "ERROR"):
			p.t.Fatalf("partner: openvpn: kill %s: %s", user, line)
		}
	}
	p.t.Fatalf("partner: openvpn: kill %s: no answer", user)
}

// OpenVPNClient starts a client in a namespace whose interface leads to the server, and waits for
// ready: a text of the log.
func (n *Namespace) OpenVPNClient(iface string, login Login, certificates *Certificates, ready string) *Program {
	n.t.Helper()
	dir := n.t.TempDir()
	file := filepath.Join(dir, "login")
	writeFile(n.t, file, login.User+"\n"+login.Password+"\n")
	n.Run("ip", "addr", "replace", OpenVPNPeer+"/24", "dev", iface)
	return n.Program(ready, "openvpn", "--client", "--dev", "tun", "--proto", "udp", "--remote", openVPNOuter, "1194", "--nobind",
		"--ca", certificates.Authority, "--auth-user-pass", file, "--remote-cert-tls", "server", "--verb", "3", "--auth-nocache",
		"--connect-retry", "1", "2")
}
