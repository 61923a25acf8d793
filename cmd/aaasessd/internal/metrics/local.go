package metrics

import "cmp"

var localRequests = counter("local_requests_total", "Requests of programs on this host at the socket of the section local, by path and result: done, refused (the program must change something: 400 to 499) or failed (it may try again). The path is other for paths that do not exist.", "path", "result")

func (b *builder) addLocal(s *Sources) {
	if s.Local == nil {
		return
	}
	for _, r := range s.Local() {
		b.count(localRequests, r.Requests, nil, cmp.Or(r.Path, "other"), r.Outcome.String())
	}
}
