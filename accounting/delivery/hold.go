package delivery

// Hold says whether a method may get records (R63: a server group must first acknowledge that this
// NAS is on).
type Hold uint8

const (
	// Open means that records are sent.
	Open Hold = iota
	// Held means that nothing is sent and that nothing goes to the next method.
	Held
	// Away means that nothing is sent and that a record with a next method goes there.
	Away
)

// String returns "open", "held" or "away".
func (h Hold) String() string {
	switch h {
	case Held:
		return "held"
	case Away:
		return "away"
	}
	return "open"
}

// changeHold applies the value of SetHold.
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
	d.placeAgain(m)
}
