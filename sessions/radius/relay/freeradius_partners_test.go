//go:build partners

package relay

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	nasradius "aaasess/sessions/radius"
)

// relayTo starts a relay to FreeRADIUSes that take turns. It returns the Relay and its address.
func relayTo(t *testing.T, servers ...*partner.FreeRADIUSProc) (*Relay, string) {
	t.Helper()
	cfg := client.GroupConfig{Name: "g", Purpose: client.Authentication, Algorithm: client.RoundRobin}
	for _, s := range servers {
		addr := netip.MustParseAddrPort(s.AuthAddr)
		id := client.Identity{Host: addr.Addr().String(), AuthPort: addr.Port(), Secret: radius.Secret(s.Secret)}
		cfg.Members = append(cfg.Members, client.Member{Identity: id})
	}
	group, err := client.New(client.Config{}).NewGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Routes: Routes{Lists: map[string][]string{DefaultList: {"g"}}, Groups: map[string]*client.Group{"g": group}}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := nasradius.NewAuthListener(nasradius.Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   []nasradius.Client{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: nasSecret}},
	}, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{group.Run, r.Run, listener.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return r, listener.Addr().String()
}

// radclient logs in, and returns the attributes of the answer as radclient reads them, sorted.
func radclient(t *testing.T, addr, secret, attrs string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "radclient", "-x", "-r", "1", "-t", "10", addr, "auth", secret)
	cmd.Stdin = strings.NewReader(attrs + ", Message-Authenticator = 0x00\n")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("radclient: %v\n%s", err, out)
	}
	_, answer, ok := strings.Cut(string(out), "Received ")
	if !ok {
		t.Fatalf("radclient got no answer: %v\n%s", err, out)
	}
	code, rest, _ := strings.Cut(answer, " ")
	got := []string{code}
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		// The success of MS-CHAP is a digest of values that radclient chooses each time.
		if strings.Contains(line, " = ") && !strings.HasPrefix(line, "Message-Authenticator") && !strings.HasPrefix(line, "MS-CHAP2-Success") {
			got = append(got, line)
		}
	}
	slices.Sort(got[1:])
	return got
}

// TestFreeRADIUSReadsBack: what FreeRADIUS's server encrypts for us, its client reads behind us, and
// the other way round, by all kinds of passwords.
func TestFreeRADIUSReadsBack(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8)
	users := `bob Cleartext-Password := "secret"
	Tunnel-Password:1 = "first tunnel",
	Tunnel-Password:2 = "second tunnel, which needs more than one block",
	MS-MPPE-Send-Key = 0x1111111111111111111111111111111111111111111111111111111111111111,
	MS-MPPE-Recv-Key = 0x2222222222222222222222222222222222222222222222222222222222222222,
	Alc-LI-Action = enable,
	ERX-Med-Ip-Address = 192.0.2.7,
	LCS-IKEv2-Local-Password:3 = "key",
	WiMAX-MSK = 0x` + strings.Repeat("33", 64) + `,
	WiMAX-Release = "1.0",
	Class = 0x00ff,
	Cisco-AVPair = "ip:addr=1",
	Reply-Message = "hello"

long Cleartext-Password := "` + long + `"
	Class = 0x01

`
	server := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: "a longer secret of the server", Users: users, Sign: true})
	r, addr := relayTo(t, server)
	for _, tt := range []struct{ name, attrs, want string }{
		{"PAP", `User-Name = "bob", User-Password = "secret"`, "Access-Accept"},
		{"PAP with 128 octets", `User-Name = "long", User-Password = "` + long + `"`, "Access-Accept"},
		{"a wrong password", `User-Name = "bob", User-Password = "wrong"`, "Access-Reject"},
		{"CHAP", `User-Name = "bob", CHAP-Password = "secret"`, "Access-Accept"},
		{"CHAP with a challenge", `User-Name = "bob", CHAP-Password = "secret", CHAP-Challenge = 0x0123456789abcdef0123456789abcdef`, "Access-Accept"},
		{"a wrong CHAP", `User-Name = "bob", CHAP-Password = "wrong"`, "Access-Reject"},
		{"MS-CHAP", `User-Name = "bob", MS-CHAP-Password = "secret"`, "Access-Accept"},
		{"Proxy-States", `User-Name = "bob", User-Password = "secret", Proxy-State = 0x01, Proxy-State = 0x` + strings.Repeat("02", 200), "Access-Accept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			direct := radclient(t, server.AuthAddr, server.Secret, tt.attrs)
			relayed := radclient(t, addr, string(nasSecret), tt.attrs)
			if relayed[0] != tt.want {
				t.Errorf("%s, want %s", relayed[0], tt.want)
			}
			if diff := cmp.Diff(direct, relayed); diff != "" {
				t.Errorf("direct, and through the relay:\n%s", diff)
			}
		})
	}
	if s := r.Stats(); s.Requests != s.Accepts+s.Rejects {
		t.Errorf("%+v", s)
	}
}

// TestFreeRADIUSConversations: EAP in a tunnel, of many rounds, with two servers that take turns. The
// supplicant checks that the keys are those of its tunnel.
func TestFreeRADIUSConversations(t *testing.T) {
	certificates := partner.NewCertificates(t)
	opts := partner.FreeRADIUSOptions{Users: "bob Cleartext-Password := \"secret\"\n", Certificates: certificates, Sign: true, Secret: "another"}
	r, addr := relayTo(t, partner.FreeRADIUS(t, opts), partner.FreeRADIUS(t, opts))
	const logins = 4
	var running sync.WaitGroup
	for i := range logins {
		method := []string{"TTLS", "PEAP"}[i%2]
		running.Go(func() {
			if err := partner.EAPOLTest(t, addr, string(nasSecret), method, partner.Login{User: "bob", Password: "secret"}, certificates); err != nil {
				t.Errorf("%s: %v", method, err)
			}
		})
	}
	running.Wait()
	s := r.Stats()
	if s.Accepts != logins || s.Rejects != 0 || s.UnknownStates != 0 || s.Challenges < 4*logins {
		t.Errorf("%+v", s)
	}
	t.Log(fmt.Sprint(s.Challenges, " challenges"))
}
