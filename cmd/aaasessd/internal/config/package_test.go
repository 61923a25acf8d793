package config

import (
	"os"
	"regexp"
	"testing"
)

// packageFile is the configuration of the Debian package.
const packageFile = "../../../../deploy/debian/aaasess.yaml"

// TestPackageConfiguration: the configuration of the package has neither secrets nor clients, and
// serves loopback only. Its examples can be used.
func TestPackageConfiguration(t *testing.T) {
	b, err := os.ReadFile(packageFile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("aaasess.yaml", b, "/etc/aaasess")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Listener.Clients)+len(c.Disconnector.Clients) != 0 || c.SNMP.AgentX != nil || c.SNMP.Responder != nil || len(c.Warnings()) != 0 {
		t.Errorf("it is not closed: %+v", c)
	}
	for _, a := range c.Listener.Addresses {
		if !a.Addr().IsLoopback() {
			t.Errorf("it listens on %v", a)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/bras-1.secret", []byte("the secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := uncommented(string(b))
	text = regexp.MustCompile(`clients: \[\]`).ReplaceAllString(text, "clients:")
	c, err = Parse("aaasess.yaml", []byte(text), dir)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if len(c.Listener.Clients) != 1 || c.SNMP.AgentX == nil {
		t.Errorf("the examples are not used: %+v", c)
	}
}
