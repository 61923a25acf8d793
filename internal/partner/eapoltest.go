package partner

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// EAPOLTest logs in at a RADIUS server (host:port) with eapol_test, which is a NAS and a supplicant,
// by EAP in a tunnel; method is TTLS or PEAP, with MSCHAPv2 inside. It returns an error unless the
// user is accepted with MS-MPPE-Send-Key and MS-MPPE-Recv-Key that are those of the tunnel.
func EAPOLTest(t testing.TB, addr, secret, method string, login Login, certificates *Certificates) error {
	t.Helper()
	return eapolTest(t, func(argv ...string) (string, error) { return Try(t, runLimit, argv[0], argv[1:]...) }, addr, secret, method, login, certificates)
}

// EAPOLTest is the function of that name, in the namespace.
func (n *Namespace) EAPOLTest(addr, secret, method string, login Login, certificates *Certificates) error {
	n.t.Helper()
	return eapolTest(n.t, n.Try, addr, secret, method, login, certificates)
}

func eapolTest(t testing.TB, try func(argv ...string) (string, error), addr, secret, method string, login Login, certificates *Certificates) error {
	t.Helper()
	host, port := splitAddr(t, addr)
	file := filepath.Join(t.TempDir(), "eapol_test.conf")
	writeFile(t, file, fmt.Sprintf(eapolTestConf, method, login.User, login.Password, certificates.Authority, ServerName))
	out, err := try("eapol_test", "-c", file, "-a", host, "-p", port, "-s", secret, "-t", "15")
	if err != nil {
		return fmt.Errorf("%w: it printed:\n%s", err, out)
	}
	if !strings.Contains(out, "MPPE keys OK: 1  mismatch: 0") || !strings.HasSuffix(strings.TrimSpace(out), "SUCCESS") {
		return fmt.Errorf("partner: eapol_test: no success with keys; it printed:\n%s", out)
	}
	return nil
}

// eapolTestConf is the configuration: %[1]s is the method, %[2]q the user, %[3]q the password,
// %[4]q the authority, %[5]q the name of the server.
const eapolTestConf = `network={
	key_mgmt=IEEE8021X
	eap=%[1]s
	identity=%[2]q
	anonymous_identity="anonymous"
	password=%[3]q
	ca_cert=%[4]q
	domain_match=%[5]q
	phase2="auth=MSCHAPV2"
}
`
