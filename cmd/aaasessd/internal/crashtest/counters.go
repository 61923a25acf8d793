package crashtest

// counters bounds the daemon's counters from both sides by what NASes sent and were answered.
type counters struct {
	starts, answers   uint64 // starts that were sent, and answered
	possible, certain uint64 // sessions that may be live now, and that must be

	mostPossible, mostCertain uint64 // the most that there ever were of them

	askedAt                    int    // when the daemon was asked last
	leastTotal, leastHighWater uint64 // answers and mostCertain at that time

	toldAt                     int    // when it told last; 0: never, or there was a kill since
	floorTotal, floorHighWater uint64 // what it told, less what the kill may have taken
}

func (k *counters) mayBegin() {
	k.starts++
	k.possible++
	k.mostPossible = max(k.mostPossible, k.possible)
}

func (k *counters) begun() {
	k.answers++
	k.certain++
	k.mostCertain = max(k.mostCertain, k.certain)
}

func (k *counters) mayEnd() { k.certain-- }
func (k *counters) ended()  { k.possible-- }

func (k *counters) asked(at int) {
	k.askedAt, k.leastTotal, k.leastHighWater = at, k.answers, k.mostCertain
}

func (k *counters) told(c *Checker, o *Observation) {
	if o.Total < k.leastTotal || o.Total > k.starts {
		c.violated("", "casnTotalSessions is %d: %d starts were answered, %d sent", o.Total, k.leastTotal, k.starts)
	}
	if o.HighWater < k.leastHighWater || o.HighWater > k.mostPossible {
		c.violated("", "the high-water mark is %d: at least %d sessions were live at one time, at most %d", o.HighWater, k.leastHighWater, k.mostPossible)
	}
	if o.Total < k.floorTotal {
		c.violated("", "casnTotalSessions fell to %d; %d are sure", o.Total, k.floorTotal)
	}
	if o.HighWater < k.floorHighWater {
		c.violated("", "the high-water mark fell to %d; %d are sure", o.HighWater, k.floorHighWater)
	}
	k.toldAt, k.floorTotal, k.floorHighWater = c.at, o.Total, o.HighWater
}

// killed takes from what was told the sessions that may not have been on disk: those whose start
// had been sent and is not answered. Further kills take nothing more.
func (k *counters) killed(waiting map[string]int) {
	if k.toldAt == 0 {
		return
	}
	unsure := uint64(0)
	for _, sent := range waiting {
		if sent < k.toldAt {
			unsure++
		}
	}
	k.floorTotal -= min(unsure, k.floorTotal)
	k.floorHighWater -= min(unsure, k.floorHighWater)
	k.toldAt = 0
}
