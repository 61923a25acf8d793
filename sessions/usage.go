package sessions

// Usage is what a session has used so far.
type Usage struct {
	InputOctets, OutputOctets   uint64 // from and to the user
	InputPackets, OutputPackets uint64
	SessionTime                 uint32 // seconds
}

// UsageFields is a set of fields of a [Usage].
type UsageFields uint8

// The fields of a Usage.
const (
	InputOctets UsageFields = 1 << iota
	OutputOctets
	InputPackets
	OutputPackets
	SessionTime

	WholeUsage = InputOctets | OutputOctets | InputPackets | OutputPackets | SessionTime
)

// counters returns the counters in the order of UsageFields.
func (u *Usage) counters() [4]*uint64 {
	return [...]*uint64{&u.InputOctets, &u.OutputOctets, &u.InputPackets, &u.OutputPackets}
}

// wrapsFrom is the lowest value from which a 32-bit counter may have wrapped if it falls. NASes
// without Acct-Input-Gigawords (RFC 2869 section 5.1) have 32 bits; packet counters always have.
const wrapsFrom = 3 << 30

// updatedBy returns the usage after an event, and whether user data flowed. What the event lacks
// stays. A counter that fell has wrapped if it was near 2^32; otherwise the larger value stays.
func (u Usage) updatedBy(ev *Event) (used Usage, flowed bool) {
	sent := ev.Usage
	for i, is := range sent.counters() {
		if ev.Sent>>i&1 == 0 {
			continue
		}
		was := u.counters()[i]
		if *is > *was || *is < *was && *was >= wrapsFrom && *was < 1<<32 && *is < 1<<30 {
			*was, flowed = *is, true
		}
	}
	if ev.Sent&SessionTime != 0 {
		u.SessionTime = max(u.SessionTime, ev.Usage.SessionTime)
	}
	return u, flowed
}

// exceeds reports whether the session time or a counter of an event is larger than in u.
func (ev *Event) exceeds(u Usage) bool {
	for i, is := range ev.Usage.counters() {
		if ev.Sent>>i&1 != 0 && *is > *u.counters()[i] {
			return true
		}
	}
	return ev.Sent&SessionTime != 0 && ev.Usage.SessionTime > u.SessionTime
}

// fellFrom reports whether an event has a lower session time than u, and only lower counters. At
// least one counter must be lower. A counter that is 0 in both is ignored.
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
