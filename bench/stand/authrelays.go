package stand

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"aaasess/bench/nasload"
	"aaasess/internal/freeport"
)

// OursAuth is the contender of the section relay that is ours. The others are PeerProxy, PeerRadsec and
// PeerAccepter.
const OursAuth = "aaasessd"

// AuthRelay is a running contender that relays Access-Requests, and the server behind it. Close ends
// both.
type AuthRelay struct {
	Port   uint16   // for NASes
	Server *Process // the contender, whose CPU time counts
	behind *accepter
}

// Close ends everything by its id.
func (r *AuthRelay) Close() {
	if r.Server != nil && r.Server != r.behind.Process {
		r.Server.stop()
	}
	r.behind.stop()
}

// Check returns an error if the server got a request that no NAS sent: not signed correctly, with a
// wrong password, or without the State that it sent.
func (r *AuthRelay) Check() error {
	got, err := r.behind.counts()
	if err == nil && got.Wrong > 0 {
		err = fmt.Errorf("%d of %d requests at the server are wrong", got.Wrong, got.Requests)
	}
	return err
}

// OpenAuthRelay starts a contender and returns when it answers. BuildLogins and, for ours, BuildDaemon
// must have built their programs into h.Dir.
func OpenAuthRelay(ctx context.Context, h Host, who string) (_ *AuthRelay, err error) {
	r := &AuthRelay{}
	if r.behind, err = startAccepter(ctx, h); err != nil {
		return nil, err
	}
	if who == PeerAccepter {
		r.Port, r.Server = r.behind.port, r.behind.Process
		return r, nil
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(h.Dir, "relay-")
	if err != nil {
		return nil, err
	}
	if r.Server, err = startAuthRelay(ctx, h, who, dir, r.Port, r.behind.port); err != nil {
		return nil, err
	}
	return r, h.awaitLogin(ctx, r.Port, r.Server)
}

// startAuthRelay starts a contender with its files in dir.
func startAuthRelay(ctx context.Context, h Host, who, dir string, port, upstream uint16) (*Process, error) {
	switch who {
	case PeerProxy:
		return StartFreeRADIUS(ctx, h, dir, proxiesLogins, port, upstream)
	case PeerRadsec:
		return startRadsecproxy(ctx, h, dir, radsecLogins, port, upstream)
	case OursAuth:
		accounting, err := freeport.UDP()
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "aaasess.yaml")
		conf := fmt.Sprintf(authConf, dir, port, nasload.SharedSecret, upstream, accounting)
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			return nil, err
		}
		return h.start(ctx, filepath.Join(h.Dir, daemonProgram), "--config", file)
	}
	return nil, fmt.Errorf("bench: no contender %q", who)
}

// authConf is the configuration of an aaasessd that relays logins: the folder, its port, the secret, the
// server's port, its port for accounting. The second client floods, see peers/logins.c.
const authConf = `state: %[1]s/state
log: {level: warn}
control: {socket: %[1]s/control}
radius:
  authentication: {listen: ["127.0.0.1:%[2]d"]}
  accounting: {listen: ["127.0.0.1:%[5]d"]}
  clients:
    - {name: nas, address: 127.0.0.1, secret: %[3]s}
    - {name: flooder, address: 127.3.0.1, secret: %[3]s}
  servers: [{name: upstream, address: 127.0.0.1, auth-port: %[4]d, secret: %[3]s}]
  groups: [{name: isp, servers: [upstream]}]
authentication:
  lists: {default: {methods: [group isp]}}
accounting:
  network: {default: {record: none}}
`
