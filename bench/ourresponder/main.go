// Command ourresponder serves casnActiveTable, and the tables of as many servers, with this
// module's packages, without a master, as the daemon does. It is compared with the responders in
// bench/stand/peers:
//
//	ourresponder -port PORT -rows N -engine FILE -password PASSWORD
//
// It listens on 127.0.0.1, has the rows of bench/stand/peers/rows.h and no rate limits. The
// community "public", and the user "bench" with authPriv, may read everything. Nothing can be set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/bench/rows"
	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/mib/cas"
	"aaasess/mib/casn"
	"aaasess/mib/radiusclient"
)

// config is the command line.
type config struct {
	port     uint16
	rows     uint32
	engine   string // file
	password string // of the user, for both protocols
}

func main() {
	port := flag.Uint("port", 0, "UDP `port` on 127.0.0.1")
	n := flag.Uint("rows", 1000, "`sessions` in the table")
	engine := flag.String("engine", "", "`file` with the engine's state")
	password := flag.String("password", "", "`password` of the user bench, for authentication (SHA) and privacy (AES-128)")
	flag.Parse()
	if err := run(config{uint16(*port), uint32(*n), *engine, *password}); err != nil {
		fmt.Fprintln(os.Stderr, "ourresponder:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM or an interrupt.
func run(c config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := newResponder(c)
	if err != nil {
		return err
	}
	return errors.Join(r.Run(ctx), r.Close())
}

func newResponder(c config) (*snmp.Responder, error) {
	table, err := rows.Fill(c.rows)
	if err != nil {
		return nil, err
	}
	engine, err := usm.OpenEngine(c.engine, nil, time.Now)
	if err != nil {
		return nil, err
	}
	secret := usm.Secret{Password: c.password}
	users, err := usm.NewUsers(engine.ID(), []usm.User{{
		Name: user, Auth: usm.HMACSHA, AuthSecret: secret, Priv: usm.AES128, PrivSecret: secret,
	}}, nil)
	if err != nil {
		return nil, err
	}
	policy, err := readAll()
	if err != nil {
		return nil, err
	}
	all := rows.Servers(c.rows)
	view := func() *servers.View { return all }
	off := func() bool { return false }
	return snmp.New(snmp.Config{
		Listen: []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), c.port)},
		Engine: engine, USM: usm.New(engine, users),
		System: snmpmib.System{Descr: "bench-ours"},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}, policy,
		casn.New(casn.Config{}, table, nil), // nothing can be set, so no terminator
		cas.New(cas.Config{View: view, StateChangeEnabled: off}), radiusclient.NewAcc(view), radiusclient.NewAuth(view))
}

// The user and the community that may read.
const (
	user      = "bench"
	community = "public"
)

// readAll lets the user and the community read everything, as snmpd's rouser and rocommunity do.
func readAll() (*vacm.Policy, error) {
	const group = "readers"
	all, err := vacm.NewView("all", []vacm.Family{{Subtree: mib.MustOID("1.3.6.1")}})
	if err != nil {
		return nil, err
	}
	return vacm.New([]*vacm.View{all},
		[]vacm.AccessEntry{
			{Group: group, Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all},
			{Group: group, Model: wire.ModelUSM, Level: wire.AuthPriv, Read: all},
		},
		[]vacm.Member{
			{Model: wire.ModelV2c, SecurityName: community, Group: group},
			{Model: wire.ModelUSM, SecurityName: user, Group: group},
		},
		[]vacm.Community{{Name: community, SecurityName: community}})
}
