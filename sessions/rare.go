package sessions

// rare is what few sessions have, so that a million of them need no memory for it. It never changes:
// states of the session share it.
type rare struct {
	former []*nasNode // see formerNodes
	end    *Ending    // see End
	link   *link      // its own interface of this host; see HasLink
}

// setRare changes what few sessions have.
func (s *Session) setRare(set func(*rare)) {
	var r rare
	if s.rare != nil {
		r = *s.rare
	}
	set(&r)
	if s.rare = nil; r.former != nil || r.end != nil || r.link != nil {
		s.rare = &r
	}
}

// rare reads what few sessions have, except the former NASes.
func (d *decoder) rare(flags byte, s *Session) {
	s.setEnd(d.ending(flags))
	d.link(flags, s)
}

// formerNodes returns the former NAS values of the session's packets.
func (s *Session) formerNodes() []*nasNode {
	if s.rare == nil {
		return nil
	}
	return s.rare.former
}

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
func (s *Session) End() *Ending {
	if s.rare == nil {
		return nil
	}
	return s.rare.end
}

func (s *Session) setEnd(e *Ending) {
	if e != s.End() {
		s.setRare(func(r *rare) { r.end = e })
	}
}
