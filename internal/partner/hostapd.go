package partner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// HostapdOptions configures a hostapd.
type HostapdOptions struct {
	// Interface is the wired port of its users, in the namespace.
	Interface string
	// Auth and Acct are its servers, host:port.
	Auth, Acct string
	// Secret is the secret of its servers, and of the clients that send it Disconnect-Requests.
	Secret string
}

// HostapdID is the NAS-Identifier of hostapd.
const HostapdID = "hostapd-wired-1"

// HostapdProc is hostapd for IEEE 802.1X over Ethernet. It receives Disconnect-Requests at
// 127.0.0.1:3799 of its namespace.
type HostapdProc struct {
	*Program
	control string
	iface   string
	ns      *Namespace
}

// Hostapd starts one in a namespace.
func (n *Namespace) Hostapd(opts HostapdOptions) *HostapdProc {
	n.t.Helper()
	dir := n.t.TempDir()
	auth, authPort := splitAddr(n.t, opts.Auth)
	acct, acctPort := splitAddr(n.t, opts.Acct)
	file, control := filepath.Join(dir, "hostapd.conf"), filepath.Join(dir, "control")
	writeFile(n.t, file, fmt.Sprintf(hostapdConf, opts.Interface, control, HostapdID, auth, authPort, acct, acctPort, opts.Secret))
	return &HostapdProc{n.Program("AP-ENABLED", "hostapd", "-t", file), control, opts.Interface, n}
}

// hostapdConf is the configuration: %[1]s is the interface, %[2]s the folder of its control socket,
// %[3]s the NAS-Identifier, %[4]s to %[7]s address and port for authentication and for accounting,
// %[8]s the secret.
const hostapdConf = `interface=%[1]s
driver=wired
logger_stdout=-1
logger_stdout_level=0
ctrl_interface=%[2]s
ieee8021x=1
eapol_version=2
eap_reauth_period=0
use_pae_group_addr=0
own_ip_addr=127.0.0.1
nas_identifier=%[3]s
auth_server_addr=%[4]s
auth_server_port=%[5]s
auth_server_shared_secret=%[8]s
acct_server_addr=%[6]s
acct_server_port=%[7]s
acct_server_shared_secret=%[8]s
radius_das_port=3799
radius_das_client=127.0.0.1 %[8]s
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
`

// Authorized returns how many stations hostapd lets through.
func (p *HostapdProc) Authorized() int {
	p.t.Helper()
	return strings.Count(p.ns.Run("hostapd_cli", "-p", p.control, "-i", p.iface, "all_sta"), "[AUTHORIZED]")
}

// Login is a user with a password.
type Login struct{ User, Password string }

// SupplicantsProc is one wpa_supplicant for several users. Each has an Ethernet address of its own,
// on one interface.
type SupplicantsProc struct {
	*Program
	control []string // control sockets
}

// Supplicants starts them in a namespace, for EAP-MD5. The other end of the interface iface leads to
// hostapd. The nth supplicant of the namespace has the address 02-00-00-00-00-n.
func (n *Namespace) Supplicants(iface string, logins ...Login) *SupplicantsProc {
	n.t.Helper()
	dir := n.t.TempDir()
	argv := []string{"wpa_supplicant", "-t"}
	var links strings.Builder // a batch for ip(8)
	var subs []string
	for _, login := range logins {
		n.supplicants++
		sub := fmt.Sprint(iface, ".", n.supplicants)
		file := filepath.Join(dir, sub+".conf")
		// A macvlan in the mode bridge does not send to the group address of IEEE 802.1X.
		fmt.Fprintf(&links, "link add %s link %s address 02:00:00:00:00:%02x type macvlan mode private\nlink set %s up\n", sub, iface, n.supplicants, sub)
		writeFile(n.t, file, fmt.Sprintf(supplicantConf, dir, login.User, login.Password))
		if len(subs) > 0 {
			argv = append(argv, "-N")
		}
		argv = append(argv, "-D", "wired", "-i", sub, "-c", file)
		subs = append(subs, sub)
	}
	batch := filepath.Join(dir, "links")
	writeFile(n.t, batch, links.String())
	n.Run("ip", "-batch", batch)
	p := &SupplicantsProc{Program: n.Program("Successfully initialized wpa_supplicant", argv...)}
	for _, sub := range subs {
		p.control = append(p.control, filepath.Join(dir, sub))
	}
	p.Begin() // by itself number n begins n seconds after the first
	return p
}

// Begin makes all log in now, also those that have logged in already.
func (p *SupplicantsProc) Begin() {
	p.t.Helper()
	for _, socket := range p.control {
		askSupplicant(p.t, socket, "REASSOCIATE")
	}
}

// askSupplicant sends a command to the control socket of an interface as soon as it exists, and waits
// for OK.
func askSupplicant(t testing.TB, socket, command string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !exists(socket); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("partner: wpa_supplicant has no %s after %s", socket, startTimeout)
		}
	}
	conn := dialUnix(t, "unixgram", socket)
	defer func() {
		_ = conn.Close() // nothing waits in it
		_ = os.Remove(conn.LocalAddr().String())
	}()
	if _, err := conn.Write([]byte(command)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil || string(answer[:n]) != "OK\n" {
		t.Fatalf("partner: wpa_supplicant: %s: %q, %v", command, answer[:n], err)
	}
}

// supplicantConf is the configuration of one user: %[1]s is the folder of its control socket,
// %[2]q the user, %[3]q the password.
const supplicantConf = `ctrl_interface=%[1]s
ap_scan=0
network={
	key_mgmt=IEEE8021X
	eap=MD5
	identity=%[2]q
	password=%[3]q
	eapol_flags=0
}
`

// Successes returns how often a user logged in, Failures how often one was rejected or thrown off.
func (p *SupplicantsProc) Successes() int { return p.Said("CTRL-EVENT-EAP-SUCCESS") }

// Failures is explained at Successes.
func (p *SupplicantsProc) Failures() int { return p.Said("CTRL-EVENT-EAP-FAILURE") }
