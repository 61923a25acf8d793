package sessions

// Usage is what a session has used so far.
type Usage struct {
	InputOctets, OutputOctets   uint64 // from and to the user
	InputPackets, OutputPackets uint64
	SessionTime                 uint32 // seconds
}

// UsageFields is a set of the parts of a [Usage].
type UsageFields uint8

// The parts of a Usage.
const (
	InputOctets UsageFields = 1 << iota
	OutputOctets
	InputPackets
	OutputPackets
	SessionTime

	WholeUsage = InputOctets | OutputOctets | InputPackets | OutputPackets | SessionTime
)

// all yields the counters, each with its part of a UsageFields, in the order of these.
func (u *Usage) counters() [4]*uint64 {
	return [...]*uint64{&u.InputOctets, &u.OutputOctets, &u.InputPackets, &u.OutputPackets}
}

// wraps is from where a counter of 32 bits may have wrapped when it is lower the next time: NASes without
// Acct-Input-Gigawords (RFC 2869 section 5.1) have no more bits, and packet counters have none anywhere.
const wrapsFrom = 3 << 30

// after is what has been used after an event, and whether user data has flown. What the event does not tell stays as it
// was. A counter that is lower has wrapped if it was near 2^32; otherwise the larger value stays.
func (u Usage) updatedBy(ev *Event) (used Usage, flown bool) {
	sent := ev.Usage
	for i, is := range sent.counters() {
		if ev.Sent>>i&1 == 0 {
			continue
		}
		was := u.counters()[i]
		if *is > *was || *is < *was && *was >= wrapsFrom && *was < 1<<32 && *is < 1<<30 {
			*was, flown = *is, true
		}
	}
	if ev.Sent&SessionTime != 0 {
		u.SessionTime = max(u.SessionTime, ev.Usage.SessionTime)
	}
	return u, flown
}

// exceeds reports whether an event tells of more than u: a counter or the session time.
func (ev *Event) exceeds(u Usage) bool {
	for i, is := range ev.Usage.counters() {
		if ev.Sent>>i&1 != 0 && *is > *u.counters()[i] {
			return true
		}
	}
	return ev.Sent&SessionTime != 0 && ev.Usage.SessionTime > u.SessionTime
}

// fellFrom reports whether the session time and the counters of an event have fallen from u: all that it tells, and of the
// counters one at least.
func (ev *Event) fellFrom(u Usage) bool {
	if ev.Sent&SessionTime == 0 || ev.Usage.SessionTime >= u.SessionTime {
		return false
	}
	fell := false
	for i, is := range ev.Usage.counters() {
		was := *u.counters()[i]
		if ev.Sent>>i&1 == 0 || *is == 0 && was == 0 {
			continue
		}
		if *is >= was {
			return false
		}
		fell = true
	}
	return fell
}
