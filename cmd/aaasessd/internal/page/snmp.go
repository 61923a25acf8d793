package page

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"aaasess/cmd/internal/api"
)

// snmpData is what the view of SNMP shows.
type snmpData struct {
	Now     time.Time
	SNMP    *api.SNMPStatus // nil: there is no responder
	AgentX  *api.AgentXStatus
	Refused []counter
	Dropped []counter
}

// counter is a counter with its name.
type counter struct {
	Name  string // of the MIB object, if it has one
	Value uint64
}

// counters returns the fields of a struct of uint64, with their names in JSON.
func counters(v any) (out []counter) {
	fields := reflect.ValueOf(v)
	for i := range fields.NumField() {
		out = append(out, counter{fields.Type().Field(i).Tag.Get("json"), fields.Field(i).Uint()})
	}
	return out
}

func loadSNMP(p *Page, r *request) (content, error) {
	if err := r.only(); err != nil {
		return content{}, err
	}
	d := snmpData{Now: r.now, SNMP: p.cfg.Source.SNMP()}
	if section := p.cfg.Source.Status().Sections[api.AgentXSection]; section != nil {
		d.AgentX = &api.AgentXStatus{}
		if err := json.Unmarshal(section, d.AgentX); err != nil {
			return content{}, fmt.Errorf("section %s: %w", api.AgentXSection, err)
		}
	}
	if d.SNMP != nil {
		d.Refused, d.Dropped = counters(d.SNMP.Refused), counters(d.SNMP.Dropped)
	}
	return content{data: d}, nil
}
