package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"aaasess/internal/freeport"
)

// The contenders of the accounting section.
const (
	oursSpooling = "aaasessd"          // its server never answers: all is spooled
	oursNone     = "aaasessd-none"     // makes no records
	oursRelaying = "aaasessd-relaying" // answers and passes on at the same time
	peerDetail   = "freeradius-detail" // answers when it has written its detail file
	peerProxy    = "freeradius-proxy"  // answers when the server has
	peerRobust   = "freeradius-robust" // robust-proxy-accounting
	peerReader   = "freeradius-reader" // proxies what is in a detail file
	peerRadsec   = "radsecproxy"       // answers when the server has
	peerBare     = "acknowledger"      // answers, and keeps nothing
)

// relay is one contender that runs, with what stands behind it. Close ends all.
type relay struct {
	port     uint16        // that NASes send to
	server   *process      // whose CPU time counts
	upstream *acknowledger // nil: there is none, or it is the contender itself
	silent   net.PacketConn
	dir      string // its files
}

// Close ends everything by its id.
func (r *relay) Close() {
	if r.server != nil {
		r.server.stop()
	}
	if r.upstream != nil {
		r.upstream.stop()
	}
	if r.silent != nil {
		_ = r.silent.Close()
	}
}

// openRelay starts a contender and returns when it answers. Buffer is that of the acknowledger behind it.
func openRelay(ctx context.Context, h host, who string, buffer int) (_ *relay, err error) {
	r := &relay{}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if who == peerBare {
		a, err := startAcknowledger(ctx, h, 0, buffer)
		if err != nil {
			return nil, err
		}
		r.port, r.server = a.port, a.process
		return r, nil
	}
	if r.dir, err = os.MkdirTemp(h.dir, "relay-"); err != nil {
		return nil, err
	}
	if r.port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	upstream, err := r.openUpstream(ctx, h, who, buffer)
	if err != nil {
		return nil, err
	}
	if err := r.start(ctx, h, who, upstream); err != nil {
		return nil, err
	}
	return r, awaitAnswer(ctx, r.port, r.server)
}

// openUpstream opens what the contender is to find behind it and gives its port.
func (r *relay) openUpstream(ctx context.Context, h host, who string, buffer int) (uint16, error) {
	switch who {
	case peerDetail, oursNone:
		return 0, nil
	case oursSpooling: // it takes and never answers
		conn, err := listenLoopback(0)
		if err != nil {
			return 0, err
		}
		r.silent = conn
		return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
	}
	var err error
	if r.upstream, err = startAcknowledger(ctx, h, 0, buffer); err != nil {
		return 0, err
	}
	return r.upstream.port, nil
}

// start starts the contender on r.port.
func (r *relay) start(ctx context.Context, h host, who string, upstream uint16) (err error) {
	switch who {
	case oursSpooling, oursNone, oursRelaying:
		r.server, err = daemon{dir: r.dir, port: r.port, upstream: upstream}.start(ctx, h)
	case peerDetail:
		r.server, err = startFreeRADIUS(ctx, h, r.dir, writesDetail, r.port, upstream)
	case peerProxy:
		r.server, err = startFreeRADIUS(ctx, h, r.dir, proxiesLive, r.port, upstream)
	case peerRobust:
		r.server, err = startFreeRADIUS(ctx, h, r.dir, proxiesRobust, r.port, upstream)
	case peerRadsec:
		r.server, err = startRadsecproxy(ctx, h, r.dir, r.port, upstream)
	default:
		err = fmt.Errorf("bench: no contender %q", who)
	}
	return err
}

// system finds a program also where a path for users does not.
func system(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	p, err := exec.LookPath(filepath.Join("/usr/sbin", name))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func startFreeRADIUS(ctx context.Context, h host, dir string, kind freeRADIUSKind, port, upstream uint16) (*process, error) {
	if err := writeFreeRADIUS(dir, kind, port, upstream); err != nil {
		return nil, err
	}
	program, err := system("freeradius")
	if err != nil {
		return nil, err
	}
	return h.start(ctx, program, "-f", "-d", dir, "-n", "radiusd")
}

// radsecproxyConf is UDP to UDP: the port, the secret, the port behind it, the secret.
const radsecproxyConf = `ListenUDP 127.0.0.1:%d
LogLevel 3
client nas {
	host 127.0.0.0/8
	type udp
	secret %s
}
server upstream {
	host 127.0.0.1
	port %d
	type udp
	secret %s
	StatusServer off
}
realm * {
	accountingServer upstream
}
`

func startRadsecproxy(ctx context.Context, h host, dir string, port, upstream uint16) (*process, error) {
	file := filepath.Join(dir, "radsecproxy.conf")
	conf := fmt.Sprintf(radsecproxyConf, port, sharedSecret, upstream, sharedSecret)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	program, err := system("radsecproxy")
	if err != nil {
		return nil, err
	}
	return h.start(ctx, program, "-f", "-c", file)
}

// daemon is an aaasessd with one list and one group of one server.
type daemon struct {
	dir      string
	port     uint16
	upstream uint16 // 0: no records are made
	agentx   string // socket of the master agent, "" for none
	snmp     uint16 // port of our own responder, 0 for none
}

// daemonProgram is the name of our daemon, which buildDaemon builds.
const daemonProgram = "aaasessd"

func buildDaemon(ctx context.Context, dir string) error {
	if err := build(ctx, "go", "build", "-o", filepath.Join(dir, daemonProgram), "aaasess/cmd/aaasessd"); err != nil {
		return fmt.Errorf("bench: build %s: %w", daemonProgram, err)
	}
	return nil
}

// config is what stands in its configuration file; all else is its default.
func (d daemon) config() string {
	snmp, list := "", "record: none"
	if d.upstream != 0 {
		list = "record: start-stop, methods: [group isp]"
	}
	if d.agentx != "" {
		snmp = fmt.Sprintf("snmp: {agentx: {network: unix, address: %q}}\n", d.agentx)
	}
	if d.snmp != 0 {
		snmp = fmt.Sprintf("snmp: {responder: {listen: [\"127.0.0.1:%d\"], groups: [{name: all, read: all}], "+
			"communities: [{community: public, group: all, from: [127.0.0.0/8]}]}}\n", d.snmp)
	}
	return fmt.Sprintf(`state: %[1]s/state
log: {level: warn}
control: {socket: %[1]s/control}
radius:
  accounting: {listen: ["127.0.0.1:%[2]d"]}
  clients: [{name: nas, address: 127.0.0.0/8, secret: %[3]s}]
  servers: [{name: upstream, address: 127.0.0.1, port: %[4]d, secret: %[3]s}]
  groups: [{name: isp, servers: [upstream]}]
accounting:
  network: {default: {%[5]s}}
%[6]s`, d.dir, d.port, sharedSecret, max(d.upstream, 1), list, snmp)
}

// start starts it, on the state that is there.
func (d daemon) start(ctx context.Context, h host) (*process, error) {
	file := filepath.Join(d.dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(d.config()), 0o600); err != nil {
		return nil, err
	}
	return h.start(ctx, filepath.Join(h.dir, daemonProgram), "--config", file)
}
