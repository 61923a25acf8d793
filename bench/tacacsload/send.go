package tacacsload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nwaples/tacplus"

	"aaasess/bench/nasload"
	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// The contenders.
const (
	Tacplus = "tacplus, 16 connections"
	One     = "aaasess, 1 connection"
	Four    = "aaasess, 4 connections"
	Canned  = "canned packets, 4 connections"
)

// Contenders are in the order in which they are measured.
var Contenders = []string{Tacplus, One, Four, Canned}

// InFlight is how many records wait for an answer, except with Canned: the default window of a
// group.
const InFlight = tacclient.DefaultMaxInFlight

// Send sends n records to a server and returns the time until all are acknowledged.
func Send(ctx context.Context, who string, to netip.AddrPort, n int) (time.Duration, error) {
	switch who {
	case Tacplus:
		return sendTacplus(ctx, to, n)
	case One:
		return sendOurs(ctx, to, n, 1)
	case Four:
		return sendOurs(ctx, to, n, 4)
	}
	return sendCanned(to, n)
}

// start is the START record of session i.
func start(i int) tacacs.AcctRequest {
	return tacacs.AcctRequest{
		Flags: tacacs.AcctFlagStart, AuthenMethod: tacacs.AuthenMethodRADIUS, PrivLvl: tacacs.PrivLvlUser, AuthenType: tacacs.AuthenTypeNotSet, AuthenService: tacacs.AuthenServicePPP,
		User: nasload.UserName(i), Port: fmt.Sprint(i), RemAddr: "02-00-00-00-00-01",
		Args: []string{fmt.Sprintf("task_id=%d", i), "timezone=UTC", "service=ppp", "protocol=ip", "addr=10.0.0.1", "start_time=1800000000", "priv-lvl=1", "event=net_acct"},
	}
}

// record is a record that our client sends.
type record struct {
	request tacacs.AcctRequest
	number  int
	done    chan<- error
}

// Accounting implements tacclient.Request.
func (r *record) Accounting(time.Time) tacacs.AcctRequest { return r.request }

// Record implements tacclient.Request.
func (r *record) Record() any { return r.number }

// Session implements tacclient.Request.
func (*record) Session() string { return "" }

// Done implements tacclient.Request.
func (r *record) Done(_ string, err error) { r.done <- err }

// sendOurs sends n records with our client, and returns when all are acknowledged.
func sendOurs(ctx context.Context, to netip.AddrPort, n, connections int) (took time.Duration, err error) {
	id := tacclient.Identity{Host: to.Addr().String(), Port: to.Port(), Key: Key}
	g, err := tacclient.New(tacclient.Config{}).NewGroup(tacclient.GroupConfig{
		Name: "bench", MaxInFlight: InFlight,
		Members: []tacclient.Member{{Identity: id, SingleConnection: true, Connections: connections}},
	})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = g.Run(ctx) })
	<-g.Ready()
	done := make(chan error, InFlight)
	records := make([]record, n)
	for i := range records {
		records[i] = record{start(i), i, done}
	}
	begin := time.Now()
	for i := range n {
		if i >= InFlight {
			err = errors.Join(err, <-done)
		}
		g.Send(&records[i], retry.Progress{})
	}
	for range min(n, InFlight) {
		err = errors.Join(err, <-done)
	}
	return time.Since(begin), err
}

// sendTacplus sends n records with 16 clients of nwaples/tacplus.
func sendTacplus(ctx context.Context, to netip.AddrPort, n int) (time.Duration, error) {
	const connections = 16
	requests := make([]tacplus.AcctRequest, n)
	for i := range requests {
		r := start(i)
		requests[i] = tacplus.AcctRequest{
			Flags: uint8(r.Flags), AuthenMethod: r.AuthenMethod, PrivLvl: r.PrivLvl, AuthenType: r.AuthenType, AuthenService: r.AuthenService,
			User: r.User, Port: r.Port, RemAddr: r.RemAddr, Arg: r.Args,
		}
	}
	var next, failed atomic.Int64
	var senders sync.WaitGroup
	begin := time.Now()
	for range connections {
		client := &tacplus.Client{Addr: to.String(), ConnConfig: tacplus.ConnConfig{Mux: true, Secret: []byte(Key)}}
		defer client.Close()
		one := func() bool {
			i := next.Add(1) - 1
			if i >= int64(n) {
				return false
			}
			if r, err := client.SendAcctRequest(ctx, &requests[i]); err != nil || r.Status != tacplus.AcctStatusSuccess {
				failed.Add(1)
			}
			return true
		}
		senders.Go(func() {
			if !one() { // the first answer says that the server keeps the connection
				return
			}
			for range InFlight / connections {
				senders.Go(func() {
					for one() {
					}
				})
			}
		})
	}
	senders.Wait()
	if f := failed.Load(); f > 0 {
		return 0, fmt.Errorf("tacplus: %d of %d records failed", f, n)
	}
	return time.Since(begin), nil
}

// sendCanned writes n encoded records on four connections, and returns when as many answers have
// arrived.
func sendCanned(to netip.AddrPort, n int) (time.Duration, error) {
	const connections = 4
	var canned [connections][]byte
	var answers [connections]int64 // in octets
	for i := range n {
		r := start(i)
		body, err := tacacs.AppendAcctRequest(nil, &r)
		if err != nil {
			return 0, err
		}
		h := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: 1, Flags: tacacs.FlagSingleConnect, Session: uint32(i), Length: uint32(len(body))}
		tacacs.Obfuscate(body, h, Key)
		canned[i%connections] = append(tacacs.AppendHeader(canned[i%connections], h), body...)
		answers[i%connections] += answerLen
	}
	begin := time.Now()
	errs := make([]error, connections)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			c, err := net.Dial("tcp", to.String())
			if err != nil {
				errs[i] = err
				return
			}
			defer c.Close()
			all.Go(func() { _, _ = c.Write(canned[i]) }) // the count of answers shows its success
			_, errs[i] = io.CopyN(io.Discard, c, answers[i])
		})
	}
	all.Wait()
	return time.Since(begin), errors.Join(errs...)
}
