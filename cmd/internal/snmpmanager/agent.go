package snmpmanager

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gosnmp/gosnmp"
)

// tries is how often a request is sent until its timeout. Every request has the same effect when an
// agent receives it twice, so a lost reply does no harm.
const tries = 3

// Agent is a connection to one agent. One goroutine at a time uses it.
type Agent struct {
	ctx   context.Context
	snmp  *gosnmp.GoSNMP
	conn  *recorder
	unset func() bool
}

// recorder is a connection that keeps the last datagram. The library rejects reports that are not
// authenticated, as RFC 3414 wants them to be, but does not return them, and they say what is wrong
// with a user or a password.
type recorder struct {
	net.Conn
	last []byte
}

// Read implements net.Conn.
func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.last = append(r.last[:0], b[:n]...)
	return n, err
}

// report returns the name of the object in the last datagram if that is a report without
// authentication; else "". Anybody could have sent it, so it may only explain an error.
func (r *recorder) report() string {
	decoder := &gosnmp.GoSNMP{
		Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.NoAuthNoPriv,
		SecurityParameters: &gosnmp.UsmSecurityParameters{UserName: "any"},
	}
	p, err := decoder.SnmpDecodePacket(r.last)
	if err != nil || p.PDUType != gosnmp.Report || len(p.Variables) != 1 {
		return ""
	}
	return p.Variables[0].Name
}

// Open prepares requests to an agent, each of which fails with [ErrNoAnswer] when the agent has not
// answered within timeout. The requests end with ctx. Open sends nothing, but may look up a name.
func Open(ctx context.Context, t Target, c Credentials, timeout time.Duration) (*Agent, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	snmp := &gosnmp.GoSNMP{
		Target: t.Host, Port: t.Port, Transport: "udp", Context: ctx,
		Timeout: max(timeout/tries, time.Millisecond), Retries: tries - 1, MaxOids: gosnmp.MaxOids,
	}
	c.set(snmp)
	if err := snmp.Connect(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	a := &Agent{ctx: ctx, snmp: snmp, conn: &recorder{Conn: snmp.Conn}}
	snmp.Conn = a.conn
	// The library waits for a reply until its own deadline, whatever the context says.
	a.unset = context.AfterFunc(ctx, func() { a.conn.Close() })
	return a, nil
}

// Close closes the socket.
func (a *Agent) Close() {
	a.unset()
	a.conn.Close()
}

// request sends a request and returns the variables of the reply.
func (a *Agent) request(send func() (*gosnmp.SnmpPacket, error)) ([]gosnmp.SnmpPDU, error) {
	reply, err := send()
	switch {
	case err != nil:
		return nil, a.explain(err)
	case reply.PDUType == gosnmp.Report:
		return nil, fmt.Errorf("%w: the agent reports an error again after it was mended", ErrRefused)
	case reply.PDUType != gosnmp.GetResponse:
		return nil, fmt.Errorf("%w: PDU type %#x instead of a Response", ErrInvalid, byte(reply.PDUType))
	case reply.Error != gosnmp.NoError:
		return nil, &StatusError{reply.Error}
	}
	return reply.Variables, nil
}

// get requests objects by name, in one request, and returns their values in that order.
func (a *Agent) get(names []string) ([]gosnmp.SnmpPDU, error) {
	vars, err := a.request(func() (*gosnmp.SnmpPacket, error) { return a.snmp.Get(names) })
	if err != nil {
		return nil, err
	}
	if len(vars) != len(names) {
		return nil, fmt.Errorf("%w: %d variables for %d names", ErrInvalid, len(vars), len(names))
	}
	for i, v := range vars {
		if v.Name != names[i] {
			return nil, fmt.Errorf("%w: %s instead of %s", ErrInvalid, v.Name, names[i])
		}
	}
	return vars, nil
}

// Disconnect makes the agent end a session: casnDisconnect is true then, and nothing cancels it. The
// error is a *[StatusError] if the agent rejects it.
func (a *Agent) Disconnect(number uint32) error {
	name := fmt.Sprintf("%s.%d.%d", entry, columnDisconnect, number)
	_, err := a.request(func() (*gosnmp.SnmpPacket, error) {
		return a.snmp.Set([]gosnmp.SnmpPDU{{Name: name, Type: gosnmp.Integer, Value: truthTrue}})
	})
	return err
}
