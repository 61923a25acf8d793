package client

import (
	"aaasess/internal/retry"
	"aaasess/internal/udpbatch"
)

// Batch sends requests whose packets leave with few system calls. It belongs to one goroutine, which
// calls Flush soon: until then packets wait.
type Batch struct {
	group   *Group
	packets []packet // at most udpbatch.SenderPackets
	octets  []byte   // of the packets
	same    [][]byte // packets of one Conn
}

// packet is a packet that waits.
type packet struct {
	exchange *exchange
	prepared preparedTransmission
	octets   []byte
}

// Batch returns an empty Batch.
func (g *Group) Batch() *Batch {
	b, _ := g.client.batches.Get().(*Batch)
	if b == nil {
		b = &Batch{octets: make([]byte, 0, udpbatch.SenderOctets)}
	}
	b.group = g
	return b
}

// Send is [Group.Send].
func (b *Batch) Send(req Request, at retry.Progress) { b.group.send(newExchange(b.group, req, at), b) }

// SendTo is [Group.SendTo].
func (b *Batch) SendTo(server string, req Request) { b.group.sendTo(server, req, b) }

// Group returns the group of the requests.
func (b *Batch) Group() *Group { return b.group }

// Flush sends the packets that wait, and ends the Batch.
func (b *Batch) Flush() {
	c := b.group.client
	b.send()
	b.group = nil
	c.batches.Put(b)
}

// add adds a packet, which it copies.
func (b *Batch) add(x *exchange, t *preparedTransmission, octets []byte) {
	if len(b.packets) == udpbatch.SenderPackets || len(b.octets)+len(octets) > udpbatch.SenderOctets {
		b.send()
	}
	at := len(b.octets)
	b.octets = append(b.octets, octets...)
	b.packets = append(b.packets, packet{x, *t, b.octets[at:]})
}

// send sends the packets that wait.
func (b *Batch) send() {
	for first := 0; first < len(b.packets); {
		conn, next := b.packets[first].prepared.conn, first+1
		for next < len(b.packets) && b.packets[next].prepared.conn == conn {
			next++
		}
		b.sendOn(conn, b.packets[first:next])
		first = next
	}
	clear(b.packets)
	b.packets, b.octets = b.packets[:0], b.octets[:0]
}

// sendOn sends packets of one Conn.
func (b *Batch) sendOn(conn Conn, packets []packet) {
	sent := func(i int, err error) {
		p := &packets[i]
		b.group.client.sent(p.exchange, &p.prepared, p.octets, err)
	}
	if udp, ok := conn.(*udpConn); ok && udp.out != nil && len(packets) > 1 {
		b.same = b.same[:0]
		for i := range packets {
			b.same = append(b.same, packets[i].octets)
		}
		udp.out.SendAll(b.same, udp.server, sent)
		return
	}
	for i := range packets {
		sent(i, conn.Send(packets[i].octets))
	}
}
