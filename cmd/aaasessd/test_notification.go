package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aaasess/agent/agentx"
	"aaasess/agent/snmp/notify"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/mib"
)

// The objects of NET-SNMP-EXAMPLES-MIB in a test notification. Tools know their names, and none of
// them says anything of this host. By the module, the rate is nominally the interval between
// notifications, and the name is optional and has no meaning.
var (
	heartbeatNotification = mib.MustOID("1.3.6.1.4.1.8072.2.3.0.1")   // netSnmpExampleHeartbeatNotification
	heartbeatRate         = mib.MustOID("1.3.6.1.4.1.8072.2.3.2.1.0") // netSnmpExampleHeartbeatRate.0
	heartbeatName         = mib.MustOID("1.3.6.1.4.1.8072.2.3.2.2.0") // netSnmpExampleHeartbeatName.0

	snmpTrapOID = mib.MustOID("1.3.6.1.6.3.1.1.4.1.0")
)

// testText is netSnmpExampleHeartbeatName.
const testText = "aaasess: this is a test notification; nothing has happened"

// testVarbinds are the variables of a test notification.
func testVarbinds() []mib.Varbind {
	vbs := []mib.Varbind{{Name: heartbeatRate}, {Name: heartbeatName}}
	vbs[0].Value.SetInteger32(0) // no further one follows
	vbs[1].Value.SetOctets(testText)
	return vbs
}

// withTrapOID returns the variables of a notification as [agentx.Subagent.Notify] wants them.
func withTrapOID(trap mib.OID, vbs []mib.Varbind) []mib.Varbind {
	out := make([]mib.Varbind, 1, 1+len(vbs))
	out[0].Name = snmpTrapOID
	out[0].Value.SetOID(trap)
	return append(out, vbs...)
}

// testNotification implements [control.TestNotification].
func (d *daemon) testNotification(ctx context.Context, target string) (<-chan api.NotificationOutcome, error) {
	var deliveries []notify.Delivery
	if d.snmp != nil {
		var err error
		deliveries, err = d.snmp.notifier.NotifyWatched(target, heartbeatNotification, testVarbinds()...)
		if err != nil && !errors.Is(err, notify.ErrNoTarget) {
			return nil, err
		}
	}
	master := d.subagent
	if target != "" {
		master = nil
		if len(deliveries) == 0 {
			return nil, fmt.Errorf("target %q: %w", target, control.ErrNoTarget)
		}
	}
	if len(deliveries) == 0 && master == nil {
		return nil, control.ErrNoTargets
	}
	out := make(chan api.NotificationOutcome, len(deliveries)+1) // so that nothing waits for a client that has gone
	var waits sync.WaitGroup
	for _, delivery := range deliveries {
		waits.Go(func() { out <- d.awaitDelivery(ctx, delivery) })
	}
	if master != nil {
		waits.Go(func() { out <- testMaster(ctx, master) })
	}
	go func() {
		waits.Wait()
		close(out)
	}()
	return out, nil
}

// awaitDelivery returns the outcome of a delivery, at the latest when ctx is done.
func (d *daemon) awaitDelivery(ctx context.Context, delivery notify.Delivery) api.NotificationOutcome {
	begun := time.Now()
	out := api.NotificationOutcome{Target: delivery.Target, Via: api.ViaTrap}
	if delivery.Inform {
		out.Via = api.ViaInform
	}
	select {
	case o := <-delivery.Outcome:
		out.Took, out.Outcome = api.InSeconds(o.Took), outcomeOf(o.Err, delivery.Inform)
		if o.Err != nil {
			out.Error = o.Err.Error()
		}
	case <-ctx.Done():
		out.Took, out.Outcome = api.InSeconds(time.Since(begun)), api.NotificationWaiting
		for _, t := range d.snmp.notifier.Stats() {
			if t.Name == delivery.Target && t.LastError != nil {
				out.Error = "last error of the target: " + t.LastError.Error()
			}
		}
	}
	return out
}

// outcomeOf returns the name of an outcome at a target.
func outcomeOf(err error, inform bool) string {
	switch {
	case err == nil && inform:
		return api.NotificationAcknowledged
	case err == nil:
		return api.NotificationSent
	case errors.Is(err, notify.ErrNoResponse):
		return api.NotificationTimedOut
	case errors.Is(err, notify.ErrQueueFull), errors.Is(err, notify.ErrNotSent), errors.Is(err, notify.ErrStopped):
		return api.NotificationDropped
	}
	return api.NotificationRefused // too large, or answered with an error
}

// testMaster passes a test notification to the master agent, if there is a session with it.
func testMaster(ctx context.Context, master *agentx.Subagent) api.NotificationOutcome {
	out := api.NotificationOutcome{Via: api.ViaAgentX, Outcome: api.NotificationNotConnected}
	if stats := master.Stats(); !stats.Connected {
		if out.Error = string(stats.Reason); stats.LastError != nil {
			out.Error = stats.LastError.Error()
		}
		return out
	}
	begun := time.Now()
	err := master.Notify(ctx, withTrapOID(heartbeatNotification, testVarbinds()))
	out.Took, out.Outcome = api.InSeconds(time.Since(begun)), masterOutcome(err)
	if err != nil {
		out.Error = err.Error()
		if out.Outcome == api.NotificationWaiting {
			out.Error = "no answer from the master agent"
		}
	}
	return out
}

// masterOutcome returns the name of an outcome at the master agent.
func masterOutcome(err error) string {
	_, refused := errors.AsType[*agentx.RefusedError](err)
	switch {
	case err == nil:
		return api.NotificationAccepted
	case refused:
		return api.NotificationRefused
	case errors.Is(err, agentx.ErrQueueFull), errors.Is(err, agentx.ErrStopped):
		return api.NotificationDropped
	case errors.Is(err, agentx.ErrDisconnected):
		return api.NotificationNotConnected
	}
	return api.NotificationWaiting
}
