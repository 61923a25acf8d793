package termination

import (
	"slices"

	"aaasess/sessions"
)

// readyJobs has the jobs whose attempt is due. First attempts go before retries. In each group the
// NASes take turns: a silent NAS with thousands of sessions does not delay others. One goroutine
// uses it.
type readyJobs struct {
	windows       windows
	firstAttempts rotation
	retries       rotation
}

// rotation has the NASes with jobs, next first. After one of its jobs a NAS goes to the end.
type rotation struct {
	byNAS map[sessions.NAS]*nasJobs
	order []*nasJobs
}

// nasJobs has the jobs of one NAS, oldest first.
type nasJobs struct {
	nas  sessions.NAS
	jobs []*job
}

func newReadyJobs(perNAS int) readyJobs {
	return readyJobs{
		windows:       windows{max: perNAS, byNAS: map[sessions.NAS]*window{}},
		firstAttempts: rotation{byNAS: map[sessions.NAS]*nasJobs{}},
		retries:       rotation{byNAS: map[sessions.NAS]*nasJobs{}},
	}
}

// add adds a job. Its nas must be set.
func (r *readyJobs) add(j *job) {
	t := &r.firstAttempts
	if j.Attempts > 0 {
		t = &r.retries
	}
	queue := t.byNAS[j.nas]
	if queue == nil {
		queue = &nasJobs{nas: j.nas}
		t.byNAS[j.nas] = queue
		t.order = append(t.order, queue)
	}
	queue.jobs = append(queue.jobs, j)
}

// next removes and returns the next job. It returns nil if there is none, or if all NASes with jobs
// have as many attempts under way as their windows allow.
func (r *readyJobs) next() *job {
	for _, t := range [...]*rotation{&r.firstAttempts, &r.retries} {
		// Few NASes have no place, because all attempts under way are theirs.
		i := slices.IndexFunc(t.order, func(queue *nasJobs) bool { return r.windows.hasPlace(queue.nas) })
		if i >= 0 {
			return t.popAt(i)
		}
	}
	return nil
}

// popAt removes and returns the next job of the NAS at position i of the order.
func (t *rotation) popAt(i int) *job {
	queue := t.order[i]
	t.order = slices.Delete(t.order, i, i+1)
	j := queue.jobs[0]
	if queue.jobs = queue.jobs[1:]; len(queue.jobs) > 0 {
		t.order = append(t.order, queue)
	} else {
		delete(t.byNAS, queue.nas)
	}
	return j
}

// started counts an attempt that starts at a NAS.
func (r *readyJobs) started(nas sessions.NAS) { r.windows.started(nas) }

// finished counts an attempt that has finished, and what it has shown of its NAS.
func (r *readyJobs) finished(nas sessions.NAS, how speed) {
	r.windows.finished(nas, how, r.isIdle(nas))
}

// skipped is called for a job of next whose attempt does not start, because its session has ended.
func (r *readyJobs) skipped(nas sessions.NAS) {
	if r.isIdle(nas) {
		r.windows.forget(nas)
	}
}

// isIdle reports whether no job waits for a place at a NAS.
func (r *readyJobs) isIdle(nas sessions.NAS) bool {
	return r.firstAttempts.byNAS[nas] == nil && r.retries.byNAS[nas] == nil
}
