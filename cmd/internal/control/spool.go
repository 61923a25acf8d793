package control

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"aaasess/cmd/internal/api"
)

// plainText is a record with what came from the network as JSON can carry it.
func plainText(a api.SetAside) api.SetAside {
	for _, text := range []*string{&a.From, &a.Reason, &a.Session, &a.List, &a.User} {
		*text = utf8Text(*text)
	}
	a.Attributes = slices.Clone(a.Attributes)
	for i := range a.Attributes {
		at := &a.Attributes[i]
		at.Name, at.Value = utf8Text(at.Name), utf8Text(at.Value)
	}
	return a
}

// showSpool is GET /v1/spool.
func (s *Server) showSpool(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	status := s.cfg.Accounting.Spool()
	orEmpty(&status.Queues)
	orEmpty(&status.Damage)
	for i := range status.Damage {
		status.Damage[i].Reason = utf8Text(status.Damage[i].Reason)
	}
	s.answer(w, http.StatusOK, status)
}

// listSetAside is GET /v1/spool/set-aside.
func (s *Server) listSetAside(w http.ResponseWriter, r *http.Request) {
	p, ok := s.wantedPart(w, r)
	if !ok {
		return
	}
	after := uint64(0)
	if p.after != "" {
		var err error
		if after, err = parseSeq(p.after); err != nil {
			s.refuse(w, http.StatusBadRequest, err)
			return
		}
	}
	records, err := s.cfg.Accounting.SetAside(after, p.limit+1)
	if err != nil {
		s.refuse(w, refusal(err), err)
		return
	}
	list := api.SetAsideList{Records: []api.SetAside{}}
	for i, record := range records {
		if i == p.limit {
			list.Next = records[i-1].Seq
			break
		}
		record.Attributes, record.Raw = nil, ""
		list.Records = append(list.Records, plainText(record))
	}
	s.answer(w, http.StatusOK, list)
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
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	record, err := s.cfg.Accounting.SetAsideRecord(seq)
	if err != nil {
		s.refuse(w, refusal(err), err)
		return
	}
	s.answer(w, http.StatusOK, plainText(record))
}

// replay is POST /v1/spool/replay.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) {
	s.work(w, r, "replayed", s.cfg.Accounting.Replay)
}

// drop is POST /v1/spool/drop.
func (s *Server) drop(w http.ResponseWriter, r *http.Request) {
	s.work(w, r, "dropped", s.cfg.Accounting.Drop)
}

// forgetDamage is POST /v1/spool/forget-damage.
func (s *Server) forgetDamage(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	n, err := s.cfg.Accounting.ForgetDamage()
	if err != nil {
		s.refuse(w, refusal(err), err)
		return
	}
	s.cfg.Logger.Info("damage of the spool forgotten by command", "uid", r.Context().Value(peerKey{}), "entries", n)
	s.answer(w, http.StatusOK, api.ForgetAnswer{Entries: n})
}

// work does something with records that are set aside; done says what.
func (s *Server) work(w http.ResponseWriter, r *http.Request, done string, do func([]uint64, bool) (int, error)) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.RecordsRequest
	err := decodeBody(r.Body, &req)
	switch {
	case err != nil:
	case (len(req.Seqs) > 0) == req.All:
		err = errors.New("body: want seqs or all, and one of them only")
	case len(req.Seqs) > api.MaxSeqs:
		err = fmt.Errorf("body: %d seqs are more than %d", len(req.Seqs), api.MaxSeqs)
	}
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	slices.Sort(req.Seqs)
	n, err := do(slices.Compact(req.Seqs), req.All)
	if n > 0 {
		s.cfg.Logger.Info("records of the spool by command", "uid", r.Context().Value(peerKey{}), "done", done, "records", n)
	}
	if err != nil {
		if n > 0 {
			err = fmt.Errorf("%w, when %d records were %s", err, n, done)
		}
		s.refuse(w, refusal(err), err)
		return
	}
	s.answer(w, http.StatusOK, api.RecordsAnswer{Records: n})
}
