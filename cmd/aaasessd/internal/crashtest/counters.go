package crashtest

// counters computes the bounds of the daemon's counters from the records sent and answered.
type counters struct {
	starts, answers   uint64 // starts that were sent, and answered
	possible, certain uint64 // sessions that may be live now, and that must be live

	mostPossible, mostCertain uint64 // the highest values of possible and certain

	queriedAt                  int    // observation of the last query
	leastTotal, leastHighWater uint64 // answers and mostCertain at that time

	reportedAt                 int    // observation of the last report; 0: none, or a kill came since
	floorTotal, floorHighWater uint64 // the values of that report, less what a kill may have undone
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

func (k *counters) queried(at int) {
	k.queriedAt, k.leastTotal, k.leastHighWater = at, k.answers, k.mostCertain
}

func (k *counters) reported(c *Checker, o *Observation) {
	if o.Total < k.leastTotal || o.Total > k.starts {
		c.violated("", "casnTotalSessions is %d: %d starts were answered, %d sent", o.Total, k.leastTotal, k.starts)
	}
	if o.HighWater < k.leastHighWater || o.HighWater > k.mostPossible {
		c.violated("", "the high-water mark is %d: at least %d sessions were live at one time, at most %d", o.HighWater, k.leastHighWater, k.mostPossible)
	}
	if o.Total < k.floorTotal {
		c.violated("", "casnTotalSessions fell to %d; %d are certain", o.Total, k.floorTotal)
	}
	if o.HighWater < k.floorHighWater {
		c.violated("", "the high-water mark fell to %d; %d are certain", o.HighWater, k.floorHighWater)
	}
	k.reportedAt, k.floorTotal, k.floorHighWater = c.at, o.Total, o.HighWater
}

// killed subtracts from the last report the sessions that may not have been on disk: their start
// was sent and is not answered. Further kills change nothing.
func (k *counters) killed(waiting map[string]int) {
	if k.reportedAt == 0 {
		return
	}
	unsure := uint64(0)
	for _, sent := range waiting {
		if sent < k.reportedAt {
			unsure++
		}
	}
	k.floorTotal -= min(unsure, k.floorTotal)
	k.floorHighWater -= min(unsure, k.floorHighWater)
	k.reportedAt = 0
}
