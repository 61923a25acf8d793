package stand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"aaasess/bench/nasload"
	"aaasess/internal/freeport"
)

// RestartAsReader ends the FreeRADIUS that wrote a detail file, and starts one that reads it.
func (r *Relay) RestartAsReader(ctx context.Context, h Host, upstream uint16) (err error) {
	r.Server.stop()
	spool := filepath.Join(r.Dir, "spool")
	if err := errors.Join(os.MkdirAll(spool, 0o700), os.Rename(filepath.Join(r.Dir, "detail"), filepath.Join(spool, "detail"))); err != nil {
		return err
	}
	r.Server, err = StartFreeRADIUS(ctx, h, r.Dir, readsDetail, r.Port, upstream)
	return err
}

// RestartDaemon stops an aaasessd and starts it again with its state.
func (r *Relay) RestartDaemon(ctx context.Context, h Host) (err error) {
	r.Server.stop()
	r.Server, err = Daemon{Dir: r.Dir, Port: r.Port, Upstream: r.Upstream.port}.Start(ctx, h)
	if err != nil {
		return err
	}
	return AwaitAnswer(ctx, r.Port, r.Server)
}

// ReplaceUpstream ends the acknowledger behind the contender and starts one on its port that has
// seen nothing.
func (r *Relay) ReplaceUpstream(ctx context.Context, h Host) (err error) {
	r.Upstream.stop()
	r.Upstream, err = StartAcknowledger(ctx, h, r.Upstream.port, LargeBuffer)
	return err
}

// Resync has an aaasessd tell the server of group isp of all live sessions again, rate records a
// second. It returns when the records are made, with their number.
func (r *Relay) Resync(ctx context.Context, h Host, rate int) (records int, err error) {
	var out strings.Builder
	_, err = h.Run(ctx, &out, filepath.Join(h.Dir, commandProgram), "--socket", filepath.Join(r.Dir, "control"), "--json",
		"perform", "resync", "isp", "--rate", fmt.Sprint(rate))
	if err != nil {
		return 0, err
	}
	var got struct{ Records int }
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		return 0, fmt.Errorf("bench: resync: %w: %s", err, out.String())
	}
	return got.Records, nil
}

// The contenders of the accounting section.
const (
	OursSpooling     = "aaasessd"          // its server never answers, so all records are spooled
	OursNone         = "aaasessd-none"     // makes no records
	OursRelaying     = "aaasessd-relaying" // answers, and delivers at the same time
	PeerDetail       = "freeradius-detail" // answers when it has written its detail file
	PeerProxy        = "freeradius-proxy"  // answers when the server has answered
	PeerRobust       = "freeradius-robust" // robust-proxy-accounting
	PeerReader       = "freeradius-reader" // proxies the records in a detail file
	PeerRadsec       = "radsecproxy"       // answers when the server has answered
	PeerAcknowledger = "acknowledger"      // answers and stores nothing

	// Only in the section on latency: answers when the octets of the request are on disk (peers/syncer.c).
	PeerSyncer = "syncer"

	// Like OursSpooling and OursRelaying, with a broadcast to two groups of one server each.
	OursBroadcast         = "aaasessd-broadcast"
	OursBroadcastRelaying = "aaasessd-broadcast-relaying"

	// Like OursRelaying, to a TACACS+ server.
	OursTACACS = "aaasessd-tacacs"
)

// Relay is a running contender and the server behind it. Close ends both.
type Relay struct {
	Port     uint16        // for NASes
	Server   *Process      // the contender, whose CPU time counts
	Upstream *acknowledger // nil if there is none, or if it is the contender itself
	Second   *acknowledger // that of the second group; nil if there is none
	silent   []net.PacketConn
	Dir      string // its files
}

// Close ends everything by its id.
func (r *Relay) Close() {
	if r.Server != nil {
		r.Server.stop()
	}
	for _, a := range r.Behind() {
		a.stop()
	}
	for _, conn := range r.silent {
		_ = conn.Close()
	}
}

// Behind returns the acknowledgers behind the contender. Each gets every record.
func (r *Relay) Behind() (all []*acknowledger) {
	for _, a := range []*acknowledger{r.Upstream, r.Second} {
		if a != nil {
			all = append(all, a)
		}
	}
	return all
}

// OpenRelay starts a contender and returns when it answers. buffer is the receive buffer of the
// acknowledger behind it, in octets; 0 means the system's default.
func OpenRelay(ctx context.Context, h Host, who string, buffer int) (_ *Relay, err error) {
	r := &Relay{}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if who == PeerAcknowledger {
		a, err := StartAcknowledger(ctx, h, 0, buffer)
		if err != nil {
			return nil, err
		}
		r.Port, r.Server = a.port, a.Process
		return r, nil
	}
	if r.Dir, err = os.MkdirTemp(h.Dir, "relay-"); err != nil {
		return nil, err
	}
	if r.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	upstream, err := r.openUpstream(ctx, h, who, buffer)
	if err != nil {
		return nil, err
	}
	second, err := r.openSecond(ctx, h, who, buffer)
	if err != nil {
		return nil, err
	}
	if err := r.start(ctx, h, who, upstream, second); err != nil {
		return nil, err
	}
	return r, AwaitAnswer(ctx, r.Port, r.Server)
}

// openUpstream starts the server behind the contender and returns its port, or 0 if it has none.
func (r *Relay) openUpstream(ctx context.Context, h Host, who string, buffer int) (uint16, error) {
	switch who {
	case PeerDetail, PeerSyncer, OursNone:
		return 0, nil
	case OursSpooling, OursBroadcast:
		return r.listenSilently()
	}
	var err error
	if who == OursTACACS {
		r.Upstream, err = StartTACACS(ctx, h)
	} else {
		r.Upstream, err = StartAcknowledger(ctx, h, 0, buffer)
	}
	if err != nil {
		return 0, err
	}
	return r.Upstream.port, nil
}

// openSecond starts the server of the contender's second group and returns its port, or 0 if it has
// none.
func (r *Relay) openSecond(ctx context.Context, h Host, who string, buffer int) (port uint16, err error) {
	switch who {
	case OursBroadcast:
		return r.listenSilently()
	case OursBroadcastRelaying:
		if r.Second, err = StartAcknowledger(ctx, h, 0, buffer); err != nil {
			return 0, err
		}
		return r.Second.port, nil
	}
	return 0, nil
}

// listenSilently opens a socket that never answers, and returns its port.
func (r *Relay) listenSilently() (uint16, error) {
	conn, err := nasload.ListenLoopback(0)
	if err != nil {
		return 0, err
	}
	r.silent = append(r.silent, conn)
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// start starts the contender on r.Port.
func (r *Relay) start(ctx context.Context, h Host, who string, upstream, second uint16) (err error) {
	switch who {
	case OursSpooling, OursNone, OursRelaying, OursBroadcast, OursBroadcastRelaying, OursTACACS:
		r.Server, err = Daemon{Dir: r.Dir, Port: r.Port, Upstream: upstream, Second: second, TACACS: who == OursTACACS}.Start(ctx, h)
	case PeerSyncer:
		r.Server, err = h.start(ctx, filepath.Join(h.Dir, PeerSyncer), fmt.Sprint(r.Port), fmt.Sprint(LargeBuffer), filepath.Join(r.Dir, "requests"))
	case PeerDetail:
		r.Server, err = StartFreeRADIUS(ctx, h, r.Dir, WritesDetail, r.Port, upstream)
	case PeerProxy:
		r.Server, err = StartFreeRADIUS(ctx, h, r.Dir, proxiesLive, r.Port, upstream)
	case PeerRobust:
		r.Server, err = StartFreeRADIUS(ctx, h, r.Dir, proxiesRobust, r.Port, upstream)
	case PeerRadsec:
		r.Server, err = startRadsecproxy(ctx, h, r.Dir, radsecAccounting, r.Port, upstream)
	default:
		err = fmt.Errorf("bench: no contender %q", who)
	}
	return err
}

// findProgram finds a program, even if only root's path has it.
func findProgram(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	p, err := exec.LookPath(filepath.Join("/usr/sbin", name))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// StartFreeRADIUS writes the configuration of one kind into dir and starts FreeRADIUS with it.
// upstream is the port of the server behind it, 0 if there is none.
func StartFreeRADIUS(ctx context.Context, h Host, dir string, kind FreeRADIUSKind, port, upstream uint16) (*Process, error) {
	if err := writeFreeRADIUS(dir, kind, port, upstream); err != nil {
		return nil, err
	}
	program, err := findProgram("freeradius")
	if err != nil {
		return nil, err
	}
	return h.start(ctx, program, "-f", "-d", dir, "-n", "radiusd")
}

// radsecproxyConf relays from UDP to UDP: its port, the secret, the server's port, what it relays, the
// lowest level that it logs.
const radsecproxyConf = `ListenUDP 127.0.0.1:%[1]d
LogLevel %[5]d
client nas {
	host 127.0.0.0/8
	type udp
	secret %[2]s
}
server upstream {
	host 127.0.0.1
	port %[3]d
	type udp
	secret %[2]s
	StatusServer off
}
realm * {
	%[4]s upstream
}
`

// The options of radsecproxy that say what it relays, with the lowest level that it logs: warnings, or
// the default, notices. By default it logs every Access-Accept, but no Accounting-Response.
var (
	radsecLogins     = radsecKind{"server", 4}
	radsecAccounting = radsecKind{"accountingServer", 3}
)

type radsecKind struct {
	option string
	level  int
}

func startRadsecproxy(ctx context.Context, h Host, dir string, kind radsecKind, port, upstream uint16) (*Process, error) {
	file := filepath.Join(dir, "radsecproxy.conf")
	conf := fmt.Sprintf(radsecproxyConf, port, nasload.SharedSecret, upstream, kind.option, kind.level)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	program, err := findProgram("radsecproxy")
	if err != nil {
		return nil, err
	}
	return h.start(ctx, program, "-f", "-c", file)
}

// Daemon is an aaasessd with one list, and one or two groups with one server each.
type Daemon struct {
	Dir      string
	Port     uint16
	Upstream uint16 // port of the group's server; 0 means that no records are made
	Second   uint16 // port of the server of a second group that gets every record too; 0 for none
	TACACS   bool   // Upstream is a TACACS+ server
	AgentX   string // socket of the master agent, "" for none
	SNMP     uint16 // port of our own responder, 0 for none

	Disconnect uint16 // port of the NASes for Disconnect-Requests, 0 for the default; managers may SET then
	DynAuth    uint16 // port for Disconnect-Requests of the group's server, 0 for none
}

// daemonProgram is the file name of the program that BuildDaemon builds.
const daemonProgram = "aaasessd"

// BuildDaemon builds aaasessd into dir.
func BuildDaemon(ctx context.Context, dir string) error {
	if err := build(ctx, "go", "build", "-o", filepath.Join(dir, daemonProgram), "aaasess/cmd/aaasessd"); err != nil {
		return fmt.Errorf("bench: build %s: %w", daemonProgram, err)
	}
	return nil
}

// LocalSocket is the socket, in the folder of an aaasessd, on which programs of this host report.
const LocalSocket = "local"

// commandProgram is the file name of the program that BuildCommand builds.
const commandProgram = "aaasess"

// BuildCommand builds aaasess, the daemon's command line, into dir.
func BuildCommand(ctx context.Context, dir string) error {
	if err := build(ctx, "go", "build", "-o", filepath.Join(dir, commandProgram), "aaasess/cmd/aaasess"); err != nil {
		return fmt.Errorf("bench: build %s: %w", commandProgram, err)
	}
	return nil
}

// config returns its configuration file. Everything else is the default.
func (d Daemon) config() string {
	snmp, list, servers, groups, client, dynAuth := "", "record: none", "", "", "", ""
	if d.Upstream != 0 {
		list = "record: start-stop, methods: [group isp]"
	}
	if d.Second != 0 {
		list = "record: start-stop, broadcast: true, methods: [group isp, group second]"
		servers = fmt.Sprintf(", {name: second, address: 127.0.0.1, port: %d, secret: %s}", d.Second, nasload.SharedSecret)
		groups = ", {name: second, servers: [second]}"
	}
	if d.TACACS {
		return fmt.Sprintf(tacacsDaemonConf, d.Dir, d.Port, nasload.SharedSecret, d.Upstream)
	}
	if d.AgentX != "" {
		snmp = fmt.Sprintf("snmp: {agentx: {network: unix, address: %q}}\n", d.AgentX)
	}
	rights, disconnect := "groups: [{name: all, read: all}]", false
	if d.Disconnect != 0 {
		client = fmt.Sprintf(", disconnect: {port: %d}", d.Disconnect)
		rights, disconnect = "allow-insecure-set: true, groups: [{name: all, read: all, write: sessions}]", true
	}
	if d.DynAuth != 0 {
		dynAuth = fmt.Sprintf("  dynamic-authorization: {listen: [\"127.0.0.1:%d\"], servers: [{server: upstream}]}\n", d.DynAuth)
	}
	if d.SNMP != 0 {
		snmp = fmt.Sprintf("snmp: {session-mib-disconnect: %t, responder: {listen: [\"127.0.0.1:%d\"], %s, "+
			"communities: [{community: public, group: all, from: [127.0.0.0/8]}]}}\n", disconnect, d.SNMP, rights)
	}
	return fmt.Sprintf(`state: %[1]s/state
log: {level: warn}
control: {socket: %[1]s/control}
local: {socket: %[1]s/`+LocalSocket+`}
radius:
  accounting: {listen: ["127.0.0.1:%[2]d"]}
  clients: [{name: nas, address: 127.0.0.0/8, secret: %[3]s%[9]s}]
  servers: [{name: upstream, address: 127.0.0.1, port: %[4]d, secret: %[3]s}%[7]s]
  groups: [{name: isp, servers: [upstream]}%[8]s]
%[10]saccounting:
  network: {default: {%[5]s}}
%[6]s`, d.Dir, d.Port, nasload.SharedSecret, max(d.Upstream, 1), list, snmp, servers, groups, client, dynAuth)
}

// tacacsDaemonConf relays to a TACACS+ server: the folder, the port, the secret and the key, the
// server's port.
const tacacsDaemonConf = `state: %[1]s/state
log: {level: warn}
control: {socket: %[1]s/control}
radius:
  accounting: {listen: ["127.0.0.1:%[2]d"]}
  clients: [{name: nas, address: 127.0.0.0/8, secret: %[3]s}]
tacacs:
  servers: [{name: upstream, address: 127.0.0.1, port: %[4]d, key: %[3]s, single-connection: true}]
  groups: [{name: isp, servers: [upstream]}]
accounting:
  network: {default: {record: start-stop, methods: [group isp]}}
`

// Start starts it. It loads the state in Dir, if there is one.
func (d Daemon) Start(ctx context.Context, h Host) (*Process, error) {
	file := filepath.Join(d.Dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(d.config()), 0o600); err != nil {
		return nil, err
	}
	return h.start(ctx, filepath.Join(h.Dir, daemonProgram), "--config", file)
}
