package control

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"aaasess/cmd/internal/api"
)

// utf8Record returns a record whose texts are valid UTF-8, as JSON requires.
func utf8Record(a api.SetAside) api.SetAside {
	for _, text := range []*string{&a.From, &a.Reason, &a.Session, &a.List, &a.User} {
		*text = api.ValidText(*text)
	}
	a.Attributes = slices.Clone(a.Attributes)
	for i := range a.Attributes {
		at := &a.Attributes[i]
		at.Name, at.Value = api.ValidText(at.Name), api.ValidText(at.Value)
	}
	return a
}

// showSpool is GET /v1/spool.
func (s *Server) showSpool(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	status := s.cfg.Accounting.Spool()
	emptyIfNil(&status.Queues)
	emptyIfNil(&status.Damage)
	for i := range status.Damage {
		status.Damage[i].Reason = api.ValidText(status.Damage[i].Reason)
	}
	s.writeJSON(w, http.StatusOK, status)
}

// listSetAside is GET /v1/spool/set-aside.
func (s *Server) listSetAside(w http.ResponseWriter, r *http.Request) {
	p, ok := s.readPage(w, r)
	if !ok {
		return
	}
	after := uint64(0)
	if p.after != "" {
		var err error
		if after, err = parseSeq(p.after); err != nil {
			s.writeError(w, http.StatusBadRequest, err)
			return
		}
	}
	records, err := s.cfg.Accounting.SetAside(after, p.limit+1)
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	list := api.SetAsideList{Records: []api.SetAside{}}
	for i, record := range records {
		if i == p.limit {
			list.Next = records[i-1].Seq
			break
		}
		record.Attributes, record.Raw = nil, ""
		list.Records = append(list.Records, utf8Record(record))
	}
	s.writeJSON(w, http.StatusOK, list)
}

func parseSeq(text string) (uint64, error) {
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not a record number", api.ErrQuery, text)
	}
	return seq, nil
}

// showSetAside is GET /v1/spool/set-aside/{seq}.
func (s *Server) showSetAside(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	seq, err := parseSeq(r.PathValue("seq"))
	if err != nil {
		s.writeError(w, http.StatusBadRequest, err)
		return
	}
	record, err := s.cfg.Accounting.SetAsideRecord(seq)
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	s.writeJSON(w, http.StatusOK, utf8Record(record))
}

// replay is POST /v1/spool/replay.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) {
	s.changeRecords(w, r, "replayed", s.cfg.Accounting.Replay)
}

// drop is POST /v1/spool/drop.
func (s *Server) drop(w http.ResponseWriter, r *http.Request) {
	s.changeRecords(w, r, "dropped", s.cfg.Accounting.Drop)
}

// forgetDamage is POST /v1/spool/forget-damage.
func (s *Server) forgetDamage(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	n, err := s.cfg.Accounting.ForgetDamage()
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	s.cfg.Logger.Info("damage report of the spool cleared by command", "uid", r.Context().Value(peerKey{}), "entries", n)
	s.writeJSON(w, http.StatusOK, api.ForgetAnswer{Entries: n})
}

// changeRecords replays or drops set-aside records. done is the past participle for the log and for
// errors.
func (s *Server) changeRecords(w http.ResponseWriter, r *http.Request, done string, do func([]uint64, bool) (int, error)) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.RecordsRequest
	err := decodeBody(r.Body, &req)
	switch {
	case err != nil:
	case (len(req.Seqs) > 0) == req.All:
		err = errors.New("body: want exactly one of seqs and all")
	case len(req.Seqs) > api.MaxSeqs:
		err = fmt.Errorf("body: %d seqs: want at most %d", len(req.Seqs), api.MaxSeqs)
	}
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	slices.Sort(req.Seqs)
	n, err := do(slices.Compact(req.Seqs), req.All)
	if n > 0 {
		s.cfg.Logger.Info("set-aside records changed by command", "uid", r.Context().Value(peerKey{}), "done", done, "records", n)
	}
	if err != nil {
		if n > 0 {
			err = fmt.Errorf("%w; %d records were already %s", err, n, done)
		}
		s.writeError(w, statusCode(err), err)
		return
	}
	s.writeJSON(w, http.StatusOK, api.RecordsAnswer{Records: n})
}
