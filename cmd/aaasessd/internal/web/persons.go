package web

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"sync"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"
)

// readConfig reads a web configuration as the toolkit does.
func readConfig(file string) (*toolkit.Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &toolkit.Config{}
	if err := yaml.UnmarshalStrict(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// Authenticates reports whether a web configuration lets nobody in who has not said who they are: it has
// basic_auth_users, or the client_auth_type RequireAndVerifyClientCert. "" is no file.
func Authenticates(file string) (bool, error) {
	if file == "" {
		return false, nil
	}
	c, err := readConfig(file)
	if err != nil {
		return false, err
	}
	return len(c.Users) > 0 || c.TLSConfig.ClientAuth == tls.RequireAndVerifyClientCert.String(), nil
}

// Person returns who has sent a request: a user of basic_auth_users with the right password, or else the
// name in a client certificate that was verified; false if it is neither. It does not rely on the check
// that the toolkit has made, because the file may have got its users since then.
func (s *Server) Person(r *http.Request) (name string, ok bool) {
	if s.cfg.WebConfig == "" {
		return "", false
	}
	c, err := readConfig(s.cfg.WebConfig)
	if err != nil {
		return "", false // the toolkit has logged it
	}
	return s.person(c, r)
}

// admits reports whether a web configuration that may have changed meanwhile still lets the sender of a
// request in, whose answer goes on.
func (s *Server) admits(r *http.Request) bool {
	if s.cfg.WebConfig == "" {
		return true
	}
	c, err := readConfig(s.cfg.WebConfig)
	switch {
	case err != nil:
		return false // as the toolkit does
	case len(c.Users) > 0:
		_, ok := s.person(c, r)
		return ok
	}
	return c.TLSConfig.ClientAuth != tls.RequireAndVerifyClientCert.String() || r.TLS != nil && len(r.TLS.VerifiedChains) > 0
}

// person returns who has sent a request, by a web configuration.
func (s *Server) person(c *toolkit.Config, r *http.Request) (name string, ok bool) {
	if len(c.Users) > 0 {
		name, password, given := r.BasicAuth()
		hash, known := c.Users[name]
		if !given || !known || !s.passwords.isRight(string(hash), password) {
			return "", false
		}
		return name, true
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return "", false
	}
	cert := r.TLS.VerifiedChains[0][0]
	for _, names := range [][]string{{cert.Subject.CommonName}, cert.EmailAddresses, cert.DNSNames, {cert.Subject.String()}} {
		if len(names) > 0 && names[0] != "" {
			return names[0], true
		}
	}
	return "", false
}

// passwords remembers passwords that were right, because bcrypt takes a long time on purpose.
type passwords struct {
	mu    sync.Mutex
	right map[[sha256.Size]byte]bool // of a hash and its password
}

// maxPasswords is how many passwords are remembered. Beyond it all are forgotten.
const maxPasswords = 64

// isRight reports whether a bcrypt hash is that of a password. One is computed at a time.
func (p *passwords) isRight(hash, password string) bool {
	key := sha256.Sum256([]byte(hash + "\x00" + password))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.right[key] {
		return true
	}
	if bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		return false
	}
	if p.right == nil || len(p.right) >= maxPasswords {
		p.right = map[[sha256.Size]byte]bool{}
	}
	p.right[key] = true
	return true
}
