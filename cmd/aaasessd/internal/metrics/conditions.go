package metrics

import (
	"maps"
	"slices"
	"time"
)

var (
	spoolOver       = gauge("spool_over", "1 while the spool is over a threshold (thresholds, or four fifths of store.max-size) and not yet well below it: aaasessSpoolState.")
	spoolRecords    = gauge("spool_threshold_records", "The spool is over with as many records that wait (thresholds.spool-records); 0: there is no such threshold.")
	spoolAge        = gauge("spool_threshold_age_seconds", "The spool is over when its oldest record is as old (thresholds.spool-age); 0: there is no such threshold.")
	diskShort       = gauge("store_disk_short", "1 while the disk of the store is running out of free space: aaasessDiskState.")
	methodIsBlocked = gauge("method_blocked", "1 while records wait that could be sent, and none leaves the queue, or while no server of the group answers logins: aaasessMethodState. A method is local or group NAME.", "method")
)

// Conditions are the states of the daemon itself that SNMP managers are told of, and their thresholds.
type Conditions struct {
	SpoolOver, DiskShort bool
	Records              uint64
	Age                  time.Duration
	Blocked              map[string]bool // by method
}

func (b *builder) addConditions(s *Sources) {
	if s.Conditions == nil {
		return
	}
	c := s.Conditions()
	b.is(spoolOver, c.SpoolOver, nil)
	b.count(spoolRecords, c.Records, nil)
	b.add(spoolAge, c.Age.Seconds(), nil)
	b.is(diskShort, c.DiskShort, nil)
	for _, name := range slices.Sorted(maps.Keys(c.Blocked)) {
		b.is(methodIsBlocked, c.Blocked[name], nil, name)
	}
}
