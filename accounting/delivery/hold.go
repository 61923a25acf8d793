package delivery

import "time"

// Hold is whether a method may get records (R63: a group that must be told first that we are here).
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

// changeHold takes over what SetHold said.
func (d *Delivery) changeHold(m *method, h Hold) {
	if h == m.hold {
		return
	}
	m.hold = h
	d.beginDrain(m)
	if h == Open && m.health.isDown() {
		m.probe, m.extra, m.finder, m.extraAt = nil, nil, nil, time.Time{}
		m.health = health{window: 1, answers: m.health.answers}
	}
	d.changed(m)
}
