//go:build partners

package usm_test

import (
	"encoding/hex"
	"flag"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/internal/partner"
)

var update = flag.Bool("update", false, "write what TestRecord records to testdata")

// netsnmpArgs returns the arguments of net-snmp's tools for a user.
func netsnmpArgs(u usm.User) []string {
	args := []string{"-v3", "-u", u.Name, "-l", u.Level().String(), "-r0", "-t5"}
	if u.Auth != usm.NoAuth {
		args = append(args, "-a", u.Auth.String(), "-A", u.AuthSecret.Password)
	}
	if u.Priv != usm.NoPriv {
		args = append(args, "-x", strings.Replace(u.Priv.String(), "AES-128", "AES", 1), "-X", u.PrivSecret.Password)
	}
	return args
}

// TestRecord runs net-snmp's snmpget with each combination: it must understand our answers, and we
// its requests. snmpget first discovers the engine's id, and reads boots and time from the report.
// golden_test.go reads the request that follows.
func TestRecord(t *testing.T) {
	users := combinations()
	model, _ := newUSM(t, users...)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := "# Requests of snmpget, net-snmp 5.9.3: the user's name, then the message.\n"
	for _, u := range users {
		message := make(chan []byte, 1)
		go func() { message <- accepted(t, conn, model) }()
		args := append(netsnmpArgs(u), "-Oqv", conn.LocalAddr().String(), sysUpTime.String())
		if got := partner.Run(t, 10*time.Second, "snmpget", args...); got != "42\n" {
			t.Errorf("%s: snmpget printed %q", u.Name, got)
		}
		b := <-message
		text += u.Name + " " + hex.EncodeToString(b) + "\n"
		checkRequest(t, model, u, b)
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordPysnmp is TestRecord for pysnmp 4. Its script sends three requests as each user; the
// first one is recorded.
func TestRecordPysnmp(t *testing.T) {
	users := pysnmpUsers()
	model, _ := newUSM(t, users...)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	args := []string{
		"../testdata/pysnmp4.py", strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port),
		strings.TrimPrefix(sysUpTime.String(), "."), "20", authPassword, privPassword,
	}
	want := ""
	for _, u := range users {
		args = append(args, u.Auth.String(), strings.Replace(u.Priv.String(), "AES-128", "AES", 1))
		want += u.Name + " 42 42 42\n"
	}
	text := make(chan string, 1)
	go func() {
		lines := "# Requests of pysnmp 4.4.12: the user's name, then the message.\n"
		for _, u := range users {
			b := accepted(t, conn, model)
			checkRequest(t, model, u, b)
			lines += u.Name + " " + hex.EncodeToString(b) + "\n"
			accepted(t, conn, model)
			accepted(t, conn, model)
		}
		text <- lines
	}()
	// Debian's own python3 has Debian's modules; another one may come first in the path.
	if got := partner.Run(t, 2*time.Minute, "/usr/bin/python3", args...); got != want {
		t.Errorf("pysnmp printed\n%s", got)
	}
	if lines := <-text; *update {
		if err := os.WriteFile(pysnmpFile, []byte(lines), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// accepted answers messages until one is accepted, and returns that one.
func accepted(t *testing.T, conn *net.UDPConn, model *usm.USM) []byte {
	var s usm.Session
	b := make([]byte, 65536)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(8 * time.Second)); err != nil {
			t.Error(err)
		}
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Error(err)
			return nil
		}
		message := slices.Clone(b[:n])
		answer, refusal := respond(model, &s, b[:n])
		if _, err := conn.WriteToUDPAddrPort(answer, from); err != nil {
			t.Error(err)
		}
		if refusal == nil {
			return message
		}
	}
}

// TestNetSNMPRefused: the message that net-snmp prints for each problem, and the counter.
func TestNetSNMPRefused(t *testing.T) {
	right := newUser("wes", usm.HMACSHA, usm.AES128)
	change := func(fn func(u *usm.User)) usm.User { u := right; fn(&u); return u }
	tests := []struct {
		name string
		user usm.User
		want string // output of snmpget
		err  error  // the last error of Incoming
	}{
		{"unknown user", change(func(u *usm.User) { u.Name = "nobody" }), "Unknown user name", usm.ErrUnknownUserName},
		{"authentication password", change(func(u *usm.User) { u.AuthSecret.Password = "somethingelse" }), "Authentication failure", usm.ErrWrongDigest},
		{"authentication protocol", change(func(u *usm.User) { u.Auth = usm.HMACSHA256 }), "Authentication failure", usm.ErrWrongDigest},
		{"privacy password", change(func(u *usm.User) { u.PrivSecret.Password = "somethingelse" }), "Decryption error", usm.ErrDecryption},
		{"privacy protocol", change(func(u *usm.User) { u.Priv = usm.AES256 }), "Decryption error", usm.ErrDecryption},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			model, _ := newUSM(t, right)
			addr, refused := serve(t, model)
			_, err := partner.Try(t, 10*time.Second, "snmpget", append(netsnmpArgs(tt.user), addr.String(), sysUpTime.String())...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("snmpget: %v, want %q", err, tt.want)
			}
			if errs := refused(); len(errs) < 2 || errs[0] != usm.ErrUnknownEngineID || errs[len(errs)-1] != tt.err {
				t.Errorf("refused %v", errs)
			}
		})
	}
	t.Run("level", func(t *testing.T) {
		model, _ := newUSM(t, newUser("wes", usm.HMACSHA, usm.NoPriv))
		addr, _ := serve(t, model)
		_, err := partner.Try(t, 10*time.Second, "snmpget", append(netsnmpArgs(right), addr.String(), sysUpTime.String())...)
		if err == nil || !strings.Contains(err.Error(), "Unsupported security level") {
			t.Errorf("snmpget: %v", err)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		model, _ := newUSM(t, right)
		addr, refused := serve(t, model)
		if got := partner.Run(t, 10*time.Second, "snmpget", append(netsnmpArgs(right), "-Oqv", addr.String(), sysUpTime.String())...); got != "42\n" {
			t.Errorf("snmpget printed %q", got)
		}
		if errs := refused(); !slices.Equal(errs, []error{usm.ErrUnknownEngineID}) {
			t.Errorf("refused %v", errs)
		}
	})
}
