package page

import (
	"cmp"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
)

// onOffData is what the view of Accounting-On and -Off shows.
type onOffData struct {
	Now    time.Time
	Groups []groupRow // with acct-on-off
	Others int        // groups without
	OnOff  []api.OnOffGroup
}

func loadOnOff(p *Page, r *request) (content, error) {
	if err := r.only(); err != nil {
		return content{}, err
	}
	d := onOffData{Now: r.now, Groups: groupRows(p.cfg.Source.Groups(), Blocked{}), OnOff: p.cfg.Source.OnOffGroups()}
	all := len(d.Groups)
	d.Groups = slices.DeleteFunc(d.Groups, func(g groupRow) bool { return !g.AcctOnOff.Enabled })
	d.Others = all - len(d.Groups)
	slices.SortFunc(d.OnOff, func(a, b api.OnOffGroup) int { return cmp.Compare(a.Name, b.Name) })
	return content{data: d}, nil
}
