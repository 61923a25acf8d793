package partner

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// Program is a foreign program that shows only what it prints.
type Program struct{ process }

// Program starts a program in the namespace, and returns when it has printed a line with the text
// ready. It ends with the test. If the test fails, its output is added to the test's.
func (n *Namespace) Program(ready string, argv ...string) *Program {
	n.t.Helper()
	p := &Program{process{
		t: n.t, name: argv[0], path: lookPath(n.t, argv[0]), args: argv[1:],
		ready: func(line string) bool { return strings.Contains(line, ready) },
	}}
	p.inside(n.In())
	p.begin()
	return p
}

// Said returns how many lines of its output have all these texts.
func (p *Program) Said(texts ...string) (count int) {
	for line := range strings.Lines(p.Log()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			count++
		}
	}
	return count
}

// dialUnix connects to the Unix socket of a program, with a time limit for all that follows.
func dialUnix(t testing.TB, network, socket string) *net.UnixConn {
	t.Helper()
	var local *net.UnixAddr
	if network == "unixgram" { // the program answers to an address
		local = &net.UnixAddr{Name: socket + ".test", Net: network}
	}
	conn, err := net.DialUnix(network, local, &net.UnixAddr{Name: socket, Net: network})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func splitAddr(t testing.TB, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func writeFile(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
