package partner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// ReadCommunity may read everything at an Snmpd.
	ReadCommunity = "public"
	// WriteCommunity may read and write everything at an Snmpd.
	WriteCommunity = "private"
)

// SnmpdOptions configures an Snmpd.
type SnmpdOptions struct {
	// AgentXNetwork is "unix" or "tcp"; empty means "unix".
	AgentXNetwork string
	// Config is additional lines of snmpd.conf.
	Config []string
}

// SnmpdProc is net-snmp's snmpd as AgentX master.
type SnmpdProc struct {
	Addr          string // host:port for SNMP
	AgentXNetwork string // for agentx.Config
	AgentXAddress string // likewise

	process
}

// Snmpd starts an snmpd as AgentX master agent and returns when it serves. It ends with the test.
// If the test fails, its log is added to the test's.
func Snmpd(t testing.TB, opts SnmpdOptions) *SnmpdProc {
	t.Helper()
	dir, state := t.TempDir(), t.TempDir() // two folders: snmpd writes a snmpd.conf of its own
	conf := filepath.Join(dir, "snmpd.conf")
	p := &SnmpdProc{AgentXNetwork: opts.AgentXNetwork, process: process{
		t: t, name: "snmpd", path: lookPath(t, "snmpd"),
		// Without smux, which would use its one fixed port.
		args: []string{"-f", "-Lo", "-I", "-smux", "-C", "-c", conf},
		env:  []string{"SNMP_PERSISTENT_DIR=" + state, "SNMPCONFPATH=" + dir, "MIBS="},
		// Printed when all sockets are open, just before its main loop.
		ready: func(line string) bool { return strings.HasPrefix(line, "NET-SNMP version") },
	}}
	p.Addr = fmt.Sprintf("127.0.0.1:%d", FreeUDPPort(t))
	var socket string
	switch opts.AgentXNetwork {
	case "", "unix":
		p.AgentXNetwork, p.AgentXAddress = "unix", filepath.Join(dir, "agentx")
		socket = p.AgentXAddress
		if len(socket) > 100 { // sockaddr_un holds 108 octets
			t.Fatalf("partner: snmpd: path of the socket is too long, shorten the test's name: %s", socket)
		}
	case "tcp":
		p.AgentXAddress = fmt.Sprintf("127.0.0.1:%d", FreeTCPPort(t))
		socket = "tcp:" + p.AgentXAddress
	default:
		t.Fatalf("partner: snmpd: unknown AgentX network %q", opts.AgentXNetwork)
	}
	if strings.Contains(dir, ",") { // snmpd would read a list of files
		t.Fatalf("partner: snmpd: the name of the test must not have a comma: %s", dir)
	}
	lines := append([]string{
		"agentAddress udp:" + p.Addr,
		"rocommunity " + ReadCommunity + " 127.0.0.1",
		"rwcommunity " + WriteCommunity + " 127.0.0.1",
		"master agentx",
		"agentXSocket " + socket,
		"agentXPerms 0700 0700",
	}, opts.Config...)
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p
}

// Walk runs snmpwalk below an OID and returns its lines, with numeric names (-On).
func (p *SnmpdProc) Walk(t testing.TB, oid string) []string {
	t.Helper()
	out := Run(t, time.Minute, "snmpwalk", "-v2c", "-c", ReadCommunity, "-On", "-t", "3", "-r", "2", p.Addr, oid)
	return strings.Split(strings.TrimSpace(out), "\n")
}
