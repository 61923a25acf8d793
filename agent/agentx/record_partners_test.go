//go:build partners

package agentx_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
	"aaasess/mib"
)

var update = flag.Bool("update", false, "write the dialogues of TestDialogues to testdata")

// recorder is a connection that records all octets in order, a line for each PDU.
type recorder struct {
	net.Conn
	mu       sync.Mutex
	from, to []byte // incomplete PDUs
	lines    []string
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = r.keep("<", append(r.from, b[:n]...))
	return n, err
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.to = r.keep(">", append(r.to, b...))
	r.mu.Unlock()
	return r.Conn.Write(b)
}

func (r *recorder) keep(who string, b []byte) []byte {
	for len(b) >= agentx.HeaderSize {
		h, err := agentx.ParseHeader(b)
		size := agentx.HeaderSize + int(h.PayloadLength)
		if err != nil || len(b) < size {
			break
		}
		r.lines = append(r.lines, describe(who, b[:size]), fmt.Sprintf("%s %x", who, b[:size]))
		b = b[size:]
	}
	return slices.Clone(b)
}

// describe returns the comment above a PDU.
func describe(who string, b []byte) string {
	h, p, err := agentx.ParsePDU(b)
	speaker := map[string]string{"<": "snmpd", ">": "we"}[who]
	s := fmt.Sprintf("# %s: %s", speaker, agentx.TypeName(h.Type))
	var vbs []mib.Varbind
	switch p := p.(type) {
	case *agentx.Get:
		s += fmt.Sprintf(", %d ranges", len(p.Ranges))
	case *agentx.GetNext:
		s += fmt.Sprintf(", %d ranges", len(p.Ranges))
	case *agentx.TestSet:
		vbs = p.Varbinds
	case *agentx.Notify:
		vbs = p.Varbinds
	case *agentx.Response:
		if vbs = p.Varbinds; p.Error != 0 {
			s += fmt.Sprintf(", error %d index %d", p.Error, p.Index)
		}
	}
	for _, vb := range vbs {
		s += fmt.Sprintf(", %s %s", vb.Name, vb.Value.Type)
	}
	if err != nil {
		s += ": " + err.Error()
	}
	return s
}

// normal returns a dialogue without its variable parts: ids, and the master's up time.
func normal(lines []string) []string {
	var out []string
	for _, l := range lines {
		if who, hex, ok := strings.Cut(l, " "); ok && who != "#" && len(hex) >= 40 {
			hex = hex[:8] + strings.Repeat("0", 24) + hex[32:]
			if who == "<" && hex[2:4] == "12" {
				hex = hex[:40] + strings.Repeat("0", 8) + hex[48:]
			}
			l = who + " " + hex
		}
		out = append(out, l)
	}
	return out
}

// step makes snmpd talk to the subagent in a dialogue.
type step func(t *testing.T, s *partner.SnmpdProc, sub *agentx.Subagent)

// snmp runs one of net-snmp's programs, which fails in some dialogues.
func snmp(name string, args ...string) step {
	return func(t *testing.T, s *partner.SnmpdProc, _ *agentx.Subagent) {
		args := append([]string{"-v2c", "-c", partner.WriteCommunity, "-On", "-t", "5", "-r", "0", s.Addr}, args...)
		_, _ = partner.Try(t, 10*time.Second, name, args...)
	}
}

func oid(base mib.OID, sub ...uint32) string { return base.Append(sub...).String() }

// readBack ends a dialogue with SETs: snmpd answers the manager before it sends CleanupSet, but it
// handles no other request in between.
func readBack() step { return snmp("snmpget", oid(agentx.FixtureTable, 5, 2)) }

func columns(index uint32) []string {
	var oids []string
	for c := uint32(2); c <= 8; c++ {
		oids = append(oids, oid(agentx.FixtureTable, c, index))
	}
	return oids
}

var dialogues = []struct {
	name    string
	about   string
	network string
	little  bool
	steps   []step
}{
	{"open-close", "a session without requests", "unix", false, nil},
	{"capabilities", "modules with identities: rows of sysORTable", "unix", false, []step{
		func(t *testing.T, _ *partner.SnmpdProc, sub *agentx.Subagent) {
			eventually(t, "both are accepted", func() bool { return sub.Stats().Received[pdu.TypeResponse] >= 5 })
		},
	}},
	{"get", "snmpget of five scalars, and of an object and an instance that are not there", "unix", false, []step{
		snmp("snmpget", oid(agentx.FixtureRoot, 1, 1, 0), oid(agentx.FixtureRoot, 1, 2, 0), oid(agentx.FixtureRoot, 1, 3, 0),
			oid(agentx.FixtureRoot, 1, 4, 0), oid(agentx.FixtureRoot, 1, 5, 0)),
		snmp("snmpget", oid(agentx.FixtureRoot, 1, 9, 0), oid(agentx.FixtureTable, 2, 99)),
	}},
	{"getnext", "snmpgetnext from before the subtree, within it, and from its last variable", "unix", false, []step{
		snmp("snmpgetnext", ".1.3.6.1.4.1.99998"),
		snmp("snmpgetnext", oid(agentx.FixtureTable, 2, 2)),
		snmp("snmpgetnext", oid(agentx.FixtureTable, 8, 5)),
		snmp("snmpgetnext", oid(agentx.FixtureOther, 1, 0)),
	}},
	{"walk", "snmpwalk of a column", "unix", false, []step{snmp("snmpwalk", oid(agentx.FixtureTable, 3))}},
	{"bulk-one", "snmpbulkget of one column: a PDU for each cell", "unix", false, []step{
		snmp("snmpbulkget", "-Cr7", oid(agentx.FixtureTable, 8)),
	}},
	{"bulk-seven", "snmpbulkget of seven columns: a PDU with seven ranges for each row", "unix", false, []step{
		snmp("snmpbulkget", append([]string{"-Cr3"}, columns(1)...)...),
	}},
	{"set", "snmpset of two rows: test, commit, cleanup", "unix", false, []step{
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "7", oid(agentx.FixtureTable, 5, 3), "i", "8"),
		readBack(),
	}},
	{"set-two-subtrees", "snmpset of variables in both subtrees", "unix", false, []step{
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "7", oid(agentx.FixtureOther, 1, 0), "i", "8"),
		readBack(),
	}},
	{"set-refused", "snmpset that the test refuses: wrongType, noCreation, wrongValue of the second variable", "unix", false, []step{
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "s", "x"),
		snmp("snmpset", oid(agentx.FixtureTable, 5, 77), "i", "1"),
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "1", oid(agentx.FixtureTable, 5, 3), "i", "110"),
		readBack(),
	}},
	{"set-commit-failed", "snmpset whose commit is refused", "unix", false, []step{
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "214"),
		readBack(),
	}},
	{"set-undo", "snmpset whose commit another subagent refuses: ours is undone", "unix", false, []step{
		withFailing(snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "7", failingOID.String()+".0", "i", "1")),
		readBack(),
	}},
	{"set-undo-failed", "the same, and it cannot be undone", "unix", false, []step{
		withFailing(snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "300", failingOID.String()+".0", "i", "1")),
		readBack(),
	}},
	{"ping", "a Ping of ours", "unix", false, []step{
		func(t *testing.T, _ *partner.SnmpdProc, sub *agentx.Subagent) {
			eventually(t, "a Ping is answered", func() bool { return sub.Stats().Received[pdu.TypeResponse] >= 4 })
		},
	}},
	{"notify", "a Notify of ours", "unix", false, []step{
		func(t *testing.T, _ *partner.SnmpdProc, sub *agentx.Subagent) {
			if err := sub.Notify(t.Context(), trap(1)); err != nil {
				t.Error(err)
			}
		},
	}},
	{"little-endian", "a session in little endian: get, bulk, set", "unix", true, []step{
		snmp("snmpget", oid(agentx.FixtureRoot, 1, 1, 0), oid(agentx.FixtureTable, 7, 1), oid(agentx.FixtureTable, 3, 1)),
		snmp("snmpbulkget", append([]string{"-Cr1"}, columns(1)...)...),
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "7"),
		readBack(),
	}},
	{"tcp", "a session over TCP: get, getnext, set", "tcp", false, []step{
		snmp("snmpget", oid(agentx.FixtureRoot, 1, 1, 0)),
		snmp("snmpgetnext", oid(agentx.FixtureTable, 2, 2)),
		snmp("snmpset", oid(agentx.FixtureTable, 5, 2), "i", "7"),
		readBack(),
	}},
}

// TestDialogues has snmpd talk to us and compares the dialogue with the one in testdata, which
// TestReplay uses without snmpd.
func TestDialogues(t *testing.T) {
	for _, d := range dialogues {
		t.Run(d.name, func(t *testing.T) {
			s := partner.Snmpd(t, partner.SnmpdOptions{AgentXNetwork: d.network})
			f := agentx.NewDialogueFixture(t, d.name)
			var rec *recorder
			sub := agentx.New(agentx.Config{
				Network: s.AgentXNetwork, Address: s.AgentXAddress,
				ID: agentx.DialogueID, Description: agentx.DialogueDescription,
				Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					rec = &recorder{Conn: conn}
					return rec, err
				},
			}, f.Tree)
			if d.little {
				sub.UseLittleEndian()
			}
			if d.name == "ping" {
				sub.SetPingAfter(100 * time.Millisecond)
			}
			stop := start(t, sub)
			for _, step := range d.steps {
				step(t, s, sub)
			}
			stop()
			compare(t, d.name, "# snmpd 5.9.3 over "+d.network+": "+d.about, rec)
		})
	}
}

func compare(t *testing.T, name, about string, rec *recorder) {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if name == "ping" { // their number varies
		if i := slices.IndexFunc(rec.lines, func(l string) bool { return strings.HasPrefix(l, "# we: Ping") }); i >= 0 {
			rec.lines = rec.lines[:i+4]
		}
	}
	lines := append([]string{about}, rec.lines...)
	path := filepath.Join("testdata", name+".hex")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(string(bytes.TrimSpace(b)), "\n")
	if diff := cmp.Diff(normal(want), normal(lines)); diff != "" {
		t.Errorf("dialogue (-recorded +now):\n%s", diff)
	}
}
