package accounting

// Hold is whether a [Deliverer] may send (R63: a group that must be told first that we are here).
type Hold uint8

const (
	// Open is that records are sent.
	Open Hold = iota
	// Held is that nothing is sent, and nothing goes on to a next method.
	Held
	// Away is that nothing is sent, and that what has a next method goes there.
	Away
)

// String names the hold: "open", "held" or "away".
func (h Hold) String() string {
	switch h {
	case Held:
		return "held"
	case Away:
		return "away"
	}
	return "open"
}

// SetHold has the Deliverer send, or keep from it. What is under way goes on. With Open a method
// that was down gets its chance at once.
func (d *Deliverer) SetHold(h Hold) {
	d.mu.Lock()
	d.wantedHold = h
	d.mu.Unlock()
	d.poke()
}

// changeHold takes over what SetHold said.
func (d *Deliverer) changeHold(h Hold) {
	if h == d.hold {
		return
	}
	d.hold = h
	d.beginDrain()
	d.lanes.ready.passed, d.lanes.overdue.passed = 0, 0
	switch {
	case h == Away:
		d.releaseProbe()
		d.lanes.wakeLater()
	case h == Open && d.health.isDown():
		d.releaseProbe()
		d.health = health{window: 1, answers: d.health.answers}
		d.count.DownSince = d.health.down
		d.lanes.wakeLater()
	}
}
