package sessions

// rare is what most sessions do not have, so they need no memory for it. One with any of it needs 80 octets
// more; with interims of ours, or nested accounting, many do. It never changes: states share it.
type rare struct {
	former      []*nasNode // see formerNodes
	end         *Ending    // see End
	link        *link      // its own interface of this host; see HasLink
	acked       Stamp      // see Acked, and so on
	revived     Stamp
	told        Stamp
	parent      ID
	ifIndex     uint32
	portIfIndex uint32
}

var nothingRare rare

// rarely returns what most sessions do not have. It must not be changed.
func (s *Session) rarely() *rare {
	if s.rare == nil {
		return &nothingRare
	}
	return s.rare
}

// setRare changes it. It allocates memory, even if nothing changes.
func (s *Session) setRare(set func(*rare)) {
	r := *s.rarely()
	set(&r)
	if s.rare = nil; !r.isEmpty() {
		s.rare = &r
	}
}

func (r *rare) isEmpty() bool {
	return r.former == nil && r.end == nil && r.link == nil && r.acked|r.revived|r.told == 0 && uint32(r.parent)|r.ifIndex|r.portIfIndex == 0
}

// rareStamps reads the times that the flags announce: of the ACK, the revival and our newest interim.
func (d *decoder) rareStamps(flags, more byte, s *Session) {
	acked := d.stampIf(flags&flagAcked != 0, s.Started)
	revived := d.stampIf(flags&flagRevived != 0, s.Started)
	told := d.stampIf(more&moreTold != 0, s.Started)
	if acked != 0 || revived != 0 || told != 0 {
		s.setRare(func(r *rare) { r.acked, r.revived, r.told = acked, revived, told })
	}
}

// Acked returns when, on the table's clock, the NAS sent an ACK to a Disconnect-Request, or we ended the
// session for an operator; 0 if neither has happened. From then on the cause of its stop is ours (R5).
func (s *Session) Acked() Stamp { return s.rarely().acked }

func (s *Session) setAcked(at Stamp) { s.setRare(func(r *rare) { r.acked = at }) }

// Revived returns when an interim last showed that the session, ended in the table, is alive; 0 if none has.
func (s *Session) Revived() Stamp { return s.rarely().revived }

// Told returns the time of the newest interim that we made, which says that the session lives; 0 if we
// made none.
func (s *Session) Told() Stamp { return s.rarely().told }

// SetTold sets what Told returns. Nobody else may have s yet: a session in a table never changes.
func (s *Session) SetTold(at Stamp) { s.setRare(func(r *rare) { r.told = at }) }

// Parent returns the exec session from which the user has started this one, if accounting is nested (see
// [Table.SetNested]), else 0. The records of both are one order.
func (s *Session) Parent() ID { return s.rarely().parent }

// SetParent sets what Parent returns, as SetTold does.
func (s *Session) SetParent(id ID) { s.setRare(func(r *rare) { r.parent = id }) }

// IfIndex returns casnVaiIfIndex: the ifIndex of the session's own interface, 0 if it has none on this host.
func (s *Session) IfIndex() uint32 { return s.rarely().ifIndex }

// PortIfIndex returns casnNasPort: the ifIndex of the port that carries the session, 0 if it is not known.
func (s *Session) PortIfIndex() uint32 { return s.rarely().portIfIndex }

func (s *Session) setIfIndexes(own, port uint32) {
	if own != s.IfIndex() || port != s.PortIfIndex() {
		s.setRare(func(r *rare) { r.ifIndex, r.portIfIndex = own, port })
	}
}

// formerNodes returns the former NAS values of the session's packets.
func (s *Session) formerNodes() []*nasNode { return s.rarely().former }

func (s *Session) setFormerNodes(nodes []*nasNode) {
	if len(nodes) == 0 && s.formerNodes() == nil {
		return
	}
	s.setRare(func(r *rare) {
		if r.former = nil; len(nodes) > 0 {
			r.former = nodes
		}
	})
}

// End says how the session is ended; nil if its NAS is asked. A remembered session does not have it.
func (s *Session) End() *Ending { return s.rarely().end }

func (s *Session) setEnd(e *Ending) {
	if e != s.End() {
		s.setRare(func(r *rare) { r.end = e })
	}
}
