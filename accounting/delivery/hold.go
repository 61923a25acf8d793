package delivery

// Hold is whether a method may get records (R63: a group that must be told first that we are here).
type Hold uint8

const (
	// Open: records are sent.
	Open Hold = iota
	// Held: nothing is sent, and nothing goes to a next method.
	Held
	// Away: nothing is sent, and what has a next method goes there.
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

// changeHold takes over what SetHold said.
func (d *Delivery) changeHold(m *method, h Hold) {
	if h == m.hold {
		return
	}
	m.hold = h
	d.beginDrain(m)
	if h == Open && m.health.isDown() {
		m.probing.reset()
		m.health = health{window: 1, answers: m.health.answers}
	}
	d.changed(m)
}
