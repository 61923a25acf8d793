//go:build partners

package wire

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aaasess/internal/partner"
)

var update = flag.Bool("update", false, "write the dialogues of TestRecord to testdata")

// relay forwards datagrams between a manager and an agent, and records them.
type relay struct {
	addr  string
	mu    sync.Mutex
	lines []recorded
}

// startRelay forwards datagrams to agent; if that is "", to nobody.
func startRelay(t *testing.T, agent string) *relay {
	t.Helper()
	near, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: near.LocalAddr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.serve(ctx, near, agent) })
	t.Cleanup(func() {
		cancel()
		near.Close()
		wg.Wait()
	})
	return r
}

func (r *relay) serve(ctx context.Context, near net.PacketConn, agent string) {
	b := make([]byte, 65536)
	for {
		n, from, err := near.ReadFrom(b)
		if err != nil {
			return
		}
		request := bytes.Clone(b[:n])
		r.keep(recorded{manager: true, octets: request})
		response := acknowledge(request)
		if agent != "" {
			response = ask(ctx, agent, request)
		}
		if response != nil {
			r.keep(recorded{octets: response})
			_, _ = near.WriteTo(response, from)
		}
	}
}

func (r *relay) keep(l recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, l)
}

// ask sends one request to the real agent. It returns nil if there is no answer.
func ask(ctx context.Context, agent string, request []byte) []byte {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", agent)
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := conn.Write(request); err != nil {
		return nil
	}
	b := make([]byte, 65536)
	n, err := conn.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// acknowledge returns the response to an inform, with the same variable bindings.
func acknowledge(request []byte) []byte {
	var o opened
	if o.parse(request) != nil || o.Message.Version != Version2c || o.PDU.Type != InformRequest {
		return nil
	}
	var f Frame
	f.AppendRaw(o.PDU.RawVarbinds)
	f.ClosePDU(Response, o.PDU.RequestID, 0, 0)
	f.CloseCommunity(Version2c, o.Message.Community)
	return f.Bytes()
}

func v2c(tool string, args ...string) command {
	return command{tool, append([]string{"-v2c", "-c", partner.WriteCommunity}, args...), false}
}

func v1(tool string, args ...string) command {
	return command{tool, append([]string{"-v1", "-c", partner.WriteCommunity}, args...), false}
}

func v3(tool, user string, args ...string) command {
	return command{tool, append([]string{"-v3", "-u", user}, args...), false}
}

// failing marks a command that must fail.
func failing(c command) command {
	c.fails = true
	return c
}

type command struct {
	tool  string
	args  []string // options, ADDR, and the rest
	fails bool     // the exit status is not 0
}

const sysUpTime, sysContact, sysOR = "1.3.6.1.2.1.1.3", "1.3.6.1.2.1.1.4.0", "1.3.6.1.2.1.1.9.1"

func auth(protocol string) []string {
	return []string{"-l", "authNoPriv", "-a", protocol, "-A", "authentication secret", "ADDR", sysUpTime + ".0"}
}

func priv(protocol string) []string {
	return []string{"-l", "authPriv", "-a", "SHA-256", "-A", "authentication secret", "-x", protocol, "-X", "privacy secret", "ADDR", sysUpTime + ".0"}
}

var recordings = []struct {
	name     string
	about    string
	noAgent  bool
	commands []command
}{
	{"get", "snmpget of scalars of several types, and of what is not there", false, []command{
		v2c("snmpget", "ADDR", sysUpTime+".0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.11.1.0", "1.3.6.1.6.3.10.2.1.1.0"),
		v2c("snmpget", "ADDR", "1.3.6.1.2.1.1.3.7", "1.3.6.1.4.1.32473.1.0"),
	}},
	{"getnext", "snmpgetnext from the root, in a table, and from the end; then other names that begin strangely", false, []command{
		v2c("snmpgetnext", "ADDR", "1.3.6.1.2.1.1", sysOR+".3.1"),
		v2c("snmpgetnext", "ADDR", "2.5"),
		v2c("snmpgetnext", "ADDR", "."),
		v2c("snmpgetnext", "ADDR", "1"),
		v2c("snmpgetnext", "ADDR", "2.47.4294967295"),
	}},
	{"bulkget", "snmpbulkget of one scalar and three columns, and behind the end", false, []command{
		v2c("snmpbulkget", "-Cn1", "-Cr5", "ADDR", "1.3.6.1.2.1.1.2", sysOR+".2", sysOR+".3", sysOR+".4"),
		v2c("snmpbulkget", "-Cn0", "-Cr2147483647", "ADDR", "2.5"),
	}},
	{"set", "snmpset of each type; snmpd refuses all but the first", false, []command{
		v2c("snmpset", "ADDR", sysContact, "s", "Zo\u00eb"),
		failing(v2c("snmpset", "ADDR", sysContact, "i", "-129")),
		failing(v2c("snmpset", "ADDR", sysContact, "u", "4294967295")),
		failing(v2c("snmpset", "ADDR", sysContact, "t", "128")),
		failing(v2c("snmpset", "ADDR", sysContact, "a", "192.0.2.255")),
		failing(v2c("snmpset", "ADDR", sysContact, "o", "1.3.6.1.4.1.32473.4294967295")),
		failing(v2c("snmpset", "ADDR", sysContact, "x", "00ff80")),
		failing(v2c("snmpset", "ADDR", sysContact, "n", "0")),
		failing(v2c("snmpset", "ADDR", sysContact, "F", "1.5")),
		failing(v2c("snmpset", "ADDR", sysContact, "U", "18446744073709551615")),
		failing(v2c("snmpset", "ADDR", sysContact, "s", string(bytes.Repeat([]byte("x"), 300)), sysUpTime+".0", "t", "0")),
	}},
	{"v1", "snmpget, snmpgetnext, snmpwalk and snmpset of SNMPv1; what is not there and what snmpd refuses", false, []command{
		v1("snmpget", "ADDR", sysUpTime+".0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.11.1.0"),
		failing(v1("snmpget", "-Cf", "ADDR", "1.3.6.1.2.1.1.3.7", sysUpTime+".0", "1.3.6.1.4.1.32473.1.0")),
		v1("snmpgetnext", "ADDR", "1.3.6.1.2.1.1", sysOR+".3.1"),
		failing(v1("snmpgetnext", "ADDR", "2.5")),
		v1("snmpwalk", "ADDR", sysOR+".4"),
		v1("snmpset", "ADDR", sysContact, "s", "operator"),
		failing(v1("snmpset", "ADDR", sysContact, "i", "1")),
		failing(v1("snmpset", "ADDR", sysUpTime+".0", "t", "1")),
		failing(v1("snmpset", "ADDR", sysContact, "a", "192.0.2.255", sysUpTime+".0", "t", "0")),
	}},
	{"v3-noauth", "snmpget of a user without secrets: discovery, then the request; then in a context that snmpd has not", false, []command{
		v3("snmpget", "open", "-l", "noAuthNoPriv", "ADDR", sysUpTime+".0"),
		failing(v3("snmpget", "open", "-l", "noAuthNoPriv", "-t", "1", "-n", "a context", "ADDR", sysUpTime+".0")),
	}},
	{"v3-auth", "snmpget with each authentication protocol", false, []command{
		v3("snmpget", "md5", auth("MD5")...),
		v3("snmpget", "sha", auth("SHA")...),
		v3("snmpget", "sha224", auth("SHA-224")...),
		v3("snmpget", "sha256", auth("SHA-256")...),
		v3("snmpget", "sha384", auth("SHA-384")...),
		v3("snmpget", "sha512", auth("SHA-512")...),
	}},
	{"v3-priv", "snmpget with DES and AES", false, []command{
		v3("snmpget", "des", priv("DES")...),
		v3("snmpget", "aes", priv("AES")...),
		v3("snmpbulkget", "aes", append([]string{"-Cr3"}, priv("AES")...)...),
	}},
	{"v3-reports", "snmpget with a user that is not there, a wrong secret, a level that the user has not", false, []command{
		failing(v3("snmpget", "nobody", "-l", "noAuthNoPriv", "ADDR", sysUpTime+".0")),
		failing(v3("snmpget", "md5", "-l", "authNoPriv", "-a", "MD5", "-A", "not the secret", "ADDR", sysUpTime+".0")),
		failing(v3("snmpget", "open", auth("SHA")...)),
	}},
	{"notifications", "snmptrap of v2c and v3, snmpinform of v2c", true, []command{
		v2c("snmptrap", "ADDR", "12345", "1.3.6.1.6.3.1.1.5.1", sysContact, "s", "operator"),
		v2c("snmpinform", "ADDR", "12345", "1.3.6.1.6.3.1.1.5.5"),
		{"snmptrap", []string{
			"-v3", "-e", "0x8000000001020304", "-u", "trap", "-l", "authNoPriv", "-a", "SHA", "-A", "authentication secret",
			"ADDR", "12345", "1.3.6.1.6.3.1.1.5.1",
		}, false},
	}},
}

func snmpdUsers() []string {
	lines := []string{
		"sysName agent", "sysLocation here", "sysDescr an agent", "sysObjectID 1.3.6.1.4.1.32473.1", "exactEngineID 0x80007ed90461616173",
		"createUser open", "rouser open noauth",
	}
	for user, protocol := range map[string]string{"md5": "MD5", "sha": "SHA", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"} {
		lines = append(lines, fmt.Sprintf("createUser %s %s %q", user, protocol, "authentication secret"), "rouser "+user+" auth")
	}
	for user, protocol := range map[string]string{"des": "DES", "aes": "AES"} {
		lines = append(lines, fmt.Sprintf("createUser %s SHA-256 %q %s %q", user, "authentication secret", protocol, "privacy secret"), "rouser "+user+" priv")
	}
	return lines
}

// TestRecord connects net-snmp's programs to snmpd (or to us): we parse each datagram, and build
// the same octets again.
func TestRecord(t *testing.T) {
	agent := partner.Snmpd(t, partner.SnmpdOptions{Config: snmpdUsers()})
	for _, rec := range recordings {
		t.Run(rec.name, func(t *testing.T) {
			addr := agent.Addr
			if rec.noAgent {
				addr = ""
			}
			r := startRelay(t, addr)
			for _, c := range rec.commands {
				run(t, c, r.addr)
			}
			r.mu.Lock()
			lines := r.lines
			r.mu.Unlock()
			if len(lines) < len(rec.commands) {
				t.Fatalf("%d datagrams of %d commands", len(lines), len(rec.commands))
			}
			text := fmt.Sprintf("# net-snmp 5.9.3: %s\n", rec.about)
			for _, l := range lines {
				checkRecorded(t, l)
				text += l.String()
			}
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", rec.name+".hex"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// run runs a command, with ADDR replaced by the address, and checks its exit status.
func run(t *testing.T, c command, addr string) {
	t.Helper()
	args := []string{"-On", "-t", "3", "-r", "0"}
	for _, a := range c.args {
		if a == "ADDR" {
			a = addr
		}
		args = append(args, a)
	}
	_, err := partner.Try(t, 20*time.Second, c.tool, args...)
	if failed := err != nil; failed != c.fails {
		t.Errorf("%s %q: %v", c.tool, args, err)
	}
}
