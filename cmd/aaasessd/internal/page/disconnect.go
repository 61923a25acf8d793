package page

import (
	"cmp"
	"fmt"
	"net"
	"net/http"

	"aaasess/cmd/internal/api"
)

// maxForm limits the body of a form, in octets.
const maxForm = 16 << 10

// addActions adds the handlers of requests that change something, and of the questions before them.
func (p *Page) addActions() {
	confirm := &view{title: "Disconnect", parent: "/sessions", template: "disconnect"}
	confirm.parse()
	p.mux.HandleFunc("GET /sessions/{id}/disconnect", func(w http.ResponseWriter, r *http.Request) {
		s, person, err := p.mayDisconnect(r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		data := disconnectData{s, p.newForm(person, s.ID)}
		p.write(w, r, http.StatusOK, confirm, content{title: "Disconnect session " + s.ID, data: data})
	})
	p.mux.HandleFunc("POST /sessions/{id}/disconnect", func(w http.ResponseWriter, r *http.Request) {
		id, err := p.disconnect(w, r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		http.Redirect(w, r, "/sessions/"+id, http.StatusSeeOther)
	})
}

// disconnectData is what the question before a disconnect shows.
type disconnectData struct {
	Session api.SessionDetail
	Token   string
}

// newForm returns the token of the form that disconnects a session.
func (p *Page) newForm(person, id string) string { return p.keys.token(person, "disconnect "+id) }

// mayDisconnect returns the session of a request, if the person that has sent it may disconnect it.
func (p *Page) mayDisconnect(r *http.Request) (s api.SessionDetail, person string, err error) {
	person, known := p.person(r)
	switch {
	case !p.cfg.Disconnect():
		return s, "", &problem{http.StatusForbidden, "Sessions cannot be disconnected here: http.disconnect is off in the configuration."}
	case !known || person == "":
		return s, "", &problem{http.StatusForbidden, "Only people who have signed in may disconnect sessions."}
	}
	s, err = p.session(r.PathValue("id"))
	if err == nil && s.UnableReason != "" {
		err = &problem{http.StatusConflict, fmt.Sprintf("Session %s cannot be disconnected: %s.", s.ID, s.UnableReason)}
	}
	return s, person, err
}

// disconnect carries out a form. The token is that of the person, the session and this process. A
// request that a browser sends for another site has no chance before that.
func (p *Page) disconnect(w http.ResponseWriter, r *http.Request) (id string, err error) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return "", &problem{http.StatusForbidden, "The request comes from another site."}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return "", &problem{http.StatusBadRequest, "The form is invalid: " + err.Error()}
	}
	s, person, err := p.mayDisconnect(r)
	if err != nil {
		return "", err
	}
	if !p.keys.check(r.PostForm.Get("token"), person, "disconnect "+s.ID) {
		return "", &problem{http.StatusForbidden, "The form is out of date. Open it again."}
	}
	if err := p.cfg.Source.Disconnect(r.Context(), api.ID(s.Number), person, host(r.RemoteAddr)); err != nil {
		return "", &problem{http.StatusServiceUnavailable, fmt.Sprintf("Session %s was not disconnected: %v.", s.ID, err)}
	}
	return s.ID, nil
}

// host returns an address without its port.
func host(addr string) string {
	name, _, _ := net.SplitHostPort(addr)
	return cmp.Or(name, addr)
}

// Address returns the address of the session.
func (d disconnectData) Address() string { return address(&d.Session.Session) }
