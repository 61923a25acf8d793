// Package managertest has an SNMPv2c agent with casnActiveTable (CISCO-AAA-SESSION-MIB) for tests of
// managers. It can break every rule that a real agent keeps.
package managertest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gosnmp/gosnmp"
)

// Row is a row of casnActiveTable.
type Row struct {
	User       string
	Address    string // "" for none
	Idle       uint32
	Disconnect bool
	Port       string // an OID; "" for 0.0
	IfIndex    int
}

// Agent is an agent at a port of the loopback interface.
type Agent struct {
	Addr string // host:port

	community string
	conn      net.PacketConn
	done      chan struct{}

	mu   sync.Mutex
	rows map[uint32]Row
	sets []uint32

	// These may be set before the first request, or with Change.
	Refuse    map[uint32]gosnmp.SNMPError // error-status of a SET, by session
	Silent    bool                        // it does not answer
	NoMIB     bool                        // it has no objects at all
	NoScalars bool                        // it has the table only
	MaxVars   int                         // it shortens the reply to a GETBULK to these variables; 0: to 1000
	// Spoil, if not nil, changes a reply before it is encoded.
	Spoil func(reply *gosnmp.SnmpPacket)
	// Garble, if not nil, changes the octets of a reply.
	Garble func([]byte) []byte
}

// Start starts an agent that answers a community. A SET of casnDisconnect to true makes it true.
func Start(community string, rows map[uint32]Row) (*Agent, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &Agent{Addr: conn.LocalAddr().String(), community: community, conn: conn, done: make(chan struct{}), rows: rows}
	go a.serve()
	return a, nil
}

// Close ends the agent.
func (a *Agent) Close() {
	a.conn.Close()
	<-a.done
}

// Change changes the agent between two requests.
func (a *Agent) Change(change func(*Agent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// SetRows replaces the table. It may be called by a function that Change calls.
func (a *Agent) SetRows(rows map[uint32]Row) { a.rows = rows }

// Sets returns the sessions whose casnDisconnect has become true, in the order of the SETs.
func (a *Agent) Sets() []uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sets)
}

func (a *Agent) serve() {
	defer close(a.done)
	in := make([]byte, 65535)
	for {
		n, from, err := a.conn.ReadFrom(in)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of a client that is gone
		}
		if out := a.answer(slices.Clone(in[:n])); out != nil {
			_, _ = a.conn.WriteTo(out, from)
		}
	}
}

// answer returns the reply to a message; nil for none.
func (a *Agent) answer(in []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	req, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(in)
	if err != nil || a.Silent || req.Version != gosnmp.Version2c || req.Community != a.community {
		return nil
	}
	reply := &gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: req.Community, PDUType: gosnmp.GetResponse, RequestID: req.RequestID}
	switch req.PDUType {
	case gosnmp.GetRequest:
		for _, v := range req.Variables {
			reply.Variables = append(reply.Variables, a.get(v.Name))
		}
	case gosnmp.GetBulkRequest:
		reply.Variables = a.bulk(req)
	case gosnmp.SetRequest:
		reply.Error, reply.Variables = a.set(req.Variables[0]), req.Variables
		if reply.Error != gosnmp.NoError {
			reply.ErrorIndex = 1
		}
	default:
		return nil
	}
	if a.Spoil != nil {
		a.Spoil(reply)
	}
	out, err := reply.MarshalMsg()
	if err != nil {
		panic(fmt.Sprintf("a reply cannot be encoded: %v", err))
	}
	if a.Garble != nil {
		out = a.Garble(out)
	}
	return out
}

const (
	casn  = ".1.3.6.1.4.1.9.9.150.1"
	entry = casn + ".1.3.1"
)

// cells returns all variables in their order.
func (a *Agent) cells() (out []gosnmp.SnmpPDU) {
	if a.NoMIB {
		return nil
	}
	add := func(name string, t gosnmp.Asn1BER, v any) {
		out = append(out, gosnmp.SnmpPDU{Name: name, Type: t, Value: v})
	}
	if !a.NoScalars {
		add(casn+".1.1.0", gosnmp.Gauge32, uint32(len(a.rows)))
		add(casn+".1.2.0", gosnmp.Gauge32, uint32(1000))
		add(casn+".2.1.0", gosnmp.Counter32, uint32(2000))
		add(casn+".2.2.0", gosnmp.Counter32, uint32(len(a.sets)))
	}
	for n, r := range a.rows {
		cell := func(col int, t gosnmp.Asn1BER, v any) { add(fmt.Sprintf("%s.%d.%d", entry, col, n), t, v) }
		address, port, disconnect := r.Address, r.Port, 2
		if address == "" {
			address = "0.0.0.0"
		}
		if port == "" {
			port = ".0.0"
		}
		if r.Disconnect {
			disconnect = 1
		}
		cell(2, gosnmp.OctetString, []byte(r.User))
		cell(3, gosnmp.IPAddress, address)
		cell(4, gosnmp.Gauge32, r.Idle)
		cell(5, gosnmp.Integer, disconnect)
		cell(6, gosnmp.Gauge32, uint32(0))
		cell(7, gosnmp.ObjectIdentifier, port)
		cell(8, gosnmp.Integer, r.IfIndex)
	}
	slices.SortFunc(out, func(x, y gosnmp.SnmpPDU) int { return slices.Compare(arcs(x.Name), arcs(y.Name)) })
	return out
}

// arcs returns the numbers of an OID.
func arcs(name string) []uint64 {
	var out []uint64
	for part := range strings.SplitSeq(strings.TrimPrefix(name, "."), ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			panic(err)
		}
		out = append(out, n)
	}
	return out
}

func (a *Agent) get(name string) gosnmp.SnmpPDU {
	for _, c := range a.cells() {
		if c.Name == name {
			return c
		}
	}
	return gosnmp.SnmpPDU{Name: name, Type: gosnmp.NoSuchInstance}
}

func (a *Agent) bulk(req *gosnmp.SnmpPacket) (out []gosnmp.SnmpPDU) {
	cells := a.cells()
	most := a.MaxVars
	if most == 0 {
		most = 1000
	}
	names := make([]string, len(req.Variables))
	for i, v := range req.Variables {
		names[i] = v.Name
	}
	for range req.MaxRepetitions {
		for i, name := range names {
			if len(out) == most {
				return out
			}
			next := gosnmp.SnmpPDU{Name: name, Type: gosnmp.EndOfMibView}
			at := arcs(name)
			if j := slices.IndexFunc(cells, func(c gosnmp.SnmpPDU) bool { return slices.Compare(arcs(c.Name), at) > 0 }); j >= 0 {
				next = cells[j]
			}
			out = append(out, next)
			names[i] = next.Name
		}
	}
	return out
}

func (a *Agent) set(v gosnmp.SnmpPDU) gosnmp.SNMPError {
	index, ok := strings.CutPrefix(v.Name, entry+".5.")
	n, err := strconv.ParseUint(index, 10, 32)
	id := uint32(n)
	row, there := a.rows[id]
	switch status := a.Refuse[id]; {
	case !ok || err != nil:
		return gosnmp.NotWritable
	case status != gosnmp.NoError:
		return status
	case !there:
		return gosnmp.NoCreation
	case v.Type != gosnmp.Integer || v.Value != 1:
		return gosnmp.WrongValue
	}
	row.Disconnect = true
	a.rows[id] = row
	a.sets = append(a.sets, id)
	return gosnmp.NoError
}
