package page

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// view is a page that shows a part of the daemon.
type view struct {
	// pattern is the path, as http.ServeMux has it.
	pattern string
	// nav is the text of the link to the view; "": no page has one. parent is then the pattern of the view
	// whose link counts as the current one.
	nav, parent string
	title       string
	// template is the name of the file in templates, which defines "main" and a template for each live
	// region.
	template string
	// live are the ids of the live regions.
	live []string
	// load reads what the view shows. An error that is a *problem is for the operator.
	load func(p *Page, r *request) (content, error)

	parsed *template.Template
}

// content is what a view shows.
type content struct {
	title  string // "": that of the view
	status int    // of HTTP; 0: 200
	data   any    // what its templates get
}

// allViews returns the views in the order of their links.
func allViews() []*view {
	return slices.Concat(
		[]*view{{pattern: "/{$}", nav: "Overview", title: "Overview", template: "overview", live: []string{"verdict", "figures", "groups", "queues"}, load: loadOverview}},
		sessionsViews(),
		[]*view{
			{pattern: "/servers", nav: "Servers", title: "Servers", template: "servers", live: []string{"groups", "servers"}, load: loadServers},
			{pattern: "/spool", nav: "Spool", title: "Spool", template: "spool", live: []string{"disk", "queues", "set-aside"}, load: loadSpool},
			{pattern: "/on-off", nav: "On and Off", title: "Accounting-On and -Off", template: "onoff", live: []string{"on-off", "on-off-groups"}, load: loadOnOff},
			{pattern: "/snmp", nav: "SNMP", title: "SNMP", template: "snmp", live: []string{"agents", "requests", "problems", "targets", "access"}, load: loadSNMP},
		},
	)
}

// parse parses the templates of a view.
func (v *view) parse() {
	v.parsed = template.Must(template.New("layout").Funcs(functions).ParseFS(files,
		"templates/layout.html", "templates/common.html", fmt.Sprintf("templates/%s.html", v.template)))
}

// path returns the path of a view without wildcards.
func (v *view) path() string { return strings.TrimSuffix(v.pattern, "{$}") }

// match reports whether a path is that of the view, with the values of the wildcards.
func (v *view) match(path string) (values map[string]string, ok bool) {
	want, have := strings.Split(v.path(), "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	values = map[string]string{}
	for i, w := range want {
		name, wild := strings.CutPrefix(w, "{")
		switch {
		case wild && have[i] != "":
			values[strings.TrimSuffix(name, "}")] = have[i]
		case w != have[i]:
			return nil, false
		}
	}
	return values, true
}

// problemView returns the view that says what is wrong with a request.
func problemView() *view {
	return &view{title: http.StatusText(http.StatusNotFound), template: "problem"}
}
