package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/internal/freeport"
	"aaasess/internal/servers"
	"aaasess/mib/cas"
)

// The columns of casConfigTable and the values of RowStatus that the tests SET.
const (
	casAddress         = 3
	casConfigRowStatus = 8

	rowActive      = 1
	rowCreateAndGo = 4
	rowDestroy     = 6
)

// casCell returns the name of a column of casConfigTable in the row of a RADIUS server.
func casCell(column, index uint32) string {
	return "." + cas.Root.Append(1, 2, 1, column, uint32(servers.RADIUS), index).String()
}

// writableConfig returns overlaidConfig with a responder at a port, whose community private may SET.
func writableConfig(t *testing.T, port uint16, u *upstream) string {
	t.Helper()
	return with(t, overlaidConfig(t, u), "snmp: {session-mib-disconnect: true}", fmt.Sprintf(`snmp:
  aaa-server-config: true
  responder:
    listen: ["127.0.0.1:%d"]
    allow-insecure-set: true
    groups: [{name: operators, read: all, write: all}]
    communities: [{community: private, from: [127.0.0.0/8], group: operators}]`, port))
}

// operator returns a manager that may SET.
func operator(t *testing.T, port uint16) *gosnmp.GoSNMP {
	t.Helper()
	g := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: port, Version: gosnmp.Version2c, Community: "private", Timeout: 2 * time.Second, MaxOids: gosnmp.MaxOids}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// createRow returns the variables that create the server with an index at 127.1.0.INDEX.
func createRow(index uint32) []gosnmp.SnmpPDU {
	return []gosnmp.SnmpPDU{
		{Name: casCell(casAddress, index), Type: gosnmp.IPAddress, Value: fmt.Sprint("127.1.0.", index)},
		{Name: casCell(casConfigRowStatus, index), Type: gosnmp.Integer, Value: rowCreateAndGo},
	}
}

func destroyRow(index uint32) []gosnmp.SnmpPDU {
	return []gosnmp.SnmpPDU{{Name: casCell(casConfigRowStatus, index), Type: gosnmp.Integer, Value: rowDestroy}}
}

// TestSetOfServers: SETs create and destroy rows, whole, and change the servers in use and their file.
func TestSetOfServers(t *testing.T) {
	l := launch(t, writableConfig(t, 0, listen(t, "127.0.0.1:0")), environment{})
	g := operator(t, l.d.snmp.responder.Addrs()[0].Port())
	set := func(name string, want gosnmp.SNMPError, vbs ...[]gosnmp.SnmpPDU) {
		t.Helper()
		if answer, err := g.Set(slices.Concat(vbs...)); err != nil || answer.Error != want {
			t.Errorf("%s: %+v, %v, want %v", name, answer, err, want)
		}
	}
	set("two rows", gosnmp.NoError, createRow(7), createRow(3))
	l.checkServers("r0", "snmp-radius-7", "snmp-radius-3")
	set("one of two is there already", gosnmp.InconsistentValue, createRow(4), createRow(7))
	l.checkServers("r0", "snmp-radius-7", "snmp-radius-3")
	set("a server of the file and one of ours", gosnmp.NoError, destroyRow(1), destroyRow(3))
	l.checkServers("snmp-radius-7")
	set("the last server", gosnmp.InconsistentValue, destroyRow(7))
	l.checkServers("snmp-radius-7")
	l.reload(with(t, writableConfig(t, 0, listen(t, "127.0.0.1:0")), "aaa-server-config: true", "aaa-server-config: false"), "configuration loaded")
	set("not allowed", gosnmp.NotWritable, createRow(4))
	l.checkServers("snmp-radius-7")
}

// TestKilledDuringSets: each SET that was answered is in effect after the daemon was killed, and the
// last one, which was not answered, is whole or has not happened.
func TestKilledDuringSets(t *testing.T) {
	port, err := freeport.UDP()
	if err != nil {
		t.Fatal(err)
	}
	dir, u := t.TempDir(), listen(t, "127.0.0.1:0")
	if err := os.WriteFile(filepath.Join(dir, "aaasess.yaml"), []byte(writableConfig(t, port, u)), 0o600); err != nil {
		t.Fatal(err)
	}
	live := map[uint32]bool{} // rows that answers said are there
	answered := 0
	for round := range 5 {
		out := &lines{}
		cmd := process(t, dir, out, "--config", "aaasess.yaml")
		eventually(t, "the daemon is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
		g := operator(t, port)
		g.Retries = 0
		checkRows(t, g, live)
		conn := g.Conn
		time.AfterFunc(time.Duration(30+40*round)*time.Millisecond, func() {
			_ = cmd.Process.Kill()
			_ = conn.Close() // so that nothing waits for an answer
		})
		n, last := changeRows(g, live)
		_ = cmd.Wait() // killed
		settle(t, dir, live, last)
		answered += n
	}
	if answered == 0 {
		t.Error("no SET was answered")
	}
}

// checkRows checks which rows are active.
func checkRows(t *testing.T, g *gosnmp.GoSNMP, live map[uint32]bool) {
	t.Helper()
	for index := uint32(100); index < 110; index++ {
		answer, err := g.Get([]string{casCell(casConfigRowStatus, index)})
		if err != nil {
			t.Fatal(err)
		}
		if active := answer.Variables[0].Value == rowActive; active != live[index] {
			t.Errorf("row %d is active: %t", index, active)
		}
	}
}

// changeRows creates and destroys rows until there is no answer. It returns how many SETs were answered,
// and the row of the last one.
func changeRows(g *gosnmp.GoSNMP, live map[uint32]bool) (answered int, last uint32) {
	for index := uint32(100); ; index = 100 + (index-99)%10 {
		vbs := createRow(index)
		if live[index] {
			vbs = destroyRow(index)
		}
		answer, err := g.Set(vbs)
		if err != nil {
			return answered, index
		}
		if answer.Error == gosnmp.NoError {
			answered++
			live[index] = !live[index]
		}
	}
}

// settle reads the overlay of a daemon that was killed, and what it says of the last row.
func settle(t *testing.T, dir string, live map[uint32]bool, last uint32) {
	t.Helper()
	name := filepath.Join(dir, "state", overlayFile)
	if _, err := os.Stat(name + overlay.Damaged); err == nil {
		t.Error("the file was damaged")
	}
	file, err := overlay.Open(name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]bool{}
	for _, e := range file.Overlay().Created {
		got[e.Index] = true
		if want := net.IPv4(127, 1, 0, byte(e.Index)).String(); e.Addr.String() != want {
			t.Errorf("row %d has the address %v", e.Index, e.Addr)
		}
	}
	live[last] = got[last]
	for index := uint32(100); index < 110; index++ {
		if got[index] != live[index] {
			t.Errorf("row %d is in the file: %t, want %t", index, got[index], live[index])
		}
	}
}
