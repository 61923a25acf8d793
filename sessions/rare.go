package sessions

// more is what few sessions have, so that a million of them need no memory for it. It never changes:
// states of the session share it.
type more struct {
	former []*nasNode // see formerNodes
	end    *Ending    // see End
	link   *link      // its own interface of this host; see HasLink
}

// setMore changes what few sessions have.
func (s *Session) setMore(set func(*more)) {
	var m more
	if s.more != nil {
		m = *s.more
	}
	set(&m)
	if s.more = nil; m.former != nil || m.end != nil || m.link != nil {
		s.more = &m
	}
}

// few reads what few sessions have, but for the former NASes.
func (d *decoder) few(flags byte, s *Session) {
	s.setEnd(d.ending(flags))
	d.link(flags, s)
}

// formerNodes returns the former NAS values of the session's packets.
func (s *Session) formerNodes() []*nasNode {
	if s.more == nil {
		return nil
	}
	return s.more.former
}

func (s *Session) setFormerNodes(nodes []*nasNode) {
	if len(nodes) == 0 && s.formerNodes() == nil {
		return
	}
	s.setMore(func(m *more) {
		if m.former = nil; len(nodes) > 0 {
			m.former = nodes
		}
	})
}

// End says how the session is ended; nil if its NAS is asked. A remembered session does not have it.
func (s *Session) End() *Ending {
	if s.more == nil {
		return nil
	}
	return s.more.end
}

func (s *Session) setEnd(e *Ending) {
	if e != s.End() {
		s.setMore(func(m *more) { m.end = e })
	}
}
