package local

import (
	"hash/maphash"
	"net/http"
	"sync"
	"time"

	localreport "aaasess/sessions/local/report"
)

const (
	// keepKeys is how long the key of an answered report is remembered.
	keepKeys = 10 * time.Minute
	// maxKeys is how many keys of one user are remembered. If there are more, the oldest are forgotten:
	// then the rules for reports without a key hold.
	maxKeys = 16384
)

// keyName names a report with a key.
type keyName struct {
	uid  uint32
	verb localreport.Verb
	key  string
}

// keyed is a report with a key: under way, or answered.
type keyed struct {
	name     keyName
	sum      uint64        // of the body
	answered chan struct{} // closed when the answer is known
	answer   []byte        // nil: the report was refused, so it is as if it had never been
	at       time.Time     // of the answer
}

// keys remembers the answers of reports by their keys.
type keys struct {
	seed  maphash.Seed
	mu    sync.Mutex
	known map[keyName]*keyed
	order map[uint32][]*keyed // of each user, by the time of the answer
}

func newKeys() *keys {
	return &keys{seed: maphash.MakeSeed(), known: map[keyName]*keyed{}, order: map[uint32][]*keyed{}}
}

// isKey reports whether a text may be a key: 1 to MaxKey visible octets of ASCII.
func isKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= localreport.MaxKey
}

// once calls do, unless a report of this name has been answered, or is under way: then it waits for
// that answer. isRepeated tells that the answer is an earlier one.
func (k *keys) once(name keyName, body []byte, now func() time.Time, do func() ([]byte, error)) (answer []byte, isRepeated bool, err error) {
	sum := maphash.Bytes(k.seed, body)
	for {
		own, other := k.enter(name, sum, now())
		if other == nil {
			defer func() { k.leave(own, answer, now()) }() // even if do panics: others wait for it
			answer, err = do()
			return answer, false, err
		}
		if other.sum != sum {
			return nil, false, problem(http.StatusUnprocessableEntity, "", "another report has had this %s", localreport.KeyHeader)
		}
		<-other.answered
		if other.answer != nil {
			return other.answer, true, nil
		}
	}
}

// enter returns the report that has a name, or enters a new one.
func (k *keys) enter(name keyName, sum uint64, now time.Time) (own, other *keyed) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(name.uid, now)
	if other = k.known[name]; other != nil {
		return nil, other
	}
	own = &keyed{name: name, sum: sum, answered: make(chan struct{})}
	k.known[name] = own
	return own, nil
}

// leave notes the answer of a report; nil if it was refused.
func (k *keys) leave(own *keyed, answer []byte, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	own.answer, own.at = answer, now
	close(own.answered)
	if answer == nil {
		delete(k.known, own.name)
		return
	}
	uid := own.name.uid
	k.order[uid] = append(k.order[uid], own)
	k.forget(uid, now)
}

// forget forgets the answers of a user that are too old, or too many.
func (k *keys) forget(uid uint32, now time.Time) {
	list := k.order[uid]
	n := 0
	for n < len(list) && (len(list)-n > maxKeys || now.Sub(list[n].at) >= keepKeys) {
		delete(k.known, list[n].name)
		list[n] = nil
		n++
	}
	if k.order[uid] = list[n:]; len(k.order[uid]) == 0 {
		delete(k.order, uid)
	}
}
