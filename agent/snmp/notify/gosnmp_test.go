package notify

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// listenGosnmp starts a gosnmp receiver, which checks and decodes notifications itself. It returns
// the address and the received packets.
func listenGosnmp(t *testing.T, params *gosnmp.GoSNMP) (address string, got func() []*gosnmp.SnmpPacket) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = conn.LocalAddr().String()
	conn.Close()
	var mu sync.Mutex
	var packets []*gosnmp.SnmpPacket
	l := gosnmp.NewTrapListener()
	l.Params = params
	l.OnNewTrap = func(p *gosnmp.SnmpPacket, _ *net.UDPAddr) {
		mu.Lock()
		defer mu.Unlock()
		packets = append(packets, new(*p)) // gosnmp changes p into the response
	}
	done := make(chan error, 1)
	go func() { done <- l.Listen(address) }()
	select {
	case <-l.Listening():
	case err := <-done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return address, func() []*gosnmp.SnmpPacket {
		mu.Lock()
		defer mu.Unlock()
		return append([]*gosnmp.SnmpPacket(nil), packets...)
	}
}

func wantGosnmp(t *testing.T, p *gosnmp.SnmpPacket, inform bool) {
	t.Helper()
	want := gosnmp.SNMPv2Trap
	if inform {
		want = gosnmp.InformRequest
	}
	if p.PDUType != want || len(p.Variables) != 3 {
		t.Fatalf("%v with %d variables", p.PDUType, len(p.Variables))
	}
	for i, want := range []struct{ name, value string }{
		{".1.3.6.1.2.1.1.3.0", ""}, {".1.3.6.1.6.3.1.1.4.1.0", ".1.3.6.1.6.3.1.1.5.1"}, {".1.3.6.1.2.1.1.5.0", "hello"},
	} {
		vb := p.Variables[i]
		value := fmt.Sprintf("%s", vb.Value)
		if vb.Name != want.name || i > 0 && value != want.value {
			t.Errorf("variable %d: %s = %s", i+1, vb.Name, value)
		}
	}
}

func TestGosnmpCommunity(t *testing.T) {
	for _, asked := range []bool{false, true} {
		at, got := listenGosnmp(t, &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public", Logger: gosnmp.NewLogger(nil)})
		target := v2c("a", at)
		target.Inform = asked
		n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target)
		if err := n.Notify(ColdStart, hello()); err != nil {
			t.Fatal(err)
		}
		await(t, "arrives", func() bool { return len(got()) == 1 })
		wantGosnmp(t, got()[0], asked)
		if asked {
			await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
		}
	}
}

// TestGosnmpUSM sends traps and informs with all protocols to gosnmp. gosnmp has no time window,
// and its engine no clock.
func TestGosnmpUSM(t *testing.T) {
	auths := map[usm.AuthProtocol]gosnmp.SnmpV3AuthProtocol{
		usm.NoAuth: gosnmp.NoAuth, usm.HMACMD5: gosnmp.MD5, usm.HMACSHA: gosnmp.SHA, usm.HMACSHA224: gosnmp.SHA224,
		usm.HMACSHA256: gosnmp.SHA256, usm.HMACSHA384: gosnmp.SHA384, usm.HMACSHA512: gosnmp.SHA512,
	}
	privs := map[usm.PrivProtocol]gosnmp.SnmpV3PrivProtocol{
		usm.NoPriv: gosnmp.NoPriv, usm.DES: gosnmp.DES, usm.AES128: gosnmp.AES, usm.AES192: gosnmp.AES192,
		usm.AES256: gosnmp.AES256, usm.AES192C: gosnmp.AES192C, usm.AES256C: gosnmp.AES256C,
	}
	levels := map[wire.SecurityLevel]gosnmp.SnmpV3MsgFlags{
		wire.NoAuthNoPriv: gosnmp.NoAuthNoPriv, wire.AuthNoPriv: gosnmp.AuthNoPriv, wire.AuthPriv: gosnmp.AuthPriv,
	}
	for a, theirAuth := range auths {
		for p, theirPriv := range privs {
			if a == usm.NoAuth && p != usm.NoPriv {
				continue
			}
			for _, asked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %t", a, p, asked), func(t *testing.T) {
					u := user(a, p)
					id := ourID
					if asked {
						id = theirID
					}
					at, got := listenGosnmp(t, &gosnmp.GoSNMP{
						Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: levels[u.Level()],
						SecurityParameters: &gosnmp.UsmSecurityParameters{
							UserName: u.Name, AuthenticationProtocol: theirAuth, AuthenticationPassphrase: u.AuthSecret.Password,
							PrivacyProtocol: theirPriv, PrivacyPassphrase: u.PrivSecret.Password, AuthoritativeEngineID: string(id),
						},
					})
					target := v3("a", at, u)
					target.Inform = asked
					n := running(t, openEngine(t, engineFile(t), ourID, time.Now), target)
					if err := n.Notify(ColdStart, hello()); err != nil {
						t.Fatal(err)
					}
					await(t, "arrives", func() bool { return len(got()) == 1 })
					wantGosnmp(t, got()[0], asked)
					if asked {
						await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
					}
				})
			}
		}
	}
}
