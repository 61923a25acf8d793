package web

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// writeConfig writes a web configuration, and returns its name.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// usersConfig is a web configuration with the user alice, whose password is secret.
func usersConfig(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("basic_auth_users: {alice: %s}\n", hash)
}

const certsConfig = "tls_server_config: {cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem, client_auth_type: %s}\n"

func TestAuthenticates(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       bool
		fails      bool
	}{
		{"empty", "", false, false},
		{"users", usersConfig(t), true, false},
		{"no users", "basic_auth_users: {}\n", false, false},
		{"TLS only", "tls_server_config: {cert_file: c.pem, key_file: k.pem}\n", false, false},
		{"certificates that are verified", fmt.Sprintf(certsConfig, "RequireAndVerifyClientCert"), true, false},
		{"certificates that are not verified", fmt.Sprintf(certsConfig, "RequireAnyClientCert"), false, false},
		{"certificates that need not be there", fmt.Sprintf(certsConfig, "VerifyClientCertIfGiven"), false, false},
		{"an unknown key", "users: {}\n", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Authenticates(writeConfig(t, tt.text))
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("%t %v", got, err)
			}
		})
	}
	if got, err := Authenticates(""); got || err != nil {
		t.Errorf("no file: %t %v", got, err)
	}
	if _, err := Authenticates(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestPerson(t *testing.T) {
	verified := func(c x509.Certificate) *tls.ConnectionState {
		return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{&c}}}
	}
	certs, users := fmt.Sprintf(certsConfig, "RequireAndVerifyClientCert"), usersConfig(t)
	for _, tt := range []struct {
		name, text     string
		user, password string
		tls            *tls.ConnectionState
		want           string // "": nobody
	}{
		{"a user", users, "alice", "secret", nil, "alice"},
		{"the same user again", users, "alice", "secret", nil, "alice"},
		{"a wrong password", users, "alice", "other", nil, ""},
		{"an unknown user", users, "bob", "secret", nil, ""},
		{"no user", users, "", "", nil, ""},
		// Without basic_auth_users, the toolkit lets in whatever a client claims to be.
		{"a user that nobody checks", "", "alice", "secret", nil, ""},
		{"a certificate", certs, "", "", verified(x509.Certificate{Subject: pkix.Name{CommonName: "carol"}}), "carol"},
		{"a certificate with an address", certs, "", "", verified(x509.Certificate{EmailAddresses: []string{"carol@example.net"}}), "carol@example.net"},
		{"a certificate that was not verified", certs, "", "", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "carol"}}}}, ""},
		{"a certificate, and a wrong password", users, "alice", "other", verified(x509.Certificate{Subject: pkix.Name{CommonName: "alice"}}), ""},
		{"a file with a fault", "users: {}\n", "alice", "secret", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Server{cfg: Config{WebConfig: writeConfig(t, tt.text)}}
			for range 2 { // the second time it is remembered
				r, err := http.NewRequest(http.MethodGet, "/", nil)
				if err != nil {
					t.Fatal(err)
				}
				if tt.user != "" {
					r.SetBasicAuth(tt.user, tt.password)
				}
				r.TLS = tt.tls
				if got, ok := s.Person(r); got != tt.want || ok != (tt.want != "") {
					t.Errorf("%q %t, want %q", got, ok, tt.want)
				}
			}
		})
	}
}

// TestPasswordChanges: a password that was right is not, once its hash has changed.
func TestPasswordChanges(t *testing.T) {
	var p passwords
	hash := func(password string) string {
		b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if !p.isRight(hash("one"), "one") {
		t.Error("the right password is wrong")
	}
	if p.isRight(hash("two"), "one") {
		t.Error("the password of before is right")
	}
	for i := range 2 * maxPasswords {
		password := fmt.Sprint(i)
		if !p.isRight(hash(password), password) || len(p.right) > maxPasswords {
			t.Fatalf("%d passwords are remembered", len(p.right))
		}
	}
}
