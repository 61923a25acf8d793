package delivery

import (
	"cmp"
	"context"
	"sync"

	"aaasess/accounting"
	"aaasess/internal/histogram"
)

// inbox holds what other goroutines tell Run. Its lock is never held over a call.
type inbox struct {
	wake chan struct{} // to Run, coalesced

	mu              sync.Mutex
	results         []result
	spare           []result
	settings        map[accounting.MethodName]*settings
	settingsChanged bool                               // settings differ from what Run has applied
	appended        []*queue                           // queues with new records since Run last listened
	findQueues      bool                               // set by FindQueues
	reroute         map[string][]accounting.MethodName // set by Reroute, by queue
	stats           map[string]QueueStats
	methods         map[accounting.MethodName]MethodStats
	questions       []question // of Locate
	deliveryTimes   map[accounting.MethodName]*histogram.Histogram
}

// result is the result of a send, or of a move to another queue.
type result struct {
	it  *item
	err error
}

// settings are the settings of one method, as the other goroutines want them.
type settings struct {
	impl     accounting.Method
	cfg      accounting.MethodConfig
	gen      int32 // of impl; the first is 1
	hold     Hold
	answered bool
	removed  bool
}

func (b *inbox) init() {
	b.wake = make(chan struct{}, 1)
	b.settings = map[accounting.MethodName]*settings{}
	b.stats = map[string]QueueStats{}
	b.methods = map[accounting.MethodName]MethodStats{}
	b.deliveryTimes = map[accounting.MethodName]*histogram.Histogram{}
}

func (b *inbox) wakeRun() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// update changes the settings of a method. It ignores an unknown method unless create is set.
func (b *inbox) update(name accounting.MethodName, create bool, change func(*settings)) {
	b.mu.Lock()
	w := b.settings[name]
	if w == nil && create {
		w = &settings{}
		b.settings[name] = w
	}
	if w != nil {
		change(w)
		b.settingsChanged = true
	}
	b.mu.Unlock()
	b.wakeRun()
}

// listen tells Run that records were appended to a queue. It does so once each time Run asks, so a
// busy queue does not wake Run for every record.
func (b *inbox) listen(ctx context.Context, appended <-chan struct{}, q *queue) {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-q.listen:
			}
			select {
			case <-ctx.Done():
				return
			case <-appended:
			}
			b.mu.Lock()
			b.appended = append(b.appended, q)
			b.mu.Unlock()
			b.wakeRun()
		}
	}()
}

// finished reports the result of an item. Any goroutine may call it.
func (b *inbox) finished(it *item, err error) {
	b.mu.Lock()
	b.results = append(b.results, result{it, err})
	b.mu.Unlock()
	b.wakeRun()
}

// SetMethod adds a method, or replaces it, and sets how records are delivered to it. If the earlier
// implementation still has records in flight, only their delivery counts; otherwise they are sent
// again from the start of their schedule. It must still call every done.
func (d *Delivery) SetMethod(name accounting.MethodName, m accounting.Method, cfg accounting.MethodConfig) {
	d.inbox.update(name, true, func(w *settings) {
		w.impl, w.cfg, w.removed = m, withDefaults(cfg), false
		w.gen++
	})
}

// ReconfigureMethod changes how records are delivered to a method that continues. It does
// not touch records in flight: the method itself applies the change to them.
func (d *Delivery) ReconfigureMethod(name accounting.MethodName, cfg accounting.MethodConfig) {
	d.inbox.update(name, false, func(w *settings) { w.cfg = withDefaults(cfg) })
}

func withDefaults(cfg accounting.MethodConfig) accounting.MethodConfig {
	cfg.Rounds = cmp.Or(max(0, cfg.Rounds), 5)
	return cfg
}

// RemoveMethod removes a method. Routes that name it skip it. Records in flight count if they are
// delivered. The method must still call every done.
func (d *Delivery) RemoveMethod(name accounting.MethodName) {
	d.inbox.update(name, false, func(w *settings) { w.removed, w.hold = true, Open })
}

// SetHold sets whether a method gets records. Records in flight are not affected. With Open, a
// method that was down is tried at once. SetHold may come before SetMethod.
func (d *Delivery) SetHold(name accounting.MethodName, h Hold) {
	d.inbox.update(name, true, func(w *settings) { w.hold = h })
}

// Answered reports an answer of a method that belongs to no record in flight, such as a late one.
// If the method is down, its waiting records are tried at once.
func (d *Delivery) Answered(name accounting.MethodName) {
	d.inbox.update(name, false, func(w *settings) { w.answered = true })
}

// FindQueues makes Run search the store for queues that it does not know: those of routes whose
// first method is not configured. Call it from time to time.
func (d *Delivery) FindQueues() {
	d.inbox.mu.Lock()
	d.inbox.findQueues = true
	d.inbox.mu.Unlock()
	d.inbox.wakeRun()
}

// Reroute adds methods to the end of all routes of a queue. It serves a queue whose own methods are
// no longer configured. The records stay in their queue, so a session stays in order. A later call
// for the same queue replaces an earlier one; nil removes the methods.
func (d *Delivery) Reroute(queue string, methods []accounting.MethodName) {
	d.inbox.mu.Lock()
	if d.inbox.reroute == nil {
		d.inbox.reroute = map[string][]accounting.MethodName{}
	}
	d.inbox.reroute[queue] = methods
	d.inbox.mu.Unlock()
	d.inbox.wakeRun()
}

// collect empties the inbox, applies the changes, and returns the results.
func (d *Delivery) collect(ctx context.Context) []result {
	b := &d.inbox
	b.mu.Lock()
	got := b.results
	b.results, b.spare = b.spare[:0], got
	news, look, reroute, changed := b.appended, b.findQueues, b.reroute, b.settingsChanged
	b.appended, b.findQueues, b.reroute, b.settingsChanged = nil, false, nil, false
	var all map[accounting.MethodName]settings
	if changed {
		all = make(map[accounting.MethodName]settings, len(b.settings))
		for name, w := range b.settings {
			all[name] = *w
			w.answered = false
			if w.removed {
				*w = settings{gen: w.gen, hold: w.hold} // kept for the next method of this name
				delete(b.methods, name)
			}
		}
	}
	b.mu.Unlock()
	for _, q := range news {
		q.listening = false
		q.more, q.scan.more = true, true
	}
	d.applySettings(ctx, all)
	if look && ctx.Err() == nil {
		d.findQueues(ctx)
	}
	for name, methods := range reroute {
		d.reroute(d.queueNamed(ctx, name), methods)
	}
	return got
}
