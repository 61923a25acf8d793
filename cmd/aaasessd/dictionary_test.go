package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/sessions/radius/radiustest"
)

// TestReloadDictionary: the accounting file has the names of vendors' attributes. After a reload
// with an operator's dictionary, it has those names too, and disconnect.attributes may use them.
func TestReloadDictionary(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	base := with(t, plainConfig, "3799", portOf(nas.AddrPort()))
	l := launch(t, base, environment{})
	shop := filepath.Join(l.dir, "shop.dictionary")
	const text = "VENDOR Shop 99999\nBEGIN-VENDOR Shop\nATTRIBUTE Shop-Till 1 integer\nVALUE Shop-Till Front 1\nEND-VENDOR Shop\nATTRIBUTE Shop-Any 250 combo-ip\n"
	if err := os.WriteFile(shop, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	vendors := func(p *layeh.Packet) error {
		p.Add(rfc2865.VendorSpecific_Type, layeh.Attribute("\x00\x00\x00\x09\x01\x05a=b"))
		p.Add(rfc2865.VendorSpecific_Type, layeh.Attribute("\x00\x01\x86\x9f\x01\x06\x00\x00\x00\x01"))
		return nil
	}
	shows := func(what ...string) {
		t.Helper()
		eventually(t, "the accounting file has "+strings.Join(what, ", "), func() bool {
			b, err := os.ReadFile(filepath.Join(l.dir, "records.jsonl"))
			if err != nil {
				return false
			}
			for _, w := range what {
				if !strings.Contains(string(b), w) {
					return false
				}
			}
			return true
		})
	}
	l.mustAccount(packet(acctStart, "S1", "alice", vendors))
	shows(`"Cisco-AVPair":"a=b"`, `"Vendor-Specific":["0x0001869f010600000001"]`)

	named := with(t, base, "radius:\n", "radius:\n  dictionaries: [shop.dictionary]\n")
	l.reload(with(t, named, "shop.dictionary", "none.dictionary"), "none.dictionary: no such file")
	port := "port: " + portOf(nas.AddrPort())
	l.reload(with(t, named, port, port+", attributes: [Acct-Session-Id, Service-Type = Login-User, Shop-Till = Front]"), "configuration loaded")
	if log := l.log.String(); !strings.Contains(log, `msg="dictionary lines skipped" file=`+shop+` lines=1 first_line=6`) {
		t.Errorf("no warning: %s", log)
	}
	l.mustAccount(packet(acctStart, "S2", "bob", vendors))
	shows(`"Shop-Till":"Front"`)

	l.disconnect("alice")
	asked := nas.Next()
	if got := rfc2865.ServiceType_Get(asked.Packet); got != rfc2865.ServiceType_Value_LoginUser {
		t.Errorf("Service-Type %v", got)
	}
	if got := string(asked.Packet.Get(rfc2865.VendorSpecific_Type)); got != "\x00\x01\x86\x9f\x01\x06\x00\x00\x00\x01" {
		t.Errorf("Vendor-Specific %x", got)
	}
}
