package admission

import (
	"context"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Accept is called for an Access-Accept, before the NAS gets it. The Store copies what a session keeps of
// its attributes, never a key.
func (s *Store) Accept(q *Request, accept radius.Attributes) {
	w := whoOf(&q.NAS, q.Kind, q.Attrs)
	s.mu.Lock()
	r, l := s.loginOf(q, &w)
	w.also = nameIn(accept)
	l.accepted, l.granted, l.renews = true, accept, 0
	s.stats.Accepts++
	session := l.session
	if session == 0 {
		session = s.beganBefore(&w, q)
	}
	if session != 0 {
		if r != 0 {
			s.logins.drop(r)
		}
		s.setIdle()
		s.mu.Unlock()
		s.release([]sessions.ID{l.number})
		s.grant(session, only(accept, &granting))
		return
	}
	h := s.keep(r, &l)
	surplus := s.forgetSurplus()
	s.mu.Unlock()
	s.release(surplus)
	if !s.renew(q, h, &w) && s.config.Load().PopulateAtSetup && !w.call {
		s.populate(h)
	}
}

// renew gives the Accept of a login of w to the live session whose user it has authenticated again, if there
// is one. The login is kept, because a new session may begin with it. renew reports whether there is
// one.
func (s *Store) renew(q *Request, l handle, w *who) (renews bool) {
	ev := q.event(w)
	if w.sid != "" {
		if live := s.table.Named(ev); live != nil && w.isOf(live) {
			s.grantFrom(l, live.ID)
			return true
		}
	} else if !w.call {
		live := s.table.OnLine(ev, w.user)
		if live == nil && w.also != "" {
			live = s.table.OnLine(ev, w.also)
		}
		if live != nil {
			s.renewLater(l, live.ID)
			renews = true
		}
	}
	return renews
}

// renewAfter is how long a new session can begin with an Accept that may also be that of a live session
// on the same line. Its NAS sends no Acct-Session-Id in Access-Requests, so nothing else tells.
const renewAfter = 10 * time.Second

// renewal is a login whose Accept is given to a live session if no new one begins with it.
type renewal struct {
	login   handle
	session sessions.ID   // as of the end of the wait
	due     time.Duration // as login.at
}

func (s *Store) renewLater(h handle, session sessions.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := s.config.Load()
	l := s.entryOf(h)
	if l == nil {
		return // a session has begun with it, or it was forgotten
	}
	l.renews = session
	if l.queued || len(s.renewals) >= cfg.Max {
		return
	}
	l.queued = true
	if s.renewals = append(s.renewals, renewal{login: h, due: s.clock() + renewAfter}); len(s.renewals) == 1 {
		s.wakeRun()
	}
}

// grantFrom gives a live session what a login was granted, unless another session has begun with it.
func (s *Store) grantFrom(h handle, session sessions.ID) {
	s.mu.Lock()
	e := s.entryOf(h)
	if e == nil {
		s.mu.Unlock()
		return
	}
	e.renews = session
	l := s.login(h.ref)
	s.mu.Unlock()
	s.grant(session, grantOf(&l))
}

func (s *Store) grant(session sessions.ID, granted radius.Attributes) {
	s.mu.Lock()
	s.stats.Renewed++
	s.mu.Unlock()
	// R64: the user does not wait, and a table that accepts nothing refuses none.
	_ = s.table.Grant(session, granted, nil)
}

// Reject is called for an Access-Reject, before the NAS gets it. done is called once: when the stop
// record (R49) is durable, or at once if there is none. The attributes of the Access-Reject are not
// wanted: S1 records who has failed, not what the user was told.
func (s *Store) Reject(q *Request, done func()) {
	w := whoOf(&q.NAS, q.Kind, q.Attrs)
	s.mu.Lock()
	r, l := s.loginOf(q, &w)
	if r != 0 {
		s.drop(r)
	}
	s.stats.Rejected++
	s.mu.Unlock()
	s.record(&l, q.At, sessions.AuthenticationFailed, done)
}

// record has the table record a login that no session has followed, and gives its number back. A call
// that was refused has no user.
func (s *Store) record(l *login, at time.Time, how sessions.Unstarted, done func()) {
	number := l.number // without l, which need not be on the heap
	released := func() {
		s.release([]sessions.ID{number})
		done()
	}
	if l.kind < sessions.Network || l.kind > sessions.Connection {
		released()
		return
	}
	o := sessions.OneOff{Kind: l.kind, Unstarted: how, NAS: l.nas, At: at, Attrs: only(l.attrs, &identifying), ID: l.number}
	o.NAS.Identifier = strings.Clone(l.nas.Identifier)
	if l.upstream != "" || l.granted != "" {
		o.Admission = &sessions.Admission{Granted: grantOf(l), Upstream: strings.Clone(unlessNumber(l.upstream, l.number))}
	}
	if _, err := s.table.Record(o, func(error) { released() }); err != nil {
		released()
	}
}

// String names the store for a log.
func (s *Store) String() string { return "admissions" }

// Ready is closed when Run has begun. The other methods need no Run.
func (s *Store) Ready() <-chan struct{} { return s.ready }

func (s *Store) wakeRun() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run forgets logins that have waited long enough, and has those recorded that were accepted and begun
// by no session. It works until ctx is done. Call it once.
func (s *Store) Run(ctx context.Context) error {
	close(s.ready)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		for ctx.Err() == nil && s.expire() {
		}
		if wait, any := s.nextDue(); any {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// nextDue returns how long it is until a login is due; any is false if none is kept.
func (s *Store) nextDue() (wait time.Duration, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	if s.oldest != 0 {
		wait, any = s.kept.at(s.oldest).at+s.config.Load().StartWait-now, true
	}
	if len(s.renewals) > 0 {
		if due := s.renewals[0].due - now; !any || due < wait {
			wait, any = due, true
		}
	}
	return max(0, wait), any
}

// expireBatch is how many logins are expired before others have the lock again.
const expireBatch = 64

// expire does what is due with some logins. It returns false if nothing more is due.
func (s *Store) expire() (more bool) {
	var expired []login
	var renewed []renewal
	s.mu.Lock()
	wait, now := s.config.Load().StartWait, s.clock()
	for len(s.renewals) > 0 && s.renewals[0].due <= now && len(renewed) < expireBatch {
		r := s.renewals[0]
		s.renewals = s.renewals[1:]
		l := s.entryOf(r.login)
		if l == nil {
			continue
		}
		if l.queued = false; l.renews != 0 {
			r.session = l.renews
			renewed = append(renewed, r)
		}
	}
	for s.oldest != 0 && now-s.kept.at(s.oldest).at >= wait && len(expired) < expireBatch {
		expired = append(expired, s.login(s.oldest))
		s.drop(s.oldest)
	}
	more = len(renewed) == expireBatch || len(expired) == expireBatch
	s.mu.Unlock()
	for _, r := range renewed {
		s.grantFrom(r.login, r.session)
	}
	for i := range expired {
		s.expired(&expired[i])
	}
	return more
}

// expired does with a login what its state demands, after it was forgotten in time.
func (s *Store) expired(l *login) {
	if !l.accepted || l.renews != 0 || l.ambiguous || l.session != 0 {
		s.release([]sessions.ID{l.number})
		return
	}
	s.mu.Lock()
	s.stats.Expired++
	s.mu.Unlock()
	s.record(l, s.config.Load().Now(), sessions.AuthenticatedRemotely, func() {})
}
