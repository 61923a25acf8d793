//go:build partners

package main

import (
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/internal/partner"
)

// variable is a variable binding as received. Its parts are the contents octets.
type variable struct {
	Name, Value string
	Tag         byte
}

// element cuts a BER element off the front.
func element(b []byte) (tag byte, content, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errors.New("cut off")
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		octets := n & 0x7f
		if head += octets; octets > 3 || len(b) < head {
			return 0, nil, nil, errors.New("a length of no use")
		}
		n = 0
		for _, o := range b[2:head] {
			n = n<<8 | int(o)
		}
	}
	if len(b) < head+n {
		return 0, nil, nil, errors.New("cut off")
	}
	return b[0], b[head : head+n], b[head+n:], nil
}

// path descends into constructed elements. Each number says how many elements to skip.
func path(b []byte, skips ...int) (content []byte, err error) {
	for _, skip := range skips {
		rest := b
		for range skip + 1 {
			if _, content, rest, err = element(rest); err != nil {
				return nil, err
			}
		}
		b = content
	}
	return content, nil
}

// variables returns the variable bindings of an SNMPv2c message.
func variables(t *testing.T, message []byte) (all []variable) {
	t.Helper()
	list, err := path(message, 0, 2, 3) // message, data, variable-bindings
	for err == nil && len(list) > 0 {
		var vb, name, value []byte
		var tag byte
		if _, vb, list, err = element(list); err == nil {
			if _, name, vb, err = element(vb); err == nil {
				if tag, value, vb, err = element(vb); err == nil && len(vb) > 0 {
					err = errors.New("a variable of three parts")
				}
			}
		}
		all = append(all, variable{string(name), string(value), tag})
	}
	if err != nil {
		t.Fatalf("%v: %x", err, message)
	}
	return all
}

// rawWalk walks CISCO-AAA-SESSION-MIB with GETNEXT, and returns the octets received.
func rawWalk(t *testing.T, agent string) map[string]variable {
	t.Helper()
	return rawWalkOf(t, agent, casnRoot)
}

// rawWalkOf is rawWalk of a subtree. The names of the result are those below it.
func rawWalkOf(t *testing.T, agent, subtree string) map[string]variable {
	t.Helper()
	conn, err := net.Dial("udp", agent)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	all := map[string]variable{}
	root := subtree
	b := make([]byte, 65536)
	for id := uint32(1); ; id++ {
		request := &gosnmp.SnmpPacket{
			Version: gosnmp.Version2c, Community: "public", PDUType: gosnmp.GetNextRequest, RequestID: id,
			Variables: []gosnmp.SnmpPDU{{Name: root, Type: gosnmp.Null}},
		}
		out, err := request.MarshalMsg()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(out); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(slices.Clone(b[:n]))
		if err != nil || answer.RequestID != id || len(answer.Variables) != 1 {
			t.Fatalf("behind %s: %v, %v", root, answer, err)
		}
		if root = answer.Variables[0].Name; !strings.HasPrefix(root, subtree+".") {
			return all
		}
		all[strings.TrimPrefix(root, subtree)] = variables(t, b[:n])[0]
	}
}

// TestSameValues: snmpd and the responder return the same names, types and values, octet for octet,
// for users with all kinds of names.
func TestSameValues(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(
		record("Start", "S1", "alice", "Framed-IP-Address = 10.1.1.2", "NAS-Port = 20001"),
		record("Start", "S2", "zoë", "Framed-IP-Address = 255.255.255.255", "Service-Type = Framed-User"),
		record("Start", "S3", `a "b" \c`, "Service-Type = NAS-Prompt-User"),
		record("Start", "S4", strings.Repeat("u", 127)),
		record("Start", "S5", strings.Repeat("v", 128)),
		record("Start", "S6", strings.Repeat("w", 247), "Framed-IP-Address = 128.0.0.1"),
	)
	if _, err := r.ask("snmpset", nocArgs(), casnDiscon+"2", "i", "1"); err != nil {
		t.Fatal(err)
	}
	idle := regexp.MustCompile(`^\.1\.3\.1\.4\.`)
	theirs, ours := rawWalk(t, r.snmpd.Addr), rawWalk(t, r.addr)
	if n := 6*7 + 4; len(theirs) != n || theirs[".1.3.1.2.6"].Value != strings.Repeat("w", 247) {
		t.Errorf("%d variables, want %d: %v", len(theirs), n, theirs)
	}
	for name, v := range ours {
		if o := theirs[name]; idle.MatchString(name) && o.Tag == v.Tag && o.Name == v.Name {
			a, b := number(o.Value), number(v.Value) // the second may have changed between the walks
			if b-a < 0 || b-a > 5 {
				t.Errorf("%s: idle for %d and for %d seconds", name, a, b)
			}
			ours[name] = o
		}
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("(-snmpd +responder):\n%s", diff)
	}

	// The output of the tools is the same too, for each version, each walk and over IPv6.
	lines := func(out string, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(l string) bool { return strings.HasPrefix(l, casnRoot+".1.3.1.4.") })
	}
	want := lines(r.snmp("snmpwalk", "public", casnRoot))
	v2c := []string{"-v2c", "-c", "public"}
	for name, got := range map[string][]string{
		"snmpwalk":             lines(r.ask("snmpwalk", v2c, casnRoot)),
		"snmpbulkwalk":         lines(r.ask("snmpbulkwalk", append(v2c, "-Cr50"), casnRoot)),
		"snmpbulkwalk, v3":     lines(r.ask("snmpbulkwalk", nocArgs(), casnRoot)),
		"snmpwalk, v3 over v6": lines(partner.Try(t, limit, "snmpwalk", append(nocArgs(), "-On", r.addr6, casnRoot)...)),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-snmpd +responder):\n%s", name, diff)
		}
	}
}

// number returns the content of a BER integer.
func number(content string) (n int64) {
	for _, o := range []byte(content) {
		n = n<<8 | int64(o)
	}
	return n
}

// TestTableByName: snmptable prints casnActiveTable with our MIB modules, the same as through
// snmpd.
func TestTableByName(t *testing.T) {
	r := startResponder(t, setup{})
	r.account(record("Start", "S1", "alice", "Framed-IP-Address = 10.1.1.2"), record("Start", "S2", "bob"))
	table := func(agent string, who ...string) [][]string {
		t.Helper()
		out, err := partner.Try(t, limit, "snmptable", append(append([]string{"-M", "../../mibs", "-m", "ALL", "-Ci", "-Cf", "|"}, who...), agent, "casnActiveTable")...)
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]string
		for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
			if columns := strings.Split(line, "|"); len(columns) == 8 {
				columns[3] = "" // casnIdleTime
				rows = append(rows, columns)
			}
		}
		return rows
	}
	want := [][]string{
		{"index", "casnUserId", "casnIpAddr", "", "casnDisconnect", "casnCallTrackerId", "casnNasPort", "casnVaiIfIndex"},
		{"1", "alice", "10.1.1.2", "", "false", "0", "SNMPv2-SMI::zeroDotZero", "0"},
		{"2", "bob", "0.0.0.0", "", "false", "0", "SNMPv2-SMI::zeroDotZero", "0"},
	}
	for name, got := range map[string][][]string{
		"snmpd": table(r.snmpd.Addr, "-v2c", "-c", "public"), "responder": table(r.addr, "-v2c", "-c", "public"),
		"GETNEXT": table(r.addr, "-v2c", "-c", "public", "-CB"), "v3, IPv6": table(r.addr6, nocArgs()...),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
