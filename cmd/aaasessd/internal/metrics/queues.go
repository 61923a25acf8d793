package metrics

import (
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
)

var (
	queueRecords    = gauge("queue_records", "Records in the queue of a method, with those in flight. A method is local or group NAME; one that is no longer configured is listed while it has records.", "method")
	queueAge        = gauge("queue_oldest_record_age_seconds", "Time since the event of the oldest record in the queue; 0 if there is none, or if it is not known yet.", "method")
	queueInFlight   = gauge("queue_records_in_flight", "Records of the queue that were sent and not answered yet.", "method")
	queueWithheld   = gauge("queue_records_withheld", "Records of the queue that wait for the address of their user (delay-start).", "method")
	queueLost       = gauge("queue_lost", "1 if the queue has records none of whose methods is configured.", "method")
	queueDelivered  = counter("queue_delivered_total", "Records of the queue that were delivered, by this method or by another one of their list.", "method")
	queueElsewhere  = counter("queue_delivered_elsewhere_total", "Of these, records that another method of their list has delivered.", "method")
	queueSuperseded = counter("queue_superseded_total", "Interims that were dropped because a later record came while no method took them.", "method")
	queueSetAside   = counter("queue_set_aside_total", "Records that were set aside, by reason: refused (or damaged), or unanswered while others were answered.", "method", "reason")

	methodUp        = gauge("method_up", "0 if the method is down: it leaves records unanswered. 1 until then.", "method")
	methodHeld      = gauge("method_held", "1 while the records wait for an Accounting-On that is not answered.", "method")
	methodDraining  = gauge("method_draining", "1 while a backlog is being sent.", "method")
	methodDelivered = counter("method_delivered_total", "Records that the method has delivered, of any queue.", "method")
	methodSilent    = counter("method_unanswered_total", "Sends that ended without an answer.", "method")
	methodSeconds   = durations("method_delivery_seconds", "Time from the event of a record to the answer that delivered it. An outage is in it.", "method")

	onOffState   = gauge("acct_on_off_state", "1 for the state of the Accounting-On and -Off of a method, 0 for the others: unknown, sendAcctOn, on, sendAcctOff, off or OffNoResp.", "method", "state")
	onOffBlocked = gauge("acct_on_off_blocked", "1 while no Accounting-On of the method is answered, and its records must wait for that.", "method")

	records         = counter("records_total", "Accounting records that were made and are on disk, once for each queue.")
	resyncRecords   = counter("records_resync_total", "Of these, records that a resync has made.")
	interimRecords  = counter("records_interim_total", "Interims that were made for sessions whose NAS sends none.")
	leftOutOfRecord = counter("record_attributes_dropped_total", "Attributes of NASes that were left out of a record, by reason: too_large, empty, repeated or forbidden.", "reason")
	setAsideRecords = gauge("spool_set_aside_records", "Records that are set aside, for aaasess spool.")
	stopsWaiting    = gauge("records_waiting_nested", "Stop records that wait for those of the sessions within theirs (accounting.nested).")
)

func (b *builder) addQueues(s *Sources) {
	if s.Queues == nil {
		return
	}
	now := time.Now()
	for _, q := range s.Queues() {
		name := accounting.MethodOf(q.Queue)
		shared := queueRecords.of(string(name))
		b.count(queueRecords, q.Pending, shared)
		age := 0.0
		if !q.Oldest.IsZero() && q.Pending > 0 {
			age = max(0, now.Sub(q.Oldest).Seconds())
		}
		b.add(queueAge, age, shared)
		b.add(queueInFlight, float64(q.InFlight), shared)
		b.add(queueWithheld, float64(q.Withheld), shared)
		b.is(queueLost, q.Lost, shared)
		b.count(queueDelivered, q.Delivered, shared)
		b.count(queueElsewhere, q.Elsewhere, shared)
		b.count(queueSuperseded, q.Superseded, shared)
		b.count(queueSetAside, q.Refused, shared, "refused")
		b.count(queueSetAside, q.SetAside, shared, "unanswered")
		if q.Configured {
			b.addMethod(&q.Method, shared)
			b.histogram(methodSeconds, s.DeliveryTime(name), shared)
		}
	}
	for _, m := range s.Methods() {
		if m.OnOff != nil && m.Configured {
			shared := onOffState.of(string(m.Spec.Name()))
			for state := onoff.Unknown; state <= onoff.OffNoResp; state++ {
				b.is(onOffState, m.OnOff.State == state, shared, state.String())
			}
			b.is(onOffBlocked, m.OnOff.Blocked, shared)
		}
	}
	b.addRecords(s)
}

func (b *builder) addMethod(m *delivery.MethodStats, shared values) {
	b.is(methodUp, m.DownSince.IsZero(), shared)
	b.is(methodHeld, m.Hold != delivery.Open, shared)
	b.is(methodDraining, m.Draining, shared)
	b.count(methodDelivered, m.Delivered, shared)
	b.count(methodSilent, m.NoResponse, shared)
}

func (b *builder) addRecords(s *Sources) {
	r := s.Records()
	b.count(records, r.Records, nil)
	b.count(resyncRecords, r.Resyncs, nil)
	b.count(interimRecords, s.Interims(), nil)
	b.count(leftOutOfRecord, r.DroppedAttributes, nil, "too_large")
	b.count(leftOutOfRecord, r.EmptyAttributes, nil, "empty")
	b.count(leftOutOfRecord, r.RepeatedAttributes, nil, "repeated")
	b.count(leftOutOfRecord, r.ForbiddenAttributes, nil, "forbidden")
	b.count(setAsideRecords, s.SetAside(), nil)
	b.add(stopsWaiting, float64(s.WaitingStops()), nil)
}
