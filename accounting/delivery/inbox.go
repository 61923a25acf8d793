package delivery

import (
	"cmp"
	"context"
	"sync"

	"aaasess/accounting"
)

// inbox is what other goroutines tell Run. Its lock is never held over a call.
type inbox struct {
	wake chan struct{} // to Run, coalesced

	mu      sync.Mutex
	results []result
	spare   []result
	wanted  map[accounting.MethodName]*wanted
	changed bool                               // wanted is not what Run knows
	news    []*queue                           // that records were appended to, since Run asked
	look    bool                               // set by Look
	reroute map[string][]accounting.MethodName // set by Reroute, by queue
	stats   map[string]QueueStats
	methods map[accounting.MethodName]MethodStats
}

// result is the end of what was begun with an item.
type result struct {
	it  *item
	err error
}

// wanted is what is to be known of a method.
type wanted struct {
	impl  accounting.Method
	cfg   accounting.MethodConfig
	gen   int32 // of impl and cfg; the first is 1
	hold  Hold
	heard bool
	gone  bool
}

func (b *inbox) init() {
	b.wake = make(chan struct{}, 1)
	b.wanted = map[accounting.MethodName]*wanted{}
	b.stats = map[string]QueueStats{}
	b.methods = map[accounting.MethodName]MethodStats{}
}

func (b *inbox) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// tell changes what is wanted of a method. Of one that is not known nothing is wanted, unless create.
func (b *inbox) tell(name accounting.MethodName, create bool, change func(*wanted)) {
	b.mu.Lock()
	w := b.wanted[name]
	if w == nil && create {
		w = &wanted{}
		b.wanted[name] = w
	}
	if w != nil {
		change(w)
		b.changed = true
	}
	b.mu.Unlock()
	b.poke()
}

// listen tells Run of records that were appended to a queue: once for each time that Run asks, so that
// a busy queue wakes nobody for nothing.
func (b *inbox) listen(ctx context.Context, appended <-chan struct{}, q *queue) {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-q.ask:
			}
			select {
			case <-ctx.Done():
				return
			case <-appended:
			}
			b.mu.Lock()
			b.news = append(b.news, q)
			b.mu.Unlock()
			b.poke()
		}
	}()
}

// finished is called by whoever had an item, on any goroutine.
func (b *inbox) finished(it *item, err error) {
	b.mu.Lock()
	b.results = append(b.results, result{it, err})
	b.mu.Unlock()
	b.poke()
}

// SetMethod makes a method known, or replaces it, and how records are delivered to it. What the one
// before has under way counts only if it is delivered; otherwise the record is sent again, from the
// beginning of its schedule. The one before must still call every done.
func (d *Delivery) SetMethod(name accounting.MethodName, m accounting.Method, cfg accounting.MethodConfig) {
	cfg.Rounds = cmp.Or(max(0, cfg.Rounds), 5)
	d.inbox.tell(name, true, func(w *wanted) {
		w.impl, w.cfg, w.gone = m, cfg, false
		w.gen++
	})
}

// RemoveMethod has a method get no record any more: routes that name it pass it over. What it has
// under way counts if it is delivered; the method must still call every done.
func (d *Delivery) RemoveMethod(name accounting.MethodName) {
	d.inbox.tell(name, false, func(w *wanted) { w.gone, w.hold = true, Open })
}

// SetHold has a method get records, or keeps them from it. What is under way goes on. With Open a
// method that was down gets its chance at once. It may come before SetMethod.
func (d *Delivery) SetHold(name accounting.MethodName, h Hold) {
	d.inbox.tell(name, true, func(w *wanted) { w.hold = h })
}

// Heard tells that somebody of the method is there though no record that is under way was answered: a
// late answer came. If the method is down, what waits is tried at once.
func (d *Delivery) Heard(name accounting.MethodName) {
	d.inbox.tell(name, false, func(w *wanted) { w.heard = true })
}

// Look has Run look for queues that it does not know: those of routes whose first method does not
// run. It is to be called every now and then.
func (d *Delivery) Look() {
	d.inbox.mu.Lock()
	d.inbox.look = true
	d.inbox.mu.Unlock()
	d.inbox.poke()
}

// Reroute has the records of a queue go on, behind the methods of their own routes, to these methods: for
// a queue whose methods do not run any more. The records stay where they are, so those of a session stay
// in order. It takes the place of what was said of the queue before; nil takes it back.
func (d *Delivery) Reroute(queue string, methods []accounting.MethodName) {
	d.inbox.mu.Lock()
	if d.inbox.reroute == nil {
		d.inbox.reroute = map[string][]accounting.MethodName{}
	}
	d.inbox.reroute[queue] = methods
	d.inbox.mu.Unlock()
	d.inbox.poke()
}

// collect takes what came in, and returns the results.
func (d *Delivery) collect(ctx context.Context) []result {
	b := &d.inbox
	b.mu.Lock()
	got := b.results
	b.results, b.spare = b.spare[:0], got
	news, look, reroute, changed := b.news, b.look, b.reroute, b.changed
	b.news, b.look, b.reroute, b.changed = nil, false, nil, false
	var all map[accounting.MethodName]wanted
	if changed {
		all = make(map[accounting.MethodName]wanted, len(b.wanted))
		for name, w := range b.wanted {
			all[name] = *w
			w.heard = false
			if w.gone {
				*w = wanted{gen: w.gen, hold: w.hold} // that of the next one of this name
				delete(b.methods, name)
			}
		}
	}
	b.mu.Unlock()
	for _, q := range news {
		q.asked = false
		q.more, q.scan.more = true, true
	}
	d.adopt(ctx, all)
	if look && ctx.Err() == nil {
		d.look(ctx)
	}
	for name, methods := range reroute {
		d.reroute(d.queueNamed(ctx, name), methods)
	}
	return got
}
