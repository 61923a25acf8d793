package sessions

import "slices"

// ready is the jobs whose attempt is due. Those that were never asked go ahead of those that are
// asked again, and of each kind the NASes take turns: one that is silent, with thousands of
// sessions, holds up nobody else's. Only its owner touches it.
type ready struct {
	perNAS        int
	running       map[NAS]int // attempts under way; no entry for none
	firstAttempts rotation
	retries       rotation
}

// turns is the NASes that have jobs, next first; after a job a NAS goes to the end.
type rotation struct {
	byNAS map[NAS]*nasJobs
	order []*nasJobs
}

// turn is the jobs of a NAS, oldest first.
type nasJobs struct {
	nas  NAS
	jobs []*job
}

func newReady(perNAS int) ready {
	return ready{
		perNAS: perNAS, running: map[NAS]int{},
		firstAttempts: rotation{byNAS: map[NAS]*nasJobs{}}, retries: rotation{byNAS: map[NAS]*nasJobs{}},
	}
}

// add takes a job whose nas is set.
func (r *ready) add(j *job) {
	t := &r.firstAttempts
	if j.Attempts > 0 {
		t = &r.retries
	}
	of := t.byNAS[j.nas]
	if of == nil {
		of = &nasJobs{nas: j.nas}
		t.byNAS[j.nas] = of
		t.order = append(t.order, of)
	}
	of.jobs = append(of.jobs, j)
}

// next takes out the job whose turn it is; nil if there is none, or only of NASes that have as many
// attempts under way as they may.
func (r *ready) next() *job {
	for _, t := range [...]*rotation{&r.firstAttempts, &r.retries} {
		// NASes that may have no more are few, for all attempts under way are theirs.
		i := slices.IndexFunc(t.order, func(of *nasJobs) bool { return r.running[of.nas] < r.perNAS })
		if i >= 0 {
			return t.popAt(i)
		}
	}
	return nil
}

func (t *rotation) popAt(i int) *job {
	of := t.order[i]
	t.order = slices.Delete(t.order, i, i+1)
	j := of.jobs[0]
	if of.jobs = of.jobs[1:]; len(of.jobs) > 0 {
		t.order = append(t.order, of)
	} else {
		delete(t.byNAS, of.nas)
	}
	return j
}

// begun counts an attempt at a NAS, ended that it is over.
func (r *ready) begun(nas NAS) { r.running[nas]++ }

func (r *ready) ended(nas NAS) {
	if r.running[nas]--; r.running[nas] == 0 {
		delete(r.running, nas)
	}
}
