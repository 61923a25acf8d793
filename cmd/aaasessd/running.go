package main

import (
	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
)

// runningConfig returns the configuration in effect: that of the file as it was loaded, and what SNMP
// managers have changed. It has no secrets.
func (d *daemon) runningConfig(accounting *acctcontrol.Accounting) api.RunningConfig {
	file := d.overlays.inUse.Load().file
	out := api.RunningConfig{File: file.Name(), Lines: []api.ConfigLine{}, Managed: accounting.ManagedServers()}
	for _, l := range file.Effective() {
		out.Lines = append(out.Lines, api.ConfigLine(l))
	}
	return out
}
