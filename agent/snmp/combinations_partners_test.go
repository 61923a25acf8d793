//go:build partners

package snmp

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
)

// endOfView is the text that the tools print for endOfMibView.
const endOfView = " = No more variables left in this MIB View (It is past the end of the MIB tree)"

// TestCombinations: net-snmp's tools walk, read and set, with each combination of protocols that
// they support, over IPv4 and IPv6.
func TestCombinations(t *testing.T) {
	f := newRig(t)
	for i, u := range allUsers() {
		t.Run(u.name, func(t *testing.T) {
			run := func(tool, addr string, args ...string) toolOutput {
				t.Helper()
				return runTool(t, tool, append(append(u.args(), addr), args...)...)
			}
			module := f.moduleLines()
			if u.auth == "" { // its view contains nothing behind the module
				module = append(module, oid(3, 0)+endOfView)
			}
			if diff := cmp.Diff(module, run("snmpbulkwalk", f.ipv4(), oid()).lines()); diff != "" {
				t.Errorf("snmpbulkwalk (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(f.tableLines(), run("snmpwalk", f.ipv6(), oid(2)).lines()); diff != "" {
				t.Errorf("snmpwalk over IPv6 (-want +got):\n%s", diff)
			}
			to := strconv.Itoa(20 + i)
			set := run("snmpset", f.ipv6(), oid(1, 0), "i", to)
			want := toolOutput{Out: oid(1, 0) + " = INTEGER: " + to + "\n"}
			if u.auth == "" {
				to, want = "7", toolOutput{Err: "Error in packet.\nReason: authorizationError (access denied to that object)\n", Code: 2}
			}
			if diff := cmp.Diff(want, set); diff != "" {
				t.Errorf("snmpset (-want +got):\n%s", diff)
			}
			if got := strconv.Itoa(int(f.numbers.now())); got != to {
				t.Errorf("the number is %s, want %s", got, to)
			}
			if got := run("snmpget", f.ipv4(), oid(1, 0)); got.Out != oid(1, 0)+" = INTEGER: "+to+"\n" {
				t.Errorf("snmpget: %+v", got)
			}
		})
	}
}

// TestWrongCombinations: a SET with wrong credentials is not carried out, and the tool prints the
// same error as with snmpd.
func TestWrongCombinations(t *testing.T) {
	const (
		wrongDigest = "Authentication failure (incorrect password, community or key)"
		wrongKey    = "Decryption error"
		wrongUser   = "Unknown user name"
		wrongLevel  = "Unsupported security level"
		notAllowed  = "authorizationError (access denied to that object)"
	)
	f := newRig(t)
	for _, u := range append(allUsers(), strict) {
		nobody, more, less, other := u, u, u, u
		nobody.name = "nobody"
		more.auth, more.priv = "SHA-256", "AES" // a higher level than the user has
		other.auth = map[bool]string{true: "SHA-512", false: "SHA-256"}[u.auth == "SHA-256"]
		type attempt struct {
			name string
			args []string
			want string
		}
		attempts := []attempt{{"user", nobody.args(), wrongUser}}
		if u.auth != "" {
			attempts = append(attempts, attempt{"password", u.with("not the password", privPassword), wrongDigest}, attempt{"protocol", other.args(), wrongDigest})
		}
		if u.priv != "" {
			attempts = append(attempts, attempt{"privacy password", u.with(authPassword, "not the password"), wrongKey})
		} else {
			attempts = append(attempts, attempt{"more than it has", more.args(), wrongLevel})
		}
		if u == strict {
			less.priv = ""
			attempts = append(attempts, attempt{"no privacy", less.args(), notAllowed})
			less.auth = ""
			attempts = append(attempts, attempt{"no authentication", less.args(), notAllowed})
		}
		for _, a := range attempts {
			passed := t.Run(u.name+" "+a.name, func(t *testing.T) {
				for tool, args := range map[string][]string{"snmpset": {oid(1, 0), "i", "42"}, "snmpget": {oid(3, 0)}} {
					got := runTool(t, tool, append(append(a.args, f.ipv4()), args...)...)
					if got.Code == 0 || got.Out != "" || !strings.Contains(got.Err, a.want) {
						t.Errorf("%s: %+v, want %s", tool, got, a.want)
					}
				}
				if f.numbers.now() != 7 {
					t.Error("the SET was carried out")
				}
			})
			if !passed { // one message is enough: a tool that does not understand the answer waits long for another
				return
			}
		}
	}
}

// gosnmpAuth and gosnmpPriv map the protocol names of net-snmp's tools to those of gosnmp.
var (
	gosnmpAuth = map[string]gosnmp.SnmpV3AuthProtocol{
		"MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA-224": gosnmp.SHA224, "SHA-256": gosnmp.SHA256, "SHA-384": gosnmp.SHA384, "SHA-512": gosnmp.SHA512,
	}
	gosnmpPriv = map[string]gosnmp.SnmpV3PrivProtocol{
		"DES": gosnmp.DES, "AES": gosnmp.AES, "AES-192": gosnmp.AES192, "AES-256": gosnmp.AES256, "AES-192-C": gosnmp.AES192C, "AES-256-C": gosnmp.AES256C,
	}
)

// gosnmp configures a client as this user.
func (u toolUser) gosnmp(auth, priv string) func(*gosnmp.GoSNMP) {
	return func(g *gosnmp.GoSNMP) {
		p := &gosnmp.UsmSecurityParameters{UserName: u.name}
		g.Version, g.SecurityModel, g.SecurityParameters, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, p, gosnmp.NoAuthNoPriv
		if u.auth != "" {
			g.MsgFlags, p.AuthenticationProtocol, p.AuthenticationPassphrase = gosnmp.AuthNoPriv, gosnmpAuth[u.auth], auth
		}
		if u.priv != "" {
			g.MsgFlags, p.PrivacyProtocol, p.PrivacyPassphrase = gosnmp.AuthPriv, gosnmpPriv[u.priv], priv
		}
	}
}

// TestLibraryCombinations: gosnmp walks and sets as each user, and fails with a wrong password.
func TestLibraryCombinations(t *testing.T) {
	f := newRig(t)
	var want []string
	for _, line := range f.tableLines() {
		name, _, _ := strings.Cut(line, " ")
		want = append(want, name)
	}
	for i, u := range allUsers() {
		t.Run(u.name, func(t *testing.T) {
			set := func(auth, priv string, to int) (*gosnmp.SnmpPacket, error) {
				t.Helper()
				g := f.client(u.gosnmp(auth, priv))
				return g.Set([]gosnmp.SnmpPDU{{Name: oid(1, 0), Type: gosnmp.Integer, Value: to}})
			}
			var got []string
			err := f.client(u.gosnmp(authPassword, privPassword)).BulkWalk(oid(2), func(v gosnmp.SnmpPDU) error { got = append(got, v.Name); return nil })
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("walk: %v (-want +got):\n%s", err, diff)
			}
			answer, err := set(authPassword, privPassword, 20+i)
			if err != nil || u.auth != "" && int(f.numbers.now()) != 20+i || u.auth == "" && answer.Error != gosnmp.AuthorizationError {
				t.Errorf("set: %s, %v, the number is %d", show(answer), err, f.numbers.now())
			}
			before := f.numbers.now()
			if u.auth != "" {
				if answer, err := set("not the password", privPassword, 1); err == nil {
					t.Errorf("set with a wrong password: %s", show(answer))
				}
			}
			if u.priv != "" {
				if answer, err := set(authPassword, "not the password", 1); err == nil {
					t.Errorf("set with a wrong privacy password: %s", show(answer))
				}
			}
			if f.numbers.now() != before {
				t.Error("a SET with a wrong password was carried out")
			}
		})
	}
}
